"""Roles, and the temporary credentials of STS, with the SDK, the AWS command line and `cairn role`."""
import io
import json
import os
import subprocess
import time

import pytest

from cairn_node import BINARY, KIB
from client_programs import client as program, signed_environment
from held import Held
from identities import ACCOUNT, allow, arn, boto3, iam_of, user_with_key
from rights import GUARDED, bucket_of, put_policy, statement
from s3_client import ClientError, refusal
from signing import ACCESS, ROOT, SECRET, call, post, signed

Config = pytest.importorskip("botocore.config").Config


def client(node, service, key=ROOT, token=None):
    return boto3.client(service, endpoint_url=node.url(), region_name="us-east-1", aws_access_key_id=key[0], aws_secret_access_key=key[1],
                        aws_session_token=token, config=Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"}, signature_version="s3v4" if service == "s3" else None,
                                                                        parameter_validation=False))


def of(node, service, credentials):
    return client(node, service, (credentials["AccessKeyId"], credentials["SecretAccessKey"]), credentials["SessionToken"])


def trust(principal, **condition):
    more = {"Condition": condition} if condition else {}
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole", **more}]})


@pytest.fixture(scope="module")
def iam(guarded):
    return iam_of(guarded)


def role_for(iam, name, user, actions="s3:*", **more):
    """A role that the user may assume, and the user's key."""
    key = user_with_key(iam, user)
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust({"AWS": arn(f"user/{user}")}), **more)
    iam.put_role_policy(RoleName=name, PolicyName="own", PolicyDocument=allow(actions))
    return key


def assume(node, key, name, session="nightly", **more):
    return client(node, "sts", key).assume_role(RoleArn=arn(f"role/{name}"), RoleSessionName=session, **more)["Credentials"]


def test_roles_are_managed_as_in_iam(guarded, iam):
    document = trust({"AWS": ACCOUNT})
    made = iam.create_role(RoleName="crew", Path="/ops/", AssumeRolePolicyDocument=document, Description="of ops", MaxSessionDuration=7200,
                           Tags=[{"Key": "team", "Value": "blue"}])["Role"]
    assert made["Arn"] == arn("role/ops/crew") and made["RoleId"].startswith("AROA")
    assert refusal(iam.create_role, RoleName="Crew", AssumeRolePolicyDocument=document) == (409, "EntityAlreadyExists")
    found = iam.get_role(RoleName="crew")["Role"]
    assert found["AssumeRolePolicyDocument"] == json.loads(document) and found["MaxSessionDuration"] == 7200 and found["Description"] == "of ops"
    assert "crew" in [r["RoleName"] for r in iam.list_roles(PathPrefix="/ops/")["Roles"]]
    iam.update_role(RoleName="crew", MaxSessionDuration=3600)
    found = iam.get_role(RoleName="crew")["Role"]
    assert found["MaxSessionDuration"] == 3600 and found["Description"] == "of ops"
    iam.tag_role(RoleName="crew", Tags=[{"Key": "a", "Value": "b"}])
    iam.untag_role(RoleName="crew", TagKeys=["team"])
    assert iam.list_role_tags(RoleName="crew")["Tags"] == [{"Key": "a", "Value": "b"}]
    iam.update_assume_role_policy(RoleName="crew", PolicyDocument=trust({"AWS": arn("user/ann")}))
    assert refusal(iam.update_assume_role_policy, RoleName="crew", PolicyDocument=trust({"Federated": "x"})) == (400, "MalformedPolicyDocument")
    assert refusal(iam.update_assume_role_policy, RoleName="crew", PolicyDocument=allow("s3:*")) == (400, "MalformedPolicyDocument")
    policy = iam.create_policy(PolicyName="of-crew", PolicyDocument=allow("s3:ListBucket"))["Policy"]["Arn"]
    iam.attach_role_policy(RoleName="crew", PolicyArn=policy)
    assert [p["PolicyName"] for p in iam.list_attached_role_policies(RoleName="crew")["AttachedPolicies"]] == ["of-crew"]
    assert [r["RoleName"] for r in iam.list_entities_for_policy(PolicyArn=policy)["PolicyRoles"]] == ["crew"]
    iam.put_role_policy(RoleName="crew", PolicyName="own", PolicyDocument=allow("s3:GetObject"))
    assert iam.list_role_policies(RoleName="crew")["PolicyNames"] == ["own"]
    assert iam.get_role_policy(RoleName="crew", PolicyName="own")["PolicyDocument"]["Statement"][0]["Action"] == "s3:GetObject"
    assert refusal(iam.delete_role, RoleName="crew") == (409, "DeleteConflict")
    iam.detach_role_policy(RoleName="crew", PolicyArn=policy)
    iam.delete_role_policy(RoleName="crew", PolicyName="own")
    iam.delete_role(RoleName="crew")
    assert refusal(iam.get_role, RoleName="crew") == (404, "NoSuchEntity")


def test_a_session_does_what_its_role_may(guarded, iam):
    b = bucket_of(guarded, "of-backup")
    key = role_for(iam, "backup", "bea")
    assert refusal(client(guarded, "s3", key).list_objects_v2, Bucket=b) == (403, "AccessDenied")
    credentials = assume(guarded, key, "backup")
    assert credentials["AccessKeyId"].startswith("ASIA")
    s3 = of(guarded, "s3", credentials)
    s3.put_object(Bucket=b, Key="a", Body=b"bytes")
    s3.upload_fileobj(io.BytesIO(b"x" * 9 * 1024 * KIB), b, "parts")
    assert s3.get_object(Bucket=b, Key="a")["Body"].read() == b"bytes"
    s3.create_bucket(Bucket="made-by-session")
    who = of(guarded, "sts", credentials).get_caller_identity()
    assert who["Arn"] == f"arn:aws:sts::{ACCOUNT}:assumed-role/backup/nightly" and who["UserId"].endswith(":nightly")
    # In a presigned URL, of which the token is a part.
    url = s3.generate_presigned_url("get_object", Params={"Bucket": b, "Key": "a"})
    path = url[len(guarded.url()):]
    assert "X-Amz-Security-Token" in path and guarded.request("GET", path).body == b"bytes"
    name, _, rest = path.partition("X-Amz-Security-Token=")
    changed = rest[:40] + ("B" if rest[40] == "A" else "A") + rest[41:]
    assert guarded.request("GET", f"{name}X-Amz-Security-Token={changed}").status in (400, 403)
    # In a form, whose policy names it.
    token = {"x-amz-security-token": credentials["SessionToken"]}
    pair = credentials["AccessKeyId"], credentials["SecretAccessKey"]
    fields = signed(b, [{"key": "form"}, token], {"key": "form"} | token, pair)
    assert post(guarded, b, fields).status == 204
    assert post(guarded, b, signed(b, [{"key": "form"}], {"key": "form"}, pair)).status == 403, "no token"
    assert post(guarded, b, signed(b, [{"key": "form"}], {"key": "form"} | token, pair)).status == 403, "the policy does not name it"


def test_tokens_are_refused_elsewhere(guarded, iam):
    b = bucket_of(guarded, "of-others")
    key = role_for(iam, "other", "otto")
    mine, theirs = assume(guarded, key, "other"), assume(guarded, key, "other", "weekly")
    mixed = mine | {"SessionToken": theirs["SessionToken"]}
    assert refusal(of(guarded, "s3", mixed).list_objects_v2, Bucket=b) == (400, "InvalidToken")
    assert refusal(client(guarded, "s3", key, mine["SessionToken"]).list_objects_v2, Bucket=b) == (400, "InvalidToken")
    assert refusal(client(guarded, "s3", ROOT, mine["SessionToken"]).list_objects_v2, Bucket=b) == (400, "InvalidToken")
    assert refusal(of(guarded, "s3", mine | {"SessionToken": "x" * 9000}).list_objects_v2, Bucket=b)[0] == 400
    assert refusal(client(guarded, "s3", (mine["AccessKeyId"], mine["SecretAccessKey"])).list_objects_v2, Bucket=b) == (403, "InvalidAccessKeyId")
    assert refusal(of(guarded, "s3", mine | {"SecretAccessKey": "other"}).list_objects_v2, Bucket=b) == (403, "SignatureDoesNotMatch")
    assert refusal(of(guarded, "sts", mixed).get_caller_identity) == (403, "InvalidClientTokenId")


def test_who_may_assume_a_role(guarded, iam):
    key, stranger = role_for(iam, "guarded-role", "gail"), user_with_key(iam, "stan")
    sts = client(guarded, "sts", stranger)
    wanted = {"RoleArn": arn("role/guarded-role"), "RoleSessionName": "stan"}
    assert refusal(sts.assume_role, **wanted) == (403, "AccessDenied")
    assert refusal(sts.assume_role, **wanted | {"RoleArn": arn("role/none")}) == (403, "AccessDenied")
    assert refusal(client(guarded, "sts").assume_role, **wanted) == (403, "AccessDenied"), "the root key"
    # Through the account, the user's own policies must allow it.
    iam.update_assume_role_policy(RoleName="guarded-role", PolicyDocument=trust({"AWS": arn("root")}, StringEquals={"sts:ExternalId": "42"}))
    iam.put_user_policy(UserName="stan", PolicyName="assumes", PolicyDocument=allow("sts:AssumeRole", arn("role/guarded-role")))
    assert refusal(sts.assume_role, **wanted) == (403, "AccessDenied")
    assert refusal(sts.assume_role, **wanted, ExternalId="43") == (403, "AccessDenied")
    sts.assume_role(**wanted, ExternalId="42")
    assert refusal(client(guarded, "sts", key).assume_role, **wanted, ExternalId="42") == (403, "AccessDenied")
    assert refusal(sts.assume_role, **wanted, ExternalId="42", DurationSeconds=7200) == (400, "ValidationError")
    assert refusal(sts.assume_role, **wanted, ExternalId="42", Policy="{}") == (400, "MalformedPolicyDocument")
    assert refusal(sts.assume_role, **wanted, ExternalId="42", Tags=[{"Key": "a", "Value": "b"}]) == (403, "AccessDenied")


def test_a_session_policy_limits_a_session(guarded, iam):
    b = bucket_of(guarded, "of-limited")
    key = role_for(iam, "limited", "lena")
    put_policy(guarded, b, statement(b, "s3:*", principal={"AWS": arn("role/limited")}))
    s3 = of(guarded, "s3", assume(guarded, key, "limited", Policy=allow("s3:GetObject")))
    assert call(guarded, "PUT", f"/{b}/a", b"bytes").status == 200
    assert s3.get_object(Bucket=b, Key="a")["Body"].read() == b"bytes"
    assert refusal(s3.put_object, Bucket=b, Key="a", Body=b"x") == (403, "AccessDenied"), "also what the bucket's policy allows"


def test_bucket_policies_name_roles_and_sessions(guarded, iam):
    b = bucket_of(guarded, "of-named")
    key = role_for(iam, "named", "nora", "s3:ListAllMyBuckets")
    one, two = (of(guarded, "s3", assume(guarded, key, "named", name)) for name in ("one", "two"))
    assert call(guarded, "PUT", f"/{b}/a", b"bytes").status == 200
    assert refusal(one.get_object, Bucket=b, Key="a") == (403, "AccessDenied")
    put_policy(guarded, b, statement(b, "s3:GetObject", principal={"AWS": arn("role/named")}))
    assert one.get_object(Bucket=b, Key="a")["Body"].read() == b"bytes" == two.get_object(Bucket=b, Key="a")["Body"].read()
    put_policy(guarded, b, statement(b, "s3:GetObject", principal={"AWS": f"arn:aws:sts::{ACCOUNT}:assumed-role/named/one"}))
    assert one.get_object(Bucket=b, Key="a")["Body"].read() == b"bytes"
    assert refusal(two.get_object, Bucket=b, Key="a") == (403, "AccessDenied")


def test_sessions_are_revoked(guarded, iam):
    b = bucket_of(guarded, "of-revoked")
    key = role_for(iam, "revoked", "rita")
    old = assume(guarded, key, "revoked")
    pair, token = (old["AccessKeyId"], old["SecretAccessKey"]), {"x-amz-security-token": old["SessionToken"]}
    assert call(guarded, "PUT", f"/{b}/a", b"x", pair, **token).status == 200
    held = Held(guarded, "PUT", f"/{b}/held", b"x" * 10 * KIB, key=pair, **token)
    time.sleep(1.1)
    until = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    iam.put_role_policy(RoleName="revoked", PolicyName="revoke", PolicyDocument=allow("*", effect="Deny", Condition={"DateLessThan": {"aws:TokenIssueTime": until}}))
    assert refusal(of(guarded, "s3", old).list_objects_v2, Bucket=b) == (403, "AccessDenied")
    assert held.finish().status == 403
    of(guarded, "s3", assume(guarded, key, "revoked")).list_objects_v2(Bucket=b)
    # A role that is gone has no sessions, nor has another one of its name.
    late = assume(guarded, key, "revoked")
    for name in ("own", "revoke"):
        iam.delete_role_policy(RoleName="revoked", PolicyName=name)
    iam.delete_role(RoleName="revoked")
    assert refusal(of(guarded, "s3", late).list_objects_v2, Bucket=b) == (400, "InvalidToken")
    iam.create_role(RoleName="revoked", AssumeRolePolicyDocument=trust({"AWS": arn("user/rita")}))
    iam.put_role_policy(RoleName="revoked", PolicyName="own", PolicyDocument=allow("s3:*"))
    assert refusal(of(guarded, "s3", late).list_objects_v2, Bucket=b) == (400, "InvalidToken")


def test_a_user_gets_temporary_credentials(guarded, iam):
    b = bucket_of(guarded, "of-tess")
    key = user_with_key(iam, "tess")
    iam.put_user_policy(UserName="tess", PolicyName="own", PolicyDocument=allow("s3:*", [f"arn:aws:s3:::{b}/${{aws:username}}/*"]))
    sts = client(guarded, "sts", key)
    credentials = sts.get_session_token(DurationSeconds=900)["Credentials"]
    of(guarded, "s3", credentials).put_object(Bucket=b, Key="tess/a", Body=b"x")
    assert of(guarded, "sts", credentials).get_caller_identity()["Arn"] == arn("user/tess") == sts.get_caller_identity()["Arn"]
    assert refusal(of(guarded, "sts", credentials).get_session_token) == (403, "AccessDenied")
    assert refusal(client(guarded, "sts").get_session_token) == (403, "AccessDenied")
    assert client(guarded, "sts").get_caller_identity()["Arn"] == arn("root")
    assert refusal(sts.get_session_token, DurationSeconds=899) == (400, "ValidationError")


def test_sessions_of_a_role_share_its_rate_limit(start_node):
    node = start_node(limits_rates=[{"key": arn("role/bulk"), "requests_per_second": 5}], **GUARDED)
    key = role_for(iam_of(node), "bulk", "bo")
    sessions = [of(node, "s3", assume(node, key, "bulk", f"part-{n}")) for n in range(10)]
    codes = []
    for s3 in sessions * 2:
        try:
            s3.list_buckets()
        except ClientError as refused:
            codes.append(refused.response["Error"]["Code"])
    assert codes and set(codes) == {"SlowDown"}
    for _ in range(20):
        assert refusal(client(node, "s3", key).list_buckets) == (403, "AccessDenied"), "its user is another one"


def test_the_command_line_makes_and_assumes_roles(guarded, iam, tmp_path):
    def cairn(*arguments, key=(ACCESS, SECRET), token=""):
        env = os.environ | {"CAIRN_ENDPOINT": guarded.url(), "AWS_ACCESS_KEY_ID": key[0], "AWS_SECRET_ACCESS_KEY": key[1], "AWS_SESSION_TOKEN": token}
        done = subprocess.run([BINARY, *arguments], env=env, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        return done.stdout

    b = bucket_of(guarded, "of-cli")
    key = user_with_key(iam, "carl")
    (tmp_path / "trust.json").write_text(trust({"AWS": arn("user/carl")}))
    (tmp_path / "own.json").write_text(allow("s3:*"))
    cairn("role", "create", "by-hand", str(tmp_path / "trust.json"), "--description", "by hand", "--session-max", "7200")
    cairn("role", "put-policy", "by-hand", "own", str(tmp_path / "own.json"))
    assert "by-hand" in cairn("role", "list") and "sts:AssumeRole" in cairn("role", "show", "by-hand")
    made = json.loads(cairn("role", "assume", "by-hand", "at-work", "--seconds", "900", "--json", key=key))["Credentials"]
    (tmp_path / "file").write_bytes(b"bytes")
    cairn("put", str(tmp_path / "file"), f"{b}/file", key=(made["AccessKeyId"], made["SecretAccessKey"]), token=made["SessionToken"])
    assert call(guarded, "GET", f"/{b}/file").body == b"bytes"
    cairn("role", "delete-policy", "by-hand", "own")
    cairn("role", "delete", "by-hand")


def test_awscli_assumes_a_role(guarded, iam):
    b = bucket_of(guarded, "of-awscli")
    key = role_for(iam, "by-awscli", "alma")

    def aws(*arguments, key, token=None):
        more = {"AWS_SESSION_TOKEN": token} if token else {}
        env = signed_environment(**more) | {"AWS_ACCESS_KEY_ID": key[0], "AWS_SECRET_ACCESS_KEY": key[1]}
        done = subprocess.run([program("aws"), "--endpoint-url", guarded.url(), *arguments], env=env, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        return done.stdout

    made = json.loads(aws("sts", "assume-role", "--role-arn", arn("role/by-awscli"), "--role-session-name", "cli", "--output", "json", key=key))["Credentials"]
    session = {"key": (made["AccessKeyId"], made["SecretAccessKey"]), "token": made["SessionToken"]}
    assert "assumed-role/by-awscli/cli" in aws("sts", "get-caller-identity", **session)
    assert call(guarded, "PUT", f"/{b}/shown", b"x").status == 200
    assert "shown" in aws("s3", "ls", f"s3://{b}", **session)
