"""Roles that are assumed with tokens of an OpenID Connect issuer, which the tests run themselves."""
import json
import os
import subprocess
import time
import urllib.parse

import pytest

from cairn_node import BINARY, Node
from identities import ACCOUNT, allow, arn, boto3, iam_of
from issuer import Issuer, Key
from rights import GUARDED, bucket_of
from s3_client import refusal
from signing import call
from usage import lines_of

botocore = pytest.importorskip("botocore")
from botocore.config import Config  # noqa: E402


@pytest.fixture(scope="module")
def trusting(tmp_path_factory, issuer):
    folder = tmp_path_factory.mktemp("trusting")
    n = Node(folder, auth_oidc=[issuer.settings()], audit_file=str(folder / "audit.log"), **GUARDED)
    n.settings["access_log.file"] = str(folder / "access.log")
    n.write_config()
    n.start()
    yield n
    n.stop()


def trust(issuer, **condition):
    more = {"Condition": condition} if condition else {}
    provider = {"Federated": f"arn:aws:iam::{ACCOUNT}:oidc-provider/{issuer.name}"}
    return json.dumps({"Version": "2012-10-17",
                       "Statement": [{"Effect": "Allow", "Principal": provider, "Action": "sts:AssumeRoleWithWebIdentity", **more}]})


def role(node, issuer, name, actions="s3:*", **condition):
    iam = iam_of(node)
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust(issuer, **condition))
    iam.put_role_policy(RoleName=name, PolicyName="own", PolicyDocument=allow(actions))
    return arn(f"role/{name}")


def sts_of(node):
    """Without credentials."""
    return boto3.client("sts", endpoint_url=node.url(), region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x",
                        config=Config(retries={"total_max_attempts": 1}, parameter_validation=False))


def assume(node, role_arn, token, session="build-7", **more):
    return sts_of(node).assume_role_with_web_identity(RoleArn=role_arn, RoleSessionName=session, WebIdentityToken=token, **more)


def refused(node, role_arn, token, **more):
    return refusal(lambda: assume(node, role_arn, token, **more))


def s3_with(node, credentials):
    return boto3.client("s3", endpoint_url=node.url(), region_name="us-east-1", aws_access_key_id=credentials["AccessKeyId"],
                        aws_secret_access_key=credentials["SecretAccessKey"], aws_session_token=credentials["SessionToken"],
                        config=Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"}))


def test_a_token_gets_credentials_that_do_what_the_role_may(trusting, issuer):
    b = bucket_of(trusting, "of-ci")
    ci = role(trusting, issuer, "ci", StringEquals={f"{issuer.name}:aud": "cairn"}, StringLike={f"{issuer.name}:sub": "repo:team/*"})
    answer = assume(trusting, ci, issuer.token())
    assert answer["SubjectFromWebIdentityToken"] == "repo:team/app" and answer["Audience"] == "cairn"
    assert answer["Provider"] == arn(f"oidc-provider/{issuer.name}")
    assert answer["AssumedRoleUser"]["Arn"] == f"arn:aws:sts::{ACCOUNT}:assumed-role/ci/build-7"
    s3 = s3_with(trusting, answer["Credentials"])
    s3.put_object(Bucket=b, Key="a", Body=b"bytes")
    assert s3.get_object(Bucket=b, Key="a")["Body"].read() == b"bytes"
    assert [o["Key"] for o in s3.list_objects_v2(Bucket=b)["Contents"]] == ["a"]
    for algorithm in ("PS256", "ES256"):
        key = Key(algorithm, algorithm)
        issuer.keys.append(key)
    time.sleep(10)  # keys that are not known are looked for every ten seconds
    for key in issuer.keys[1:]:
        assume(trusting, ci, issuer.token(key))
    assert refused(trusting, ci, issuer.token(sub="repo:other/app")) == (403, "AccessDenied")
    assert refused(trusting, arn("role/none"), issuer.token()) == (403, "AccessDenied")
    line = [one for one in lines_of(trusting.settings["audit.file"]) if one["status"] == 200 and one.get("subject") == ci and "WebIdentity" in one["action"]][0]
    assert (line["who"], line["user"]) == ("web_identity", f"{issuer.name}:repo:team/app")


def test_tokens_that_are_not_valid_are_refused(trusting, issuer):
    r = role(trusting, issuer, "strict")
    now = int(time.time())
    good = issuer.token()
    head, claims, signature = good.split(".")
    invalid = (400, "InvalidIdentityToken")
    for what, token, expected in (
            ("another audience", issuer.token(aud="else"), invalid),
            ("several, without a party", issuer.token(aud=["cairn", "else"]), invalid),
            ("another issuer", issuer.token(iss="https://127.0.0.1:1/team"), invalid),
            ("expired", issuer.token(exp=now - 61), (400, "ExpiredTokenException")),
            ("of the future", issuer.token(nbf=now + 120), (403, "IDPRejectedClaim")),
            ("none", issuer.unsigned(), invalid),
            ("HS256 with the public key", issuer.confused(), invalid),
            ("another key", issuer.token(Key("one")), invalid),
            ("another algorithm", issuer.token(header={"alg": "ES256"}), invalid),
            ("no subject", issuer.token(sub=""), invalid),
            ("a short signature", good[:-8], invalid),
            ("other claims", f"{head}.{issuer.token(sub='admin').split('.')[1]}.{signature}", invalid),
            ("no token", "abcd", invalid),
            ("too large", issuer.token(x="x" * 20_000), (400, "ValidationError"))):
        assert refused(trusting, r, token) == expected, what
    assume(trusting, r, issuer.token(aud=["cairn", "else"], azp="cairn"))
    assert refused(trusting, r, good, ProviderId="www.example.org") == (400, "ValidationError")
    assert refused(trusting, r, good, DurationSeconds=7200) == (400, "ValidationError")
    assert refused(trusting, r, good, Policy="{}") == (400, "MalformedPolicyDocument")


def test_a_session_policy_limits_a_web_identity(trusting, issuer):
    b = bucket_of(trusting, "of-narrow")
    r = role(trusting, issuer, "narrow")
    answer = assume(trusting, r, issuer.token(), Policy=allow("s3:GetObject"))
    assert answer["PackedPolicySize"] > 0
    assert call(trusting, "PUT", f"/{b}/a", b"bytes").status == 200
    s3 = s3_with(trusting, answer["Credentials"])
    assert s3.get_object(Bucket=b, Key="a")["Body"].read() == b"bytes"
    assert refusal(s3.put_object, Bucket=b, Key="a", Body=b"x") == (403, "AccessDenied")


def test_only_a_statement_that_names_the_provider_lets_it_in(trusting, issuer):
    iam = iam_of(trusting)
    r = role(trusting, issuer, "named")
    everybody = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "sts:*"}]})
    iam.update_assume_role_policy(RoleName="named", PolicyDocument=everybody)
    assert refused(trusting, r, issuer.token()) == (403, "AccessDenied")
    iam.update_assume_role_policy(RoleName="named", PolicyDocument=trust(issuer).replace("/team", "/other"))
    assert refused(trusting, r, issuer.token()) == (403, "AccessDenied")
    assert refusal(iam.update_assume_role_policy, RoleName="named", PolicyDocument=trust(issuer).replace(":oidc-provider/", ":saml-provider/")) == (400, "MalformedPolicyDocument")


def test_keys_rotate_and_one_that_is_gone_is_refused(start_node, tmp_path):
    issuer = Issuer(tmp_path)
    try:
        node = start_node(auth_oidc=[issuer.settings()], **GUARDED)
        r = role(node, issuer, "rotating")
        old = issuer.token()
        assume(node, r, old)
        issuer.keys = [Key("two")]
        time.sleep(10)
        assume(node, r, issuer.token())
        assert refused(node, r, old) == (400, "InvalidIdentityToken")
        # Unknown keys, whatever their number, cause a fetch in ten seconds and disturb nobody.
        before, began = issuer.fetches(), time.monotonic()
        for n in range(200):
            assert refused(node, r, issuer.token(header={"kid": f"unknown-{n}"})) == (400, "InvalidIdentityToken")
        assert issuer.fetches() - before <= 1 + (time.monotonic() - began) / 10
        # While the issuer does not answer, its keys are good.
        issuer.down = True
        assume(node, r, issuer.token())
    finally:
        issuer.stop()


def test_an_issuer_that_does_not_answer_is_told(start_node, tmp_path):
    issuer = Issuer(tmp_path)
    issuer.down = True
    try:
        node = start_node(auth_oidc=[issuer.settings(), {"issuer": "https://127.0.0.1:1", "audiences": ["cairn"]}], **GUARDED)
        r = role(node, issuer, "waiting")
        assert refused(node, r, issuer.token()) == (400, "IDPCommunicationError")
        assert refused(node, r, issuer.token(iss="https://127.0.0.1:1")) == (400, "IDPCommunicationError")
        issuer.down = False
        time.sleep(10)
        assume(node, r, issuer.token())
    finally:
        issuer.stop()


def test_a_certificate_that_is_not_trusted_is_refused(start_node, tmp_path):
    issuer = Issuer(tmp_path)
    try:
        node = start_node(auth_oidc=[{"issuer": issuer.url, "audiences": ["cairn"]}], **GUARDED)
        assert refused(node, role(node, issuer, "untrusting"), issuer.token()) == (400, "IDPCommunicationError")
        assert issuer.requests == []
    finally:
        issuer.stop()


def test_no_log_has_a_token(trusting, issuer):
    r = role(trusting, issuer, "secretive")
    token = issuer.token()
    assume(trusting, r, token)
    form = urllib.parse.urlencode({"Action": "AssumeRoleWithWebIdentity", "Version": "2011-06-15", "RoleArn": r, "RoleSessionName": "url", "WebIdentityToken": token})
    trusting.request("GET", f"/?{form}")
    trusting.request("POST", f"/?{form}")
    time.sleep(0.5)
    logs = trusting.log() + open(trusting.settings["access_log.file"]).read() + open(trusting.settings["audit.file"]).read()
    assert "WebIdentityToken=***" in logs
    for part in token.split("."):
        assert part not in logs


def test_the_command_line_assumes_a_role_with_a_token(trusting, issuer, tmp_path):
    b = bucket_of(trusting, "of-cli-token")
    role(trusting, issuer, "by-token")
    (tmp_path / "token").write_text(issuer.token() + "\n")
    env = {k: v for k, v in os.environ.items() if not k.startswith("AWS_")} | {"CAIRN_ENDPOINT": trusting.url()}
    done = subprocess.run([BINARY, "role", "assume", "by-token", "at-work", "--web-identity-token", str(tmp_path / "token"), "--json"],
                          env=env, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    s3_with(trusting, json.loads(done.stdout)["Credentials"]).put_object(Bucket=b, Key="a", Body=b"x")
