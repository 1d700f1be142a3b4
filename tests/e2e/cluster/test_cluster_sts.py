"""Temporary credentials that one node made are good on all others at once, until their role says otherwise."""
import hashlib
import json
import ssl

from identities import ACCOUNT, allow, arn, boto3, iam_of, user_with_key
from issuer import Issuer
from rights import GUARDED, denied
from s3_client import once_all_nodes_know
from signing import call


def test_credentials_of_one_node_work_on_the_others(make_cluster):
    cluster = make_cluster(3, **GUARDED)
    first, second, third = cluster.nodes
    assert call(first, "PUT", "/vault").status == 200 and call(first, "PUT", "/vault/k", b"bytes").status == 200
    trust = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": arn("user/ann")}, "Action": "sts:AssumeRole"}]})
    once_all_nodes_know(iam_of(second).create_role, 30, RoleName="backup", AssumeRolePolicyDocument=trust)
    key = user_with_key(iam_of(third), "ann")
    for made_at, asked_at in ((first, second), (second, third), (third, first)) * 2:
        iam_of(made_at).put_role_policy(RoleName="backup", PolicyName="own", PolicyDocument=allow("s3:*"))
        sts = boto3.client("sts", endpoint_url=made_at.url(), region_name="us-east-1", aws_access_key_id=key[0], aws_secret_access_key=key[1])
        made = sts.assume_role(RoleArn=arn("role/backup"), RoleSessionName="nightly")["Credentials"]
        pair, token = (made["AccessKeyId"], made["SecretAccessKey"]), {"x-amz-security-token": made["SessionToken"]}
        assert call(asked_at, "GET", "/vault/k", key=pair, **token).body == b"bytes"
        assert call(asked_at, "PUT", "/vault/new", b"x", pair, **token).status == 200
        iam_of(made_at).delete_role_policy(RoleName="backup", PolicyName="own")
        assert denied(call(asked_at, "GET", "/vault/k", key=pair, **token))


def test_tags_and_providers_that_one_node_made_are_there_on_the_others(make_cluster, tmp_path):
    issuer = Issuer(tmp_path)
    try:
        first, second, third = make_cluster(3, **GUARDED).nodes
        assert call(first, "PUT", "/vault").status == 200 and call(first, "PUT", "/vault/k", b"bytes").status == 200
        thumbprint = hashlib.sha1(ssl.PEM_cert_to_DER_cert(issuer.certificate.read_text())).hexdigest()
        once_all_nodes_know(iam_of(first).create_open_id_connect_provider, 30, Url=issuer.url, ClientIDList=["cairn"], ThumbprintList=[thumbprint])
        trust = json.dumps({"Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Action": ["sts:AssumeRoleWithWebIdentity", "sts:TagSession"],
            "Principal": {"Federated": f"arn:aws:iam::{ACCOUNT}:oidc-provider/{issuer.name}"}}]})
        iam_of(second).create_role(RoleName="ci", AssumeRolePolicyDocument=trust)
        own = allow("s3:*", Condition={"StringEquals": {"aws:PrincipalTag/team": "blue"}})
        iam_of(third).put_role_policy(RoleName="ci", PolicyName="own", PolicyDocument=own)
        for made_at, asked_at in ((first, second), (second, third), (third, first)):
            sts = boto3.client("sts", endpoint_url=made_at.url(), region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x")
            for team in ("blue", "red"):
                token = issuer.token(**{"https://aws.amazon.com/tags": {"principal_tags": {"team": [team]}}})
                made = sts.assume_role_with_web_identity(RoleArn=arn("role/ci"), RoleSessionName="build", WebIdentityToken=token)["Credentials"]
                pair, header = (made["AccessKeyId"], made["SecretAccessKey"]), {"x-amz-security-token": made["SessionToken"]}
                for answer in (call(asked_at, "GET", "/vault/k", key=pair, **header), call(asked_at, "PUT", "/vault/new", b"x", pair, **header)):
                    assert answer.status == 200 if team == "blue" else denied(answer)
    finally:
        issuer.stop()


def test_each_node_takes_tokens_of_web_identities(make_cluster, tmp_path):
    issuer = Issuer(tmp_path)
    try:
        cluster = make_cluster(3, auth_oidc=[issuer.settings()], **GUARDED)
        first, second, third = cluster.nodes
        assert call(first, "PUT", "/vault").status == 200 and call(first, "PUT", "/vault/k", b"bytes").status == 200
        trust = json.dumps({"Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Action": "sts:AssumeRoleWithWebIdentity",
            "Principal": {"Federated": f"arn:aws:iam::{ACCOUNT}:oidc-provider/{issuer.name}"}}]})
        once_all_nodes_know(iam_of(second).create_role, 30, RoleName="ci", AssumeRolePolicyDocument=trust)
        iam_of(third).put_role_policy(RoleName="ci", PolicyName="own", PolicyDocument=allow("s3:GetObject"))
        for made_at, asked_at in ((first, second), (second, third), (third, first)):
            sts = boto3.client("sts", endpoint_url=made_at.url(), region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x")
            made = sts.assume_role_with_web_identity(RoleArn=arn("role/ci"), RoleSessionName="build", WebIdentityToken=issuer.token())["Credentials"]
            pair, token = (made["AccessKeyId"], made["SecretAccessKey"]), {"x-amz-security-token": made["SessionToken"]}
            assert call(asked_at, "GET", "/vault/k", key=pair, **token).body == b"bytes"
            assert denied(call(asked_at, "PUT", "/vault/new", b"x", pair, **token))
    finally:
        issuer.stop()
