"""Identity providers that IAM's API makes, and roles that are assumed with tokens of them."""
import hashlib
import json
import ssl
import subprocess
import time

import pytest

from cairn_node import BINARY, Node
from client_programs import client as program, signed_environment
from identities import allow, arn, boto3, user_with_key
from issuer import Issuer
from rights import GUARDED, bucket_of
from s3_client import refusal
from signing import ROOT

Config = pytest.importorskip("botocore.config").Config
OTHER = "0123456789abcdef0123456789abcdef01234567"


def iam_of(node, key=ROOT):
    """Older SDKs do not know that thumbprints may be left out."""
    return boto3.client("iam", endpoint_url=node.url(), region_name="us-east-1", aws_access_key_id=key[0], aws_secret_access_key=key[1],
                        config=Config(retries={"total_max_attempts": 1}, parameter_validation=False))


@pytest.fixture(scope="module")
def configured(tmp_path_factory):
    i = Issuer(tmp_path_factory.mktemp("configured"))
    yield i
    i.stop()


@pytest.fixture(scope="module")
def node(tmp_path_factory, configured):
    n = Node(tmp_path_factory.mktemp("providing"), auth_oidc=[configured.settings()], **GUARDED)
    n.start()
    yield n
    n.stop()


@pytest.fixture(scope="module")
def iam(node):
    return iam_of(node)


@pytest.fixture
def issuer(tmp_path):
    i = Issuer(tmp_path)
    yield i
    i.stop()


def thumbprint(issuer):
    return hashlib.sha1(ssl.PEM_cert_to_DER_cert(issuer.certificate.read_text())).hexdigest()


def provider_arn(name):
    return arn(f"oidc-provider/{name}")


def role(iam, issuer, name):
    trust = json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"Federated": provider_arn(issuer.name)}, "Action": "sts:AssumeRoleWithWebIdentity"}]})
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)
    iam.put_role_policy(RoleName=name, PolicyName="own", PolicyDocument=allow("s3:*"))


def assume(node, name, token):
    sts = boto3.client("sts", endpoint_url=node.url(), region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x",
                       config=Config(retries={"total_max_attempts": 1}))
    return sts.assume_role_with_web_identity(RoleArn=arn(f"role/{name}"), RoleSessionName="build", WebIdentityToken=token)


def refused(node, name, token):
    return refusal(lambda: assume(node, name, token))


def test_providers_are_managed_as_in_iam(node, iam):
    made = iam.create_open_id_connect_provider(Url="https://idp.example.org/Team", ClientIDList=["cairn"], ThumbprintList=[OTHER.upper()],
                                               Tags=[{"Key": "team", "Value": "blue"}])
    name = provider_arn("idp.example.org/Team")
    assert made["OpenIDConnectProviderArn"] == name and made["Tags"] == [{"Key": "team", "Value": "blue"}]
    assert refusal(iam.create_open_id_connect_provider, Url="https://idp.example.org/team") == (409, "EntityAlreadyExists")
    iam.create_open_id_connect_provider(Url="https://other.example.org")
    assert [p["Arn"] for p in iam.list_open_id_connect_providers()["OpenIDConnectProviderList"]] == [name, provider_arn("other.example.org")]
    iam.add_client_id_to_open_id_connect_provider(OpenIDConnectProviderArn=name, ClientID="https://app.example.org")
    iam.add_client_id_to_open_id_connect_provider(OpenIDConnectProviderArn=name, ClientID="cairn")
    iam.remove_client_id_from_open_id_connect_provider(OpenIDConnectProviderArn=name, ClientID="none")
    found = iam.get_open_id_connect_provider(OpenIDConnectProviderArn=name)
    assert found["Url"] == "idp.example.org/Team" and found["ClientIDList"] == ["cairn", "https://app.example.org"]
    assert found["ThumbprintList"] == [OTHER] and found["Tags"] == [{"Key": "team", "Value": "blue"}] and found["CreateDate"]
    iam.remove_client_id_from_open_id_connect_provider(OpenIDConnectProviderArn=name, ClientID="cairn")
    iam.update_open_id_connect_provider_thumbprint(OpenIDConnectProviderArn=name, ThumbprintList=["a" * 40, "b" * 40])
    iam.tag_open_id_connect_provider(OpenIDConnectProviderArn=name, Tags=[{"Key": "stage", "Value": "test"}])
    iam.untag_open_id_connect_provider(OpenIDConnectProviderArn=name, TagKeys=["team"])
    found = iam.get_open_id_connect_provider(OpenIDConnectProviderArn=name)
    assert found["ClientIDList"] == ["https://app.example.org"] and found["ThumbprintList"] == ["a" * 40, "b" * 40]
    assert iam.list_open_id_connect_provider_tags(OpenIDConnectProviderArn=name)["Tags"] == [{"Key": "stage", "Value": "test"}]
    missing = (404, "NoSuchEntity")
    assert refusal(iam.get_open_id_connect_provider, OpenIDConnectProviderArn=provider_arn("idp.example.org/team")) == missing
    for one in (name, provider_arn("other.example.org")):
        iam.delete_open_id_connect_provider(OpenIDConnectProviderArn=one)
        assert refusal(iam.delete_open_id_connect_provider, OpenIDConnectProviderArn=one) == missing
        assert refusal(iam.add_client_id_to_open_id_connect_provider, OpenIDConnectProviderArn=one, ClientID="x") == missing
    assert iam.list_open_id_connect_providers()["OpenIDConnectProviderList"] == []


def test_what_is_no_provider_is_refused(node, iam, configured):
    create = iam.create_open_id_connect_provider
    for url in ("http://idp.example.org", "http://127.0.0.1:9000", "https://IDP.example.org", "https://idp.example.org/?a=b", "https://user@idp.example.org", "https://idp"):
        assert refusal(create, Url=url) == (400, "ValidationError"), url
    assert refusal(create, Url="https://idp.example.org", ThumbprintList=["x" * 40]) == (400, "ValidationError")
    assert refusal(create, Url="https://idp.example.org", ThumbprintList=[OTHER] * 6) == (409, "LimitExceeded")
    assert refusal(create, Url="https://idp.example.org", ClientIDList=[f"c{n}" for n in range(101)]) == (409, "LimitExceeded")
    assert refusal(create, Url=configured.url) == (409, "EntityAlreadyExists"), "the configuration has it"


def test_who_may_make_providers(node, iam):
    key = user_with_key(iam, "olga")
    own = iam_of(node, key)
    assert refusal(own.create_open_id_connect_provider, Url="https://olga.example.org") == (403, "AccessDenied")
    assert refusal(own.list_open_id_connect_providers) == (403, "AccessDenied")
    iam.put_user_policy(UserName="olga", PolicyName="own", PolicyDocument=allow("iam:*OpenIDConnect*", provider_arn("olga.*")))
    own.create_open_id_connect_provider(Url="https://olga.example.org")
    own.get_open_id_connect_provider(OpenIDConnectProviderArn=provider_arn("olga.example.org"))
    assert refusal(own.create_open_id_connect_provider, Url="https://idp.example.org") == (403, "AccessDenied")
    assert refusal(own.get_open_id_connect_provider, OpenIDConnectProviderArn=provider_arn("idp.example.org")) == (403, "AccessDenied")
    own.delete_open_id_connect_provider(OpenIDConnectProviderArn=provider_arn("olga.example.org"))


def test_tokens_of_a_provider_get_credentials_until_it_is_deleted(node, iam, issuer):
    b, name = bucket_of(node, "of-provider"), provider_arn(issuer.name)
    role(iam, issuer, "made-by-api")
    invalid = (400, "InvalidIdentityToken")
    assert refused(node, "made-by-api", issuer.token()) == invalid
    assert issuer.requests == [], "nothing is fetched for an issuer that nobody named"
    iam.create_open_id_connect_provider(Url=issuer.url, ClientIDList=["cairn"], ThumbprintList=[thumbprint(issuer)])
    answer = assume(node, "made-by-api", issuer.token())
    assert answer["Provider"] == name and answer["Audience"] == "cairn" and answer["SubjectFromWebIdentityToken"] == "repo:team/app"
    made = answer["Credentials"]
    s3 = boto3.client("s3", endpoint_url=node.url(), region_name="us-east-1", aws_access_key_id=made["AccessKeyId"], aws_secret_access_key=made["SecretAccessKey"],
                      aws_session_token=made["SessionToken"], config=Config(s3={"addressing_style": "path"}))
    s3.put_object(Bucket=b, Key="a", Body=b"bytes")
    # What the provider says holds at once.
    assert refused(node, "made-by-api", issuer.token(aud="other")) == invalid
    iam.add_client_id_to_open_id_connect_provider(OpenIDConnectProviderArn=name, ClientID="other")
    assume(node, "made-by-api", issuer.token(aud="other"))
    iam.remove_client_id_from_open_id_connect_provider(OpenIDConnectProviderArn=name, ClientID="cairn")
    assert refused(node, "made-by-api", issuer.token()) == invalid
    assert issuer.fetches() == 1, "its keys are kept"
    iam.delete_open_id_connect_provider(OpenIDConnectProviderArn=name)
    assert refused(node, "made-by-api", issuer.token(aud="other")) == invalid


def test_thumbprints_name_certificates_that_are_trusted(node, iam, issuer):
    name = provider_arn(issuer.name)
    role(iam, issuer, "by-thumbprint")
    iam.create_open_id_connect_provider(Url=issuer.url, ClientIDList=["cairn"])
    assert refused(node, "by-thumbprint", issuer.token()) == (400, "IDPCommunicationError"), "no system trusts it"
    iam.update_open_id_connect_provider_thumbprint(OpenIDConnectProviderArn=name, ThumbprintList=[OTHER])
    assert refused(node, "by-thumbprint", issuer.token()) == (400, "IDPCommunicationError")
    assert issuer.requests == []
    iam.update_open_id_connect_provider_thumbprint(OpenIDConnectProviderArn=name, ThumbprintList=[OTHER, thumbprint(issuer)])
    assume(node, "by-thumbprint", issuer.token())
    # A certificate of the thumbprint is still one of its host's name.
    elsewhere = f"127.1:{issuer.server.server_port}/team"  # the same address
    iam.create_open_id_connect_provider(Url=f"https://{elsewhere}", ClientIDList=["cairn"], ThumbprintList=[thumbprint(issuer)])
    fetched = len(issuer.requests)
    assert refused(node, "by-thumbprint", issuer.token(iss=f"https://{elsewhere}")) == (400, "IDPCommunicationError")
    assert len(issuer.requests) == fetched


def test_a_host_that_is_not_found_is_told_in_bounded_time(node, iam, issuer):
    role(iam, issuer, "nowhere")
    iam.create_open_id_connect_provider(Url="https://nowhere.invalid", ClientIDList=["cairn"])
    began = time.monotonic()
    assert refused(node, "nowhere", issuer.token(iss="https://nowhere.invalid")) == (400, "IDPCommunicationError")
    assert time.monotonic() - began < 12
    iam.delete_open_id_connect_provider(OpenIDConnectProviderArn=provider_arn("nowhere.invalid"))


def test_the_command_lines_manage_providers(node, iam, issuer):
    env = signed_environment(CAIRN_ENDPOINT=node.url())

    def cairn(*arguments):
        done = subprocess.run([BINARY, "oidc-provider", *arguments], env=env, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert provider_arn(issuer.name) in cairn("create", issuer.url, "--client-ids", "cairn,more", "--thumbprints", thumbprint(issuer))
    assert provider_arn(issuer.name) in cairn("list")
    cairn("remove-client", issuer.name, "more")
    cairn("add-client", provider_arn(issuer.name), "third")
    cairn("thumbprints", issuer.name, f"{OTHER},{thumbprint(issuer)}")
    shown = json.loads(cairn("show", issuer.name, "--json"))
    assert shown["ClientIDList"] == ["cairn", "third"] and shown["ThumbprintList"] == [OTHER, thumbprint(issuer)]
    role(iam, issuer, "by-cli")
    assume(node, "by-cli", issuer.token())
    aws = [program("aws"), "--endpoint-url", node.url(), "iam"]
    found = subprocess.run([*aws, "get-open-id-connect-provider", "--open-id-connect-provider-arn", provider_arn(issuer.name)], env=env, capture_output=True, text=True)
    assert found.returncode == 0, found.stderr
    assert json.loads(found.stdout)["Url"] == issuer.name
    cairn("delete", issuer.name)
    listed = subprocess.run([*aws, "list-open-id-connect-providers"], env=env, capture_output=True, text=True)
    assert provider_arn(issuer.name) not in listed.stdout and listed.returncode == 0
