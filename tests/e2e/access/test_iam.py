"""Users, groups and policies as clients of AWS's IAM manage them, and what users may do with buckets and objects."""
import json
import os
import shlex
import subprocess

import pytest

from cairn_node import BINARY, KIB
from held import Held
from identities import allow, arn, iam_of, s3_of, user_with_key
from rights import GUARDED, bucket_of, denied, key_with, put_policy, statement
from s3_client import refusal
from signing import ACCESS, SECRET, call
from usage import lines_of


@pytest.fixture(scope="module")
def iam(guarded):
    return iam_of(guarded)


def test_a_user_may_do_what_its_policies_say(guarded, iam):
    b = bucket_of(guarded, "of-ann")
    key = user_with_key(iam, "ann", Path="/team/")
    assert denied(call(guarded, "PUT", f"/{b}/a", b"x", key)) and denied(call(guarded, "GET", "/", key=key))
    made = iam.create_policy(PolicyName="uploads", PolicyDocument=allow(["s3:PutObject", "s3:GetObject"], f"arn:aws:s3:::{b}/${{aws:username}}/*"))
    policy = made["Policy"]["Arn"]
    assert policy == arn("policy/uploads")
    iam.attach_user_policy(UserName="ann", PolicyArn=policy)
    assert call(guarded, "PUT", f"/{b}/ann/a", b"bytes", key).status == 200 and call(guarded, "GET", f"/{b}/ann/a", key=key).body == b"bytes"
    assert denied(call(guarded, "PUT", f"/{b}/bob/a", b"x", key)) and denied(call(guarded, "DELETE", f"/{b}/ann/a", key=key))
    assert denied(call(guarded, "GET", f"/{b}", key=key))
    iam.put_user_policy(UserName="ann", PolicyName="lists", PolicyDocument=allow(["s3:ListBucket", "s3:ListAllMyBuckets"]))
    assert call(guarded, "GET", f"/{b}", key=key).status == 200 and b.encode() in call(guarded, "GET", "/", key=key).body
    # A group adds, an explicit deny of any policy takes.
    iam.create_group(GroupName="cleaners")
    iam.put_group_policy(GroupName="cleaners", PolicyName="deletes", PolicyDocument=allow("s3:DeleteObject"))
    iam.add_user_to_group(GroupName="cleaners", UserName="ann")
    assert call(guarded, "DELETE", f"/{b}/ann/none", key=key).status == 204
    put_policy(guarded, b, statement(b, "s3:DeleteObject", "Deny", principal={"AWS": arn("user/team/ann")}))
    assert denied(call(guarded, "DELETE", f"/{b}/ann/none", key=key))
    put_policy(guarded, b, statement(b, "s3:GetObject", principal={"AWS": arn("user/team/ann")}))
    assert call(guarded, "PUT", f"/{b}/elsewhere", b"of root").status == 200
    assert call(guarded, "GET", f"/{b}/elsewhere", key=key).body == b"of root"
    iam.put_user_policy(UserName="ann", PolicyName="never", PolicyDocument=allow("s3:GetObject", effect="Deny"))
    assert denied(call(guarded, "GET", f"/{b}/elsewhere", key=key))
    # An inactive key is nobody's.
    iam.update_access_key(UserName="ann", AccessKeyId=key[0], Status="Inactive")
    assert call(guarded, "GET", f"/{b}", key=key).code() == "InvalidAccessKeyId"
    iam.update_access_key(UserName="ann", AccessKeyId=key[0], Status="Active")
    assert call(guarded, "GET", f"/{b}", key=key).status == 200


def test_a_user_makes_buckets_uploads_in_parts_copies_and_deletes_many(guarded, iam):
    key = user_with_key(iam, "maker")
    s3 = s3_of(guarded, key)
    assert refusal(s3.create_bucket, Bucket="made-by-maker") == (403, "AccessDenied")
    iam.put_user_policy(UserName="maker", PolicyName="own", PolicyDocument=allow("s3:*", ["arn:aws:s3:::made-*"]))
    s3.create_bucket(Bucket="made-by-maker")
    s3.create_bucket(Bucket="made-by-maker")  # is the account's, and so its own
    assert refusal(s3.create_bucket, Bucket="other-bucket") == (403, "AccessDenied")
    upload = s3.create_multipart_upload(Bucket="made-by-maker", Key="parts")["UploadId"]
    part = s3.upload_part(Bucket="made-by-maker", Key="parts", UploadId=upload, PartNumber=1, Body=b"part")
    s3.complete_multipart_upload(Bucket="made-by-maker", Key="parts", UploadId=upload, MultipartUpload={"Parts": [{"ETag": part["ETag"], "PartNumber": 1}]})
    s3.copy_object(Bucket="made-by-maker", Key="copy", CopySource="made-by-maker/parts", Tagging="a=b", TaggingDirective="REPLACE")
    assert s3.get_object(Bucket="made-by-maker", Key="copy")["Body"].read() == b"part"
    iam.put_user_policy(UserName="maker", PolicyName="keep", PolicyDocument=allow("s3:DeleteObject", "arn:aws:s3:::made-by-maker/parts", "Deny"))
    gone = s3.delete_objects(Bucket="made-by-maker", Delete={"Objects": [{"Key": "parts"}, {"Key": "copy"}]})
    assert [d["Key"] for d in gone["Deleted"]] == ["copy"] and [(e["Key"], e["Code"]) for e in gone["Errors"]] == [("parts", "AccessDenied")]
    iam.delete_user_policy(UserName="maker", PolicyName="keep")
    s3.delete_object(Bucket="made-by-maker", Key="parts")
    s3.delete_bucket(Bucket="made-by-maker")


def test_a_detached_policy_ends_requests_that_are_held(guarded, iam):
    b = bucket_of(guarded, "held-by-users")
    key = user_with_key(iam, "holder")
    policy = iam.create_policy(PolicyName="holds", PolicyDocument=allow("s3:PutObject", f"arn:aws:s3:::{b}/*"))["Policy"]["Arn"]

    def hold(name):
        return Held(guarded, "PUT", f"/{b}/{name}", b"x" * 10 * KIB, key=key)
    iam.attach_user_policy(UserName="holder", PolicyArn=policy)
    held = hold("kept")
    assert held.finish().status == 200
    endings = [lambda: iam.detach_user_policy(UserName="holder", PolicyArn=policy),
               lambda: iam.update_access_key(UserName="holder", AccessKeyId=key[0], Status="Inactive"),
               lambda: iam.put_user_policy(UserName="holder", PolicyName="no", PolicyDocument=allow("s3:*", effect="Deny")),
               lambda: iam.create_policy_version(PolicyArn=policy, PolicyDocument=allow("s3:GetObject"), SetAsDefault=True)]
    undo = [lambda: iam.attach_user_policy(UserName="holder", PolicyArn=policy),
            lambda: iam.update_access_key(UserName="holder", AccessKeyId=key[0], Status="Active"),
            lambda: iam.delete_user_policy(UserName="holder", PolicyName="no"),
            lambda: iam.set_default_policy_version(PolicyArn=policy, VersionId="v1")]
    for n, (end, again) in enumerate(zip(endings, undo)):
        held = hold(f"held-{n}")
        end()
        assert held.finish().status == 403, n
        assert call(guarded, "GET", f"/{b}/held-{n}").status == 404
        again()
        assert hold(f"held-{n}").finish().status == 200, n


def test_who_may_call(guarded, iam):
    key = user_with_key(iam, "caller")
    own = iam_of(guarded, key)
    for refused, more in ((own.create_user, {"UserName": "eve"}), (own.get_user, {}), (own.list_users, {}), (own.delete_user, {"UserName": "nobody"}),
                          (own.create_access_key, {})):
        assert refusal(refused, **more) == (403, "AccessDenied")
    iam.put_user_policy(UserName="caller", PolicyName="own-keys", PolicyDocument=allow(["iam:*AccessKey*", "iam:GetUser"], arn("user/${aws:username}")))
    assert own.get_user()["User"]["UserName"] == "caller"
    second = own.create_access_key()["AccessKey"]
    assert {k["AccessKeyId"] for k in own.list_access_keys()["AccessKeyMetadata"]} == {key[0], second["AccessKeyId"]}
    assert refusal(own.create_access_key) == (409, "LimitExceeded")
    own.delete_access_key(AccessKeyId=second["AccessKeyId"])
    iam.create_user(UserName="other")
    assert refusal(own.create_access_key, UserName="other") == (403, "AccessDenied")
    # A key that belongs to nobody, a deleted one, a wrong secret, the root key.
    b = bucket_of(guarded, "for-keys")
    assert refusal(iam_of(guarded, key_with(guarded, b, "read", "write", "owner")).list_users) == (403, "AccessDenied")
    assert refusal(iam_of(guarded, ("AKIANOBODY", "secret")).list_users) == (403, "InvalidClientTokenId")
    assert refusal(iam_of(guarded, (key[0], "wrong")).list_users) == (403, "SignatureDoesNotMatch")
    assert iam.get_user()["User"]["Arn"] == arn("root")
    assert iam_of(guarded, region="eu-central-1").list_users()["Users"]  # IAM has no regions


def test_requests_are_refused_unless_they_are_signed_as_they_are(guarded):
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    body = b"Action=CreateUser&Version=2010-05-08&UserName=eve"
    answer = guarded.request("POST", "/", body, form)
    assert answer.status == 403 and b"<Code>AccessDenied</Code>" in answer.body and b"<ErrorResponse" in answer.body
    assert guarded.request("POST", "/", b"x", {}).status == 400  # no form
    assert call(guarded, "POST", "/", body, Content_Type=form["Content-Type"]).status == 400  # signed for S3
    from botocore.auth import SigV4Auth
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials

    def signed(text):
        request = AWSRequest("POST", guarded.url() + "/", data=text, headers=form)
        SigV4Auth(Credentials(ACCESS, SECRET), "iam", "us-east-1").add_auth(request)
        return dict(request.headers.items())
    assert guarded.request("POST", "/", body + b"2", signed(body)).status == 403  # another body
    assert b"NoSuchEntity" in guarded.request("POST", "/", b"Action=GetUser&Version=2010-05-08&UserName=eve",
                                              signed(b"Action=GetUser&Version=2010-05-08&UserName=eve")).body
    nothing = b"Action=Nothing&Version=2010-05-08"
    assert b"<Code>InvalidAction</Code>" in guarded.request("POST", "/", nothing, signed(nothing)).body


def test_what_is_in_use_is_not_deleted(guarded, iam):
    user_with_key(iam, "used")
    policy = iam.create_policy(PolicyName="in-use", PolicyDocument=allow("s3:GetObject"))["Policy"]["Arn"]
    iam.create_group(GroupName="busy")
    iam.add_user_to_group(GroupName="busy", UserName="used")
    iam.attach_user_policy(UserName="used", PolicyArn=policy)
    iam.attach_group_policy(GroupName="busy", PolicyArn=policy)
    who = iam.list_entities_for_policy(PolicyArn=policy)
    assert [u["UserName"] for u in who["PolicyUsers"]] == ["used"] and [g["GroupName"] for g in who["PolicyGroups"]] == ["busy"]
    assert iam.get_policy(PolicyArn=policy)["Policy"]["AttachmentCount"] == 2
    for refused, name in ((iam.delete_user, {"UserName": "used"}), (iam.delete_group, {"GroupName": "busy"}), (iam.delete_policy, {"PolicyArn": policy})):
        assert refusal(refused, **name) == (409, "DeleteConflict")
    assert refusal(iam.create_user, UserName="USED") == (409, "EntityAlreadyExists")
    assert refusal(iam.get_user, UserName="nobody") == (404, "NoSuchEntity")
    assert refusal(iam.attach_user_policy, UserName="used", PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess") == (404, "NoSuchEntity")
    assert refusal(iam.delete_policy, PolicyArn=arn("policy/elsewhere/in-use")) == (404, "NoSuchEntity")
    assert refusal(iam.create_policy, PolicyName="bad", PolicyDocument="{}") == (400, "MalformedPolicyDocument")
    assert refusal(iam.put_user_policy, UserName="used", PolicyName="bad", PolicyDocument=allow("s3:NoSuchAction")) == (400, "MalformedPolicyDocument")


def test_lists_come_in_pages(iam):
    names = [f"paged-{n:02}" for n in range(25)]
    for n in names:
        iam.create_user(UserName=n, Path="/paged/")
    pages = list(iam.get_paginator("list_users").paginate(PathPrefix="/paged/", PaginationConfig={"PageSize": 10}))
    assert [len(p["Users"]) for p in pages] == [10, 10, 5]
    assert [u["UserName"] for p in pages for u in p["Users"]] == names
    iam.create_group(GroupName="paged")
    for n in names:
        iam.add_user_to_group(GroupName="paged", UserName=n)
    members = list(iam.get_paginator("get_group").paginate(GroupName="paged", PaginationConfig={"PageSize": 20}))
    assert [u["UserName"] for p in members for u in p["Users"]] == names


def test_a_sequence_as_terraform_sends_it(iam):
    """Create, read, update by a new version, read again, delete in order."""
    tags = [{"Key": "team", "Value": "blue"}]
    created = iam.create_user(UserName="tf", Path="/tf/", Tags=tags)["User"]
    read = iam.get_user(UserName="tf")["User"]
    assert (read["Arn"], read["UserId"], read["Tags"]) == (arn("user/tf/tf"), created["UserId"], tags)
    iam.tag_user(UserName="tf", Tags=[{"Key": "team", "Value": "red"}, {"Key": "a", "Value": ""}])
    iam.untag_user(UserName="tf", TagKeys=["a"])
    assert iam.list_user_tags(UserName="tf")["Tags"] == [{"Key": "team", "Value": "red"}]
    before, after = allow("s3:GetObject"), allow(["s3:GetObject", "s3:PutObject"])
    policy = iam.create_policy(PolicyName="tf", Path="/tf/", Description="of Terraform", PolicyDocument=before)["Policy"]["Arn"]
    assert iam.get_policy(PolicyArn=policy)["Policy"]["Description"] == "of Terraform"
    assert iam.get_policy_version(PolicyArn=policy, VersionId="v1")["PolicyVersion"]["Document"] == json.loads(before)
    iam.attach_user_policy(UserName="tf", PolicyArn=policy)
    assert iam.list_attached_user_policies(UserName="tf")["AttachedPolicies"] == [{"PolicyName": "tf", "PolicyArn": policy}]
    made = iam.create_policy_version(PolicyArn=policy, PolicyDocument=after, SetAsDefault=True)["PolicyVersion"]
    assert (made["VersionId"], made["IsDefaultVersion"]) == ("v2", True)
    iam.delete_policy_version(PolicyArn=policy, VersionId="v1")
    assert [(v["VersionId"], v["IsDefaultVersion"]) for v in iam.list_policy_versions(PolicyArn=policy)["Versions"]] == [("v2", True)]
    assert iam.get_policy(PolicyArn=policy)["Policy"]["DefaultVersionId"] == "v2"
    iam.put_user_policy(UserName="tf", PolicyName="inline", PolicyDocument=before)
    assert iam.get_user_policy(UserName="tf", PolicyName="inline")["PolicyDocument"] == json.loads(before)
    key = iam.create_access_key(UserName="tf")["AccessKey"]["AccessKeyId"]
    assert iam.get_access_key_last_used(AccessKeyId=key)["UserName"] == "tf"
    iam.update_user(UserName="tf", NewUserName="tf2")
    assert iam.list_access_keys(UserName="tf2")["AccessKeyMetadata"][0]["UserName"] == "tf2"
    told = iam.simulate_principal_policy(PolicySourceArn=arn("user/tf/tf2"), ActionNames=["s3:PutObject", "s3:DeleteObject"],
                                         ResourceArns=["arn:aws:s3:::b/k"])["EvaluationResults"]
    assert [t["EvalDecision"] for t in told] == ["allowed", "implicitDeny"]
    iam.delete_access_key(UserName="tf2", AccessKeyId=key)
    iam.delete_user_policy(UserName="tf2", PolicyName="inline")
    iam.detach_user_policy(UserName="tf2", PolicyArn=policy)
    iam.delete_policy(PolicyArn=policy)
    iam.delete_user(UserName="tf2")
    assert refusal(iam.get_user, UserName="tf2") == (404, "NoSuchEntity") and refusal(iam.get_policy, PolicyArn=policy) == (404, "NoSuchEntity")


def test_a_small_request_simulates_no_large_answer(guarded):
    iam = iam_of(guarded)
    asked = {"PolicyInputList": [allow("s3:*")], "ActionNames": ["s3:GetObject"] * 300}
    assert refusal(iam.simulate_custom_policy, ResourceArns=["<" * 30000], **asked) == (400, "ValidationError")
    assert len(iam.simulate_custom_policy(ResourceArns=["arn:aws:s3:::b/k"], **asked)["EvaluationResults"]) == 300


def test_they_are_there_after_a_restart(start_node):
    n = start_node(**GUARDED)
    b = bucket_of(n, "kept")
    key = user_with_key(iam_of(n), "keeper")
    iam_of(n).put_user_policy(UserName="keeper", PolicyName="own", PolicyDocument=allow("s3:*"))
    n.kill()
    n.start()
    assert call(n, "PUT", f"/{b}/a", b"x", key).status == 200
    assert [p for p in iam_of(n).list_user_policies(UserName="keeper")["PolicyNames"]] == ["own"]


def test_the_audit_log_names_the_user(start_node, tmp_path):
    log = tmp_path / "audit.log"
    n = start_node(audit_file=str(log), **GUARDED)
    b = bucket_of(n, "audited")
    key = user_with_key(iam_of(n), "writer")
    iam_of(n).put_user_policy(UserName="writer", PolicyName="own", PolicyDocument=allow("s3:PutObject"))
    assert call(n, "PUT", f"/{b}/a", b"x", key).status == 200
    lines = lines_of(log)
    created = next(e for e in lines if e.get("action") == "iam:CreateUser")
    assert (created["who"], created["subject"], created["status"]) == ("root", "writer", 200)
    put = next(e for e in lines if e.get("action") == "s3:PutObject")
    assert (put["user"], put["allowed_by"], put["access_key"]) == ("writer", "identity", key[0])
    assert key[1] not in log.read_text()


def test_awscli_manages_identities(guarded, tmp_path):
    from client_programs import client as debian_client, signed_environment
    aws = debian_client("aws")
    rules = tmp_path / "policy.json"
    rules.write_text(json.dumps(json.loads(allow("s3:GetObject")), indent=2))

    def run(command):
        done = subprocess.run([aws, "--endpoint-url", guarded.url(), "--output", "json", "iam", *shlex.split(command)], capture_output=True, text=True,
                              timeout=60, env=signed_environment())
        assert done.returncode == 0, done
        return json.loads(done.stdout) if done.stdout else None
    run("create-user --user-name cli --path /cli/")
    policy = run(f"create-policy --policy-name cli --policy-document file://{rules}")["Policy"]["Arn"]
    run(f"attach-user-policy --user-name cli --policy-arn {policy}")
    assert run("list-attached-user-policies --user-name cli")["AttachedPolicies"][0]["PolicyName"] == "cli"
    assert run(f"get-policy-version --policy-arn {policy} --version-id v1")["PolicyVersion"]["Document"]["Version"] == "2012-10-17"
    run(f"detach-user-policy --user-name cli --policy-arn {policy}")
    run(f"delete-policy --policy-arn {policy}")
    run("delete-user --user-name cli")


def test_the_command_line_manages_identities(guarded, tmp_path):
    rules = tmp_path / "policy.json"
    rules.write_text(allow("s3:GetObject"))

    def cairn(*arguments, check=True):
        done = subprocess.run([BINARY, *arguments, "--endpoint", guarded.url()], capture_output=True, text=True, timeout=30,
                              env=dict(os.environ, AWS_ACCESS_KEY_ID=ACCESS, AWS_SECRET_ACCESS_KEY=SECRET))
        assert not check or done.returncode == 0, done
        return done.stdout if check else (done.returncode, done.stderr)
    cairn("user", "create", "operator", "--path", "/ops/")
    assert "operator" in cairn("user", "list") and "USERNAME" in cairn("user", "list").upper()
    listed = json.loads(cairn("user", "list", "--path-prefix", "/ops/", "--json"))
    assert [(u["UserName"], u["Path"]) for u in listed] == [("operator", "/ops/")]
    cairn("policy", "create", "ops", str(rules))
    cairn("user", "attach", "operator", "ops")
    assert json.loads(cairn("user", "attached", "operator", "--json"))[0]["PolicyName"] == "ops"
    made = json.loads(cairn("user", "create-key", "operator", "--json"))["AccessKey"]
    assert "Active" in cairn("user", "keys", "operator")
    cairn("user", "disable-key", "operator", made["AccessKeyId"])
    assert "Inactive" in cairn("user", "keys", "operator")
    assert cairn("policy", "update", "ops", str(rules)) and "v2" in cairn("policy", "versions", "ops")
    assert json.loads(cairn("policy", "show-version", "ops", "v1").split("VersionId")[0]) == json.loads(allow("s3:GetObject"))
    code, problem = cairn("user", "delete", "operator", check=False)
    assert code == 1 and "DeleteConflict" in problem
    cairn("group", "create", "crew")
    cairn("group", "add", "crew", "operator")
    assert "operator" in cairn("group", "members", "crew") and "crew" in cairn("user", "groups", "operator")
    cairn("group", "remove", "crew", "operator")
    cairn("group", "delete", "crew")
    cairn("user", "delete-key", "operator", made["AccessKeyId"])
    cairn("user", "detach", "operator", "ops")
    cairn("policy", "delete-version", "ops", "v1")
    cairn("policy", "delete", "ops")
    cairn("user", "delete", "operator")
    assert json.loads(cairn("user", "list", "--path-prefix", "/ops/", "--json")) == []
