"""Tags of sessions: who may set them, what they decide, and how they go from session to session."""
import json
import subprocess

import pytest

from cairn_node import BINARY, Node
from client_programs import signed_environment
from identities import ACCOUNT, allow, arn, boto3, iam_of, user_with_key
from rights import GUARDED, bucket_of
from s3_client import refusal

Config = pytest.importorskip("botocore.config").Config

TEAM = allow("s3:*", Condition={"StringEquals": {"aws:PrincipalTag/team": "blue"}})


@pytest.fixture(scope="module")
def node(tmp_path_factory, issuer):
    n = Node(tmp_path_factory.mktemp("tagging"), auth_oidc=[issuer.settings()], **GUARDED)
    n.start()
    yield n
    n.stop()


@pytest.fixture(scope="module")
def iam(node):
    return iam_of(node)


def client(node, service, credentials):
    if isinstance(credentials, dict):
        credentials = credentials["AccessKeyId"], credentials["SecretAccessKey"], credentials["SessionToken"]
    key, secret, token = (*credentials, None)[:3]
    return boto3.client(service, endpoint_url=node.url(), region_name="us-east-1", aws_access_key_id=key, aws_secret_access_key=secret, aws_session_token=token,
                        config=Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"}, parameter_validation=False))


def trust(principal, actions=("sts:AssumeRole", "sts:TagSession"), **condition):
    more = {"Condition": condition} if condition else {}
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": principal, "Action": list(actions), **more}]})


def role(iam, name, document, policy=TEAM, **tags):
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=document, Tags=[{"Key": k, "Value": v} for k, v in tags.items()])
    iam.put_role_policy(RoleName=name, PolicyName="own", PolicyDocument=policy)


def tagged(transitive=(), **tags):
    return {"Tags": [{"Key": k, "Value": v} for k, v in tags.items()], "TransitiveTagKeys": list(transitive)}


def assume(node, credentials, name, **more):
    return client(node, "sts", credentials).assume_role(RoleArn=arn(f"role/{name}"), RoleSessionName="nightly", **more)


def refused(node, credentials, name, **more):
    return refusal(lambda: assume(node, credentials, name, **more))


def lists(node, credentials, bucket):
    try:
        client(node, "s3", credentials).list_objects_v2(Bucket=bucket)
        return True
    except client(node, "s3", credentials).exceptions.ClientError as why:
        assert why.response["Error"]["Code"] == "AccessDenied"
        return False


def test_a_session_has_its_tags_in_place_of_the_roles(node, iam):
    b, key = bucket_of(node, "of-teams"), user_with_key(iam, "tina")
    role(iam, "tagged", trust({"AWS": arn("user/tina")}), team="red")
    assert not lists(node, assume(node, key, "tagged")["Credentials"], b)
    answer = assume(node, key, "tagged", **tagged(team="blue", stage="test"))
    assert answer["PackedPolicySize"] == 1
    assert lists(node, answer["Credentials"], b)
    assert lists(node, assume(node, key, "tagged", **tagged(TEAM="blue"))["Credentials"], b)
    assert not lists(node, assume(node, key, "tagged", **tagged(stage="blue"))["Credentials"], b)
    client(node, "s3", answer["Credentials"]).put_object(Bucket=b, Key="a", Body=b"judged where it is executed")


def test_the_trust_policy_says_who_may_tag_and_with_what(node, iam):
    key = user_with_key(iam, "tom")
    role(iam, "untagged", trust({"AWS": arn("user/tom")}, ["sts:AssumeRole"]))
    assume(node, key, "untagged")
    assert refused(node, key, "untagged", **tagged(team="blue")) == (403, "AccessDenied")
    iam.update_assume_role_policy(RoleName="untagged", PolicyDocument=trust(
        {"AWS": arn("user/tom")}, **{"StringLikeIfExists": {"aws:RequestTag/team": ["blue", "green"]}, "ForAllValues:StringEquals": {"aws:TagKeys": ["team"]}}))
    assume(node, key, "untagged", **tagged(team="blue"))
    assert refused(node, key, "untagged", **tagged(team="red")) == (403, "AccessDenied")
    assert refused(node, key, "untagged", **tagged(Team="red")) == (403, "AccessDenied")
    assert refused(node, key, "untagged", **tagged(team="blue", stage="test")) == (403, "AccessDenied")
    # Through the account, the user's own policies must allow both actions.
    iam.update_assume_role_policy(RoleName="untagged", PolicyDocument=trust({"AWS": arn("root")}))
    iam.put_user_policy(UserName="tom", PolicyName="assumes", PolicyDocument=allow("sts:AssumeRole", arn("role/untagged")))
    assume(node, key, "untagged")
    assert refused(node, key, "untagged", **tagged(team="blue")) == (403, "AccessDenied")
    iam.put_user_policy(UserName="tom", PolicyName="assumes", PolicyDocument=allow(["sts:AssumeRole", "sts:TagSession"], arn("role/untagged")))
    assume(node, key, "untagged", **tagged(team="blue"))


def test_tags_that_are_none_are_refused(node, iam):
    key = user_with_key(iam, "toni")
    role(iam, "strict", trust({"AWS": arn("user/toni")}))
    for what, tags, expected in (
            ("51", tagged(**{f"k{n}": "v" for n in range(51)}), "ValidationError"),
            ("a long key", tagged(**{"k" * 129: "v"}), "ValidationError"),
            ("a long value", tagged(k="v" * 257), "ValidationError"),
            ("of AWS", tagged(**{"aws:k": "v"}), "ValidationError"),
            ("odd characters", tagged(k="a;b"), "ValidationError"),
            ("twice", tagged(team="a", Team="b"), "InvalidParameterValue"),
            ("transitive, but not there", tagged(["stage"], team="a"), "InvalidParameterValue"),
            ("too large", tagged(**{f"k{n}": "v" * 256 for n in range(20)}), "PackedPolicyTooLarge")):
        assert refused(node, key, "strict", **tags) == (400, expected), what
    assume(node, key, "strict", **tagged(**{f"k{n}": "v" * 90 for n in range(50)}))
    assume(node, key, "strict", **tagged(**{"k" * 128: "v" * 256, "größe": "ü" * 256}))


def test_transitive_tags_go_from_session_to_session(node, iam):
    b, key = bucket_of(node, "of-chains"), user_with_key(iam, "tara")
    role(iam, "first", trust({"AWS": arn("user/tara")}), allow(["sts:AssumeRole", "sts:TagSession"]))
    role(iam, "second", trust({"AWS": arn("role/first")}), TEAM)
    role(iam, "third", trust({"AWS": arn("role/second")}, **{"StringEquals": {"aws:RequestTag/team": "blue"}}), TEAM, team="red")
    first = assume(node, key, "first", **tagged(["team"], team="blue", stage="test"))["Credentials"]
    second = assume(node, first, "second")["Credentials"]
    assert lists(node, second, b)
    assert refused(node, first, "second", **tagged(team="red")) == (400, "InvalidParameterValue")
    assert refused(node, first, "second", **tagged(Team="blue")) == (400, "InvalidParameterValue")
    assume(node, first, "second", **tagged(stage="live"))
    assert lists(node, assume(node, second, "third")["Credentials"], b), "also from the second one on"
    # Without sts:TagSession the tags would be lost, so the role is not assumed.
    iam.update_assume_role_policy(RoleName="second", PolicyDocument=trust({"AWS": arn("role/first")}, ["sts:AssumeRole"]))
    assert refused(node, first, "second") == (403, "AccessDenied")
    assume(node, assume(node, key, "first", **tagged(team="blue"))["Credentials"], "second")


def test_a_web_identity_brings_tags_in_its_token(node, iam, issuer):
    b = bucket_of(node, "of-tokens")
    provider = {"Federated": f"arn:aws:iam::{ACCOUNT}:oidc-provider/{issuer.name}"}
    role(iam, "by-token", trust(provider, ["sts:AssumeRoleWithWebIdentity", "sts:TagSession"]))
    role(iam, "untagged-token", trust(provider, ["sts:AssumeRoleWithWebIdentity"]))
    sts = client(node, "sts", ("x", "x"))

    def with_token(name="by-token", **claims):
        return sts.assume_role_with_web_identity(RoleArn=arn(f"role/{name}"), RoleSessionName="build", WebIdentityToken=issuer.token(**claims))

    nested = {"https://aws.amazon.com/tags": {"principal_tags": {"team": ["blue"]}, "transitive_tag_keys": ["team"]}}
    flat = {"https://aws.amazon.com/tags/principal_tags/team": "blue"}
    assert not lists(node, with_token()["Credentials"], b)
    for claims in (nested, flat):
        assert lists(node, with_token(**claims)["Credentials"], b)
        assert refusal(lambda: with_token("untagged-token", **claims)) == (403, "AccessDenied")
    with_token("untagged-token")
    assert refusal(lambda: with_token(**{"https://aws.amazon.com/tags": {"principal_tags": {"team": ["a", "b"]}}})) == (400, "InvalidIdentityToken")
    assert refusal(lambda: with_token(**{"https://aws.amazon.com/tags": {"transitive_tag_keys": ["team"]}})) == (400, "InvalidParameterValue")
    role(iam, "after-token", trust({"AWS": arn("role/by-token")}))
    iam.put_role_policy(RoleName="by-token", PolicyName="own", PolicyDocument=allow("sts:*"))
    assert lists(node, assume(node, with_token(**nested)["Credentials"], "after-token")["Credentials"], b)


def test_the_command_line_sets_tags(node, iam):
    b, key = bucket_of(node, "of-cli-tags"), user_with_key(iam, "tess")
    role(iam, "cli-tagged", trust({"AWS": arn("user/tess")}, **{"StringEquals": {"sts:TransitiveTagKeys": "team"}}))
    env = signed_environment(CAIRN_ENDPOINT=node.url()) | {"AWS_ACCESS_KEY_ID": key[0], "AWS_SECRET_ACCESS_KEY": key[1]}
    done = subprocess.run([BINARY, "role", "assume", "cli-tagged", "at-work", "--tags", "team=blue,stage=a=b", "--transitive-tags", "team", "--json"],
                          env=env, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert lists(node, json.loads(done.stdout)["Credentials"], b)
