"""`cairn import s3`: object lock, access control lists, users and their policies, from one node into another."""
import datetime
import json
import stat

import pytest

from identities import allow, iam_of, s3_of, user_with_key
from importing import SIGNED, run, same_versions, versioning
from signing import ROOT

boto3 = pytest.importorskip("boto3")

LOCKED = "<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled>{}</ObjectLockConfiguration>"
RULE = "<Rule><DefaultRetention><Mode>GOVERNANCE</Mode><Days>3</Days></DefaultRetention></Rule>"


def until(days):
    return (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def lock_of(node, path):
    answer = node.head(path)
    return tuple(answer.header(f"x-amz-object-lock-{name}") for name in ("mode", "retain-until-date", "legal-hold"))


def test_object_lock_goes_with_each_version(two):
    source, target = two
    source.bucket("vault")
    versioning(source, "vault", "Enabled")
    source.put("/vault/before", b"no lock")
    assert source.request("PUT", "/vault?object-lock", LOCKED.format(RULE)).status == 200
    date = until(5)
    source.put("/vault/kept", b"v1", x_amz_object_lock_mode="COMPLIANCE", x_amz_object_lock_retain_until_date=date)
    source.put("/vault/held", b"v1", x_amz_object_lock_legal_hold="ON")
    said = run(target, source, "--bucket", "vault")
    assert "object lock" in said and "retention" not in said and " 0 differ" in said
    same_versions(source, target, "vault")
    for key in ("before", "kept", "held"):
        assert lock_of(source, f"/vault/{key}") == lock_of(target, f"/vault/{key}"), key
    assert lock_of(target, "/vault/kept")[:2] == ("COMPLIANCE", date)
    assert lock_of(target, "/vault/before")[0] is None, "the default retention is not that of older versions"
    assert b"<Days>3</Days>" in target.get("/vault?object-lock").body

    # Locked later: the copy follows; it is not unlocked, unless told so.
    assert source.request("PUT", "/vault/before?legal-hold", "<LegalHold><Status>ON</Status></LegalHold>").status == 200
    said = run(target, source, "--bucket", "vault")
    assert "copied 0 objects" in said and "locks of 1 older copy" in said
    assert lock_of(target, "/vault/before")[2] == "ON"
    assert source.request("PUT", "/vault/before?legal-hold", "<LegalHold><Status>OFF</Status></LegalHold>").status == 200
    assert "vault/before: the target's version has a stronger lock" in run(target, source, "--bucket", "vault", status=1)
    run(target, source, "--bucket", "vault", "--overwrite")
    assert lock_of(target, "/vault/before")[2] != "ON"


def test_access_lists_and_ownership(two):
    source, target = two
    source.bucket("open")
    source.request("PUT", "/open?acl", headers={"x-amz-acl": "public-read"})
    source.put("/open/k", b"x", x_amz_acl="public-read")
    source.put("/open/private", b"x")
    said = run(target, source, "--bucket", "open", "--acls")
    assert "access control list" in said.split("carried over: ")[1].splitlines()[0]
    for path in ("/open?acl", "/open/k?acl", "/open/private?acl"):
        assert source.get(path).body == target.get(path).body

    source.bucket("owned")
    controls = "<OwnershipControls><Rule><ObjectOwnership>BucketOwnerEnforced</ObjectOwnership></Rule></OwnershipControls>"
    assert source.request("PUT", "/owned?ownershipControls", controls).status == 200
    source.request("PUT", "/owned?lifecycle", "<LifecycleConfiguration><Rule><ID>r</ID><Filter><Prefix>a/</Prefix></Filter>"
                   "<Status>Enabled</Status><Expiration><Days>9</Days></Expiration></Rule></LifecycleConfiguration>")
    said = run(target, source, "--bucket", "owned")
    assert "lifecycle, object ownership" in said
    assert b"BucketOwnerEnforced" in target.get("/owned?ownershipControls").body
    assert b"<Days>9</Days>" in target.get("/owned?lifecycle").body


def test_users_groups_and_policies_by_iam(guarded_two, tmp_path):
    source, target = guarded_two
    iam = iam_of(source)
    iam.create_policy(PolicyName="reads", PolicyDocument=allow("s3:GetObject"), Path="/p/")
    iam.create_policy(PolicyName="no-deletes", PolicyDocument=allow("s3:DeleteObject", effect="Deny"))
    arns = {p["PolicyName"]: p["Arn"] for p in iam.list_policies()["Policies"]}
    iam.create_group(GroupName="devs")
    iam.put_group_policy(GroupName="devs", PolicyName="own", PolicyDocument=allow("s3:ListBucket"))
    iam.attach_group_policy(GroupName="devs", PolicyArn=arns["no-deletes"])
    ann = user_with_key(iam, "ann", Path="/team/", Tags=[{"Key": "k", "Value": "v w"}])
    iam.add_user_to_group(GroupName="devs", UserName="ann")
    iam.attach_user_policy(UserName="ann", PolicyArn=arns["reads"])
    iam.put_user_policy(UserName="ann", PolicyName="in", PolicyDocument=allow("s3:PutObject", "arn:aws:s3:::files/*"))
    s3_of(source, ROOT).create_bucket(Bucket="files")
    s3_of(source, ROOT).put_object(Bucket="files", Key="k", Body=b"data")

    said = run(target, source, "--users", "--dry-run", environment=SIGNED)
    assert "would carry over user ann" in said and not iam_of(target).list_users()["Users"]
    said = run(target, source, "--users", environment=SIGNED)
    assert f"not carried over: user ann: access key {ann[0]}: the source does not tell its secret" in said
    there = iam_of(target)
    assert there.get_user(UserName="ann")["User"]["Tags"] == [{"Key": "k", "Value": "v w"}]
    assert there.get_user(UserName="ann")["User"]["Path"] == "/team/"
    assert [g["GroupName"] for g in there.list_groups_for_user(UserName="ann")["Groups"]] == ["devs"]
    assert there.get_user_policy(UserName="ann", PolicyName="in")["PolicyDocument"] == iam.get_user_policy(UserName="ann", PolicyName="in")["PolicyDocument"]
    assert there.list_attached_group_policies(GroupName="devs")["AttachedPolicies"][0]["PolicyArn"] == arns["no-deletes"]
    assert there.list_attached_user_policies(UserName="ann")["AttachedPolicies"][0]["PolicyArn"] == arns["reads"]
    run(target, source, "--users", "--strict", environment=SIGNED, status=1)

    keys = tmp_path / "keys.csv"
    said = run(target, source, "--users", "--make-keys", keys, environment=SIGNED)
    assert "users, groups and policies: 1 change" in said and stat.S_IMODE(keys.stat().st_mode) == 0o600
    name, key, secret = keys.read_text().splitlines()[1].split(",")
    assert name == '"ann"' and s3_of(target, (key, secret)).get_object(Bucket="files", Key="k")["Body"].read() == b"data"
    before = keys.read_text()
    assert "users, groups and policies: 0 changes, 4 the same" in run(target, source, "--users", "--make-keys", keys, "--strict", environment=SIGNED)
    assert keys.read_text() == before

    # Another document of the same name is not replaced unless told so.
    iam.put_user_policy(UserName="ann", PolicyName="in", PolicyDocument=allow("s3:GetObject"))
    assert "user ann: policy in: the target has another document" in run(target, source, "--users", environment=SIGNED, status=1)
    run(target, source, "--users", "--overwrite", environment=SIGNED)
    assert there.get_user_policy(UserName="ann", PolicyName="in")["PolicyDocument"]["Statement"][0]["Action"] == "s3:GetObject"


def test_users_with_their_keys_of_minios_export(guarded_two, tmp_path):
    source, target = guarded_two
    s3_of(source, ROOT).create_bucket(Bucket="files")
    s3_of(source, ROOT).put_object(Bucket="files", Key="k", Body=b"data")
    folder = tmp_path / "iam-assets"
    folder.mkdir()
    document = {"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": ["s3:GetObject"], "Resource": ["arn:aws:s3:::files/*"]},
        {"Effect": "Allow", "Action": ["admin:ServerInfo"]}]}
    unknown = {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": ["s3:NoSuchAction"], "Resource": ["arn:aws:s3:::*"]}]}
    files = {
        "policies": {"reads": document, "readwrite": {}, "odd": unknown},
        "users": {"ann": {"secretKey": "ann-secret", "status": "enabled"}, "bob": {"secretKey": "bob-secret", "status": "disabled"},
                  "eve": {"secretKey": "eve-secret", "status": "enabled"}},
        "groups": {"devs": {"version": 1, "status": "enabled", "members": ["ann", "bob"]}},
        "svcaccts": {"S1": {"parent": "ann", "accessKey": "S1", "secretKey": "s1-secret-0", "sessionPolicy": None, "status": "on"}},
        "user_mappings": {"eve": {"version": 1, "policy": "odd,reads"}},
        "group_mappings": {"devs": {"version": 1, "policy": "reads"}},
        "stsuser_mappings": {"cn=carl": {"version": 1, "policy": "reads"}},
    }
    for name, content in files.items():
        (folder / f"{name}.json").write_text(json.dumps(content))
    said = run(target, source, "--minio-iam", tmp_path, environment=SIGNED, status=1)
    assert "policy reads: actions of other services: admin:ServerInfo" in said and "policies of cn=carl (reads)" in said
    # What denies something to eve is refused, so she gets nothing.
    assert "failed: policy odd: MalformedPolicyDocument" in said and "user eve: access key eve: left out" in said
    assert not iam_of(target).list_attached_user_policies(UserName="eve")["AttachedPolicies"]
    for key in (("ann", "ann-secret"), ("S1", "s1-secret-0")):
        assert s3_of(target, key).get_object(Bucket="files", Key="k")["Body"].read() == b"data"
    assert [k["Status"] for k in iam_of(target).list_access_keys(UserName="bob")["AccessKeyMetadata"]] == ["Inactive"]
    for name in ("policies", "user_mappings"):
        files[name].pop("odd" if name == "policies" else "eve")
        (folder / f"{name}.json").write_text(json.dumps(files[name]))
    said = run(target, source, "--minio-iam", tmp_path, environment=SIGNED)
    assert "0 failed" in said
    assert "users.json" in run(target, source, "--minio-iam", tmp_path / "nothing", environment=SIGNED, status=1)


def create_known_key(node, key, user, known="brought"):
    """The code of the refusal; None: it was made."""
    from botocore.auth import SigV4Auth
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials
    body = f"Action=CreateAccessKey&Version=2010-05-08&UserName={user}&AccessKeyId={known}&SecretAccessKey=secret-of-maker"
    request = AWSRequest("POST", node.url("/"), {"Content-Type": "application/x-www-form-urlencoded"}, body)
    SigV4Auth(Credentials(*key), "iam", "us-east-1").add_auth(request)
    answer = node.request("POST", "/", body.encode(), dict(request.headers.items()))
    return None if answer.status == 200 else answer.code()


def test_only_the_root_key_brings_keys_along(guarded):
    iam = iam_of(guarded)
    iam.create_user(UserName="maker")
    iam.put_user_policy(UserName="maker", PolicyName="all", PolicyDocument=allow("iam:*"))
    made = iam.create_access_key(UserName="maker")["AccessKey"]
    key = made["AccessKeyId"], made["SecretAccessKey"]
    assert create_known_key(guarded, key, "maker") == "AccessDenied"
    assert create_known_key(guarded, ROOT, "maker", ROOT[0]) == "EntityAlreadyExists"
    assert create_known_key(guarded, ROOT, "maker") is None
    iam_of(guarded, ("brought", "secret-of-maker")).get_user(UserName="maker")


def test_a_server_without_iam_is_said_to_have_none(two, between):
    source, target = two
    source.bucket("files9")
    said = run(target, between(source, lambda method, path, number: 501 if method == "POST" else None).url(),
               "--bucket", "files9", "--users", status=1)
    assert "failed: users, groups and policies: users of the source" in said and "bucket files9" in said
