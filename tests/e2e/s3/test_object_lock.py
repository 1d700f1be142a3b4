"""Object lock as S3 has it, with boto3, the AWS command line and by hand: who can lock, who can see it, and that nobody gets
around it: no delete, no rule, no copy, no restart, no other node of a cluster."""
import datetime
import json
import subprocess
import time

import pytest

from cairn_node import eventually
from client_programs import client
from rights import delete_many, denied, key_with, policy_of, statement
from s3_client import botocore, client_of, refusal
from signing import ROOT, call, post, signed

FAR = datetime.datetime(2099, 1, 1, tzinfo=datetime.timezone.utc)
FARTHER = datetime.datetime(2100, 1, 1, tzinfo=datetime.timezone.utc)
FAR_TEXT = "2099-01-01T00:00:00.000Z"
DENIED = (403, "AccessDenied")


@pytest.fixture
def locked(s3, bucket):
    """A bucket with object lock on the shared node."""
    s3.create_bucket(Bucket=bucket + "-locked", ObjectLockEnabledForBucket=True)
    return bucket + "-locked"


def in_future(seconds):
    return datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=seconds)


def default(mode, **period):
    return {"ObjectLockEnabled": "Enabled", "Rule": {"DefaultRetention": {"Mode": mode, **period}}}


# Buckets


def test_a_bucket_with_object_lock_is_versioned_for_ever(s3, locked):
    assert s3.get_bucket_versioning(Bucket=locked)["Status"] == "Enabled"
    assert s3.get_object_lock_configuration(Bucket=locked)["ObjectLockConfiguration"] == {"ObjectLockEnabled": "Enabled"}
    suspended = {"Status": "Suspended"}
    assert refusal(s3.put_bucket_versioning, Bucket=locked, VersioningConfiguration=suspended) == (409, "InvalidBucketState")
    s3.put_bucket_versioning(Bucket=locked, VersioningConfiguration={"Status": "Enabled"})
    for wanted in (default("GOVERNANCE", Days=1), default("COMPLIANCE", Years=3), {"ObjectLockEnabled": "Enabled"}):
        s3.put_object_lock_configuration(Bucket=locked, ObjectLockConfiguration=wanted)
        assert s3.get_object_lock_configuration(Bucket=locked)["ObjectLockConfiguration"] == wanted


def test_object_lock_is_enabled_later_on_a_versioned_bucket(s3, bucket):
    wanted = default("GOVERNANCE", Days=1)
    assert refusal(s3.get_object_lock_configuration, Bucket=bucket) == (404, "ObjectLockConfigurationNotFoundError")
    assert refusal(s3.put_object_lock_configuration, Bucket=bucket, ObjectLockConfiguration=wanted) == (409, "InvalidBucketState")
    s3.put_object(Bucket=bucket, Key="old", Body=b"null version")
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    s3.put_object_lock_configuration(Bucket=bucket, ObjectLockConfiguration=wanted)
    assert "ObjectLockMode" not in s3.head_object(Bucket=bucket, Key="old")
    s3.put_object_retention(Bucket=bucket, Key="old", VersionId="null", Retention={"Mode": "COMPLIANCE", "RetainUntilDate": FAR})
    s3.put_object(Bucket=bucket, Key="old", Body=b"another")
    assert refusal(s3.delete_object, Bucket=bucket, Key="old", VersionId="null") == DENIED
    assert s3.get_object(Bucket=bucket, Key="old", VersionId="null")["Body"].read() == b"null version"


@pytest.mark.parametrize("configuration, code", [
    (default("GOVERNANCE", Days=0), "InvalidRetentionPeriod"), (default("GOVERNANCE", Years=-1), "InvalidRetentionPeriod"),
    (default("GOVERNANCE", Days=40_000), "InvalidRetentionPeriod"), (default("GOVERNANCE", Days=1, Years=1), "MalformedXML"),
    (default("governance", Days=1), "MalformedXML"), (default("GOVERNANCE"), "MalformedXML"),
    ({"ObjectLockEnabled": "Disabled"}, "MalformedXML")])
def test_configurations_that_are_none_are_refused(s3, locked, configuration, code):
    assert refusal(s3.put_object_lock_configuration, Bucket=locked, ObjectLockConfiguration=configuration) == (400, code)


def test_a_default_retention_is_given_to_each_new_version(s3, locked):
    s3.put_object_lock_configuration(Bucket=locked, ObjectLockConfiguration=default("GOVERNANCE", Days=1))
    before = time.time()
    version = s3.put_object(Bucket=locked, Key="k", Body=b"1")["VersionId"]
    seen = s3.head_object(Bucket=locked, Key="k")
    assert seen["ObjectLockMode"] == "GOVERNANCE" and "ObjectLockLegalHoldStatus" not in seen
    assert before - 1 <= seen["ObjectLockRetainUntilDate"].timestamp() - 86_400 <= time.time() + 1
    s3.copy_object(Bucket=locked, Key="copy", CopySource={"Bucket": locked, "Key": "k"})
    upload = s3.create_multipart_upload(Bucket=locked, Key="parts")["UploadId"]
    part = {"PartNumber": 1, "ETag": s3.upload_part(Bucket=locked, Key="parts", UploadId=upload, PartNumber=1, Body=b"x")["ETag"]}
    s3.complete_multipart_upload(Bucket=locked, Key="parts", UploadId=upload, MultipartUpload={"Parts": [part]})
    for key in ("copy", "parts"):
        assert s3.get_object_retention(Bucket=locked, Key=key)["Retention"]["Mode"] == "GOVERNANCE"
    assert refusal(s3.delete_object, Bucket=locked, Key="k", VersionId=version) == DENIED


# What protects


def test_a_protected_version_can_be_hidden_but_not_removed(s3, locked):
    version = s3.put_object(Bucket=locked, Key="k", Body=b"kept", ObjectLockMode="COMPLIANCE", ObjectLockRetainUntilDate=FAR)["VersionId"]
    free = s3.put_object(Bucket=locked, Key="other", Body=b"free")["VersionId"]
    seen = s3.get_object(Bucket=locked, Key="k")
    assert (seen["ObjectLockMode"], seen["ObjectLockRetainUntilDate"]) == ("COMPLIANCE", FAR)
    assert refusal(s3.delete_object, Bucket=locked, Key="k", VersionId=version) == DENIED
    assert refusal(s3.delete_object, Bucket=locked, Key="k", VersionId=version, BypassGovernanceRetention=True) == DENIED
    both = s3.delete_objects(Bucket=locked, BypassGovernanceRetention=True, Delete={"Objects": [
        {"Key": "k", "VersionId": version}, {"Key": "other", "VersionId": free}]})
    assert [e["Key"] for e in both["Deleted"]] == ["other"]
    assert [(e["Key"], e["VersionId"], e["Code"]) for e in both["Errors"]] == [("k", version, "AccessDenied")]
    marker = s3.delete_object(Bucket=locked, Key="k")
    assert marker["DeleteMarker"] is True and refusal(s3.get_object, Bucket=locked, Key="k") == (404, "NoSuchKey")
    assert refusal(s3.put_object_retention, Bucket=locked, Key="k", VersionId=marker["VersionId"],
                   Retention={"Mode": "GOVERNANCE", "RetainUntilDate": FAR}) == (405, "MethodNotAllowed")
    assert refusal(s3.delete_bucket, Bucket=locked) == (409, "BucketNotEmpty")
    s3.delete_object(Bucket=locked, Key="k", VersionId=marker["VersionId"])
    s3.put_object(Bucket=locked, Key="k", Body=b"newer")
    assert s3.get_object(Bucket=locked, Key="k", VersionId=version)["Body"].read() == b"kept"


def test_a_retention_ends(s3, locked):
    until = in_future(2)
    version = s3.put_object(Bucket=locked, Key="k", Body=b"1", ObjectLockMode="COMPLIANCE", ObjectLockRetainUntilDate=until)["VersionId"]
    assert refusal(s3.delete_object, Bucket=locked, Key="k", VersionId=version) == DENIED
    time.sleep(2.1)
    s3.delete_object(Bucket=locked, Key="k", VersionId=version)
    assert refusal(s3.head_object, Bucket=locked, Key="k", VersionId=version)[0] == 404


def test_a_legal_hold_has_no_end_but_can_be_taken_off(s3, locked):
    version = s3.put_object(Bucket=locked, Key="k", Body=b"1", ObjectLockLegalHoldStatus="ON")["VersionId"]
    assert s3.head_object(Bucket=locked, Key="k")["ObjectLockLegalHoldStatus"] == "ON"
    assert refusal(s3.delete_object, Bucket=locked, Key="k", VersionId=version, BypassGovernanceRetention=True) == DENIED
    s3.put_object_legal_hold(Bucket=locked, Key="k", LegalHold={"Status": "OFF"})
    assert s3.get_object_legal_hold(Bucket=locked, Key="k", VersionId=version)["LegalHold"] == {"Status": "OFF"}
    assert s3.head_object(Bucket=locked, Key="k")["ObjectLockLegalHoldStatus"] == "OFF"
    s3.delete_object(Bucket=locked, Key="k", VersionId=version)


def test_a_retention_can_be_made_longer_but_not_shorter(s3, locked):
    version = s3.put_object(Bucket=locked, Key="k", Body=b"1")["VersionId"]
    absent = (404, "NoSuchObjectLockConfiguration")
    assert refusal(s3.get_object_retention, Bucket=locked, Key="k") == absent
    assert refusal(s3.get_object_legal_hold, Bucket=locked, Key="k") == absent

    def change(mode, until, **more):
        return {"Bucket": locked, "Key": "k", "Retention": {"Mode": mode, "RetainUntilDate": until}, **more}
    s3.put_object_retention(**change("GOVERNANCE", FAR))
    assert refusal(s3.put_object_retention, **change("GOVERNANCE", in_future(60))) == DENIED
    assert refusal(s3.put_object_retention, **change("COMPLIANCE", FARTHER)) == DENIED
    s3.put_object_retention(**change("GOVERNANCE", FARTHER))
    s3.put_object_retention(**change("GOVERNANCE", FAR, BypassGovernanceRetention=True))
    assert s3.get_object_retention(Bucket=locked, Key="k")["Retention"] == {"Mode": "GOVERNANCE", "RetainUntilDate": FAR}
    s3.put_object_retention(Bucket=locked, Key="k", Retention={}, BypassGovernanceRetention=True)
    assert refusal(s3.get_object_retention, Bucket=locked, Key="k") == absent
    s3.put_object_retention(**change("COMPLIANCE", FAR, VersionId=version))
    for mode, until in (("COMPLIANCE", in_future(60)), ("GOVERNANCE", FARTHER)):
        assert refusal(s3.put_object_retention, **change(mode, until, BypassGovernanceRetention=True)) == DENIED
    assert refusal(s3.put_object_retention, Bucket=locked, Key="k", Retention={}, BypassGovernanceRetention=True) == DENIED
    s3.put_object_retention(**change("COMPLIANCE", FARTHER))
    assert s3.head_object(Bucket=locked, Key="k")["ObjectLockRetainUntilDate"] == FARTHER


def test_lifecycle_rules_remove_nothing_that_is_protected(start_node):
    s3 = client_of(start_node(debug_lifecycle_day="1s"))
    s3.create_bucket(Bucket="locked", ObjectLockEnabledForBucket=True)
    kept = [s3.put_object(Bucket="locked", Key="k", Body=b"1", ObjectLockMode="GOVERNANCE", ObjectLockRetainUntilDate=FAR)["VersionId"],
            s3.put_object(Bucket="locked", Key="k", Body=b"2", ObjectLockLegalHoldStatus="ON")["VersionId"]]
    s3.put_object(Bucket="locked", Key="k", Body=b"3")
    s3.put_object(Bucket="locked", Key="k", Body=b"4")
    s3.put_bucket_lifecycle_configuration(Bucket="locked", LifecycleConfiguration={"Rules": [
        {"Status": "Enabled", "Filter": {}, "Expiration": {"Days": 1}, "NoncurrentVersionExpiration": {"NoncurrentDays": 1}}]})

    def left():
        page = s3.list_object_versions(Bucket="locked")
        return sorted(v["VersionId"] for v in page["Versions"]), len(page.get("DeleteMarkers", []))
    eventually(lambda: left() == (sorted(kept), 1), seconds=40, what="all but the protected versions are gone")
    time.sleep(5)
    assert left() == (sorted(kept), 1)


def test_locks_survive_a_kill(start_node):
    n = start_node()
    s3 = client_of(n)
    s3.create_bucket(Bucket="locked", ObjectLockEnabledForBucket=True)
    version = s3.put_object(Bucket="locked", Key="k", Body=b"1", ObjectLockMode="COMPLIANCE", ObjectLockRetainUntilDate=FAR)["VersionId"]
    n.kill()
    n.start()
    assert s3.head_object(Bucket="locked", Key="k")["ObjectLockRetainUntilDate"] == FAR
    assert refusal(s3.delete_object, Bucket="locked", Key="k", VersionId=version) == DENIED


# What is refused


def test_a_lock_needs_a_bucket_with_object_lock(s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"1")
    missing = (400, "InvalidRequest")
    retention = {"Mode": "GOVERNANCE", "RetainUntilDate": FAR}
    assert refusal(s3.put_object_retention, Bucket=bucket, Key="k", Retention=retention) == missing
    assert refusal(s3.get_object_retention, Bucket=bucket, Key="k") == missing
    assert refusal(s3.put_object_legal_hold, Bucket=bucket, Key="k", LegalHold={"Status": "ON"}) == missing
    assert refusal(s3.get_object_legal_hold, Bucket=bucket, Key="k") == missing
    lock = {"ObjectLockMode": "GOVERNANCE", "ObjectLockRetainUntilDate": FAR}
    assert refusal(s3.put_object, Bucket=bucket, Key="new", Body=b"1", **lock) == missing
    assert refusal(s3.put_object, Bucket=bucket, Key="new", Body=b"1" * 2_000_000, **lock) == missing
    assert refusal(s3.create_multipart_upload, Bucket=bucket, Key="new", ObjectLockLegalHoldStatus="ON") == missing
    assert refusal(s3.copy_object, Bucket=bucket, Key="new", CopySource={"Bucket": bucket, "Key": "k"}, **lock) == missing
    assert [o["Key"] for o in s3.list_objects_v2(Bucket=bucket)["Contents"]] == ["k"]


@pytest.mark.parametrize("headers", [
    {"x-amz-object-lock-mode": "GOVERNANCE"}, {"x-amz-object-lock-retain-until-date": FAR_TEXT},
    {"x-amz-object-lock-mode": "governance", "x-amz-object-lock-retain-until-date": FAR_TEXT},
    {"x-amz-object-lock-mode": "GOVERNANCE", "x-amz-object-lock-retain-until-date": "tomorrow"},
    {"x-amz-object-lock-mode": "GOVERNANCE", "x-amz-object-lock-retain-until-date": "2020-01-01T00:00:00Z"},
    {"x-amz-object-lock-legal-hold": "on"}])
def test_headers_that_make_no_lock_are_refused(node, locked, headers):
    answer = node.request("PUT", f"/{locked}/k", b"1", headers)
    assert (answer.status, answer.code()) == (400, "InvalidArgument")
    assert node.get(f"/{locked}/k").status == 404


@pytest.mark.parametrize("what, body, code", [
    ("retention", "", "MalformedXML"), ("retention", "<Retention><Mode>GOVERNANCE</Mode></Retention>", "MalformedXML"),
    ("retention", f"<Retention><Mode>abc</Mode><RetainUntilDate>{FAR_TEXT}</RetainUntilDate></Retention>", "MalformedXML"),
    ("retention", "<Retention><Mode>GOVERNANCE</Mode><RetainUntilDate>2020-01-01T00:00:00Z</RetainUntilDate></Retention>", "InvalidArgument"),
    ("legal-hold", "<LegalHold><Status>abc</Status></LegalHold>", "MalformedXML")])
def test_documents_that_make_no_lock_are_refused(node, locked, what, body, code):
    node.put(f"/{locked}/k", b"1")
    answer = node.request("PUT", f"/{locked}/k?{what}", body.encode() or None)
    assert (answer.status, answer.code()) == (400, code)


# Rights


def test_who_may_lock_who_may_see_it_and_who_may_bypass(guarded):
    assert call(guarded, "PUT", "/rights", x_amz_bucket_object_lock_enabled="true").status == 200
    reader, writer = key_with(guarded, "rights", "read"), key_with(guarded, "rights", "write")
    owner = key_with(guarded, "rights", "read", "write", "owner")
    lock = {"x_amz_object_lock_mode": "GOVERNANCE", "x_amz_object_lock_retain_until_date": FAR_TEXT}
    put = call(guarded, "PUT", "/rights/k", b"1", writer, **lock)
    assert put.status == 200
    version = put.header("x-amz-version-id")
    seen = call(guarded, "HEAD", "/rights/k", key=reader)
    assert (seen.header("x-amz-object-lock-mode"), seen.header("x-amz-object-lock-retain-until-date")) == ("GOVERNANCE", FAR_TEXT)
    assert call(guarded, "GET", "/rights/k?retention", key=reader).status == 200
    assert denied(call(guarded, "GET", "/rights/k?retention", key=writer))
    hold = b"<LegalHold><Status>ON</Status></LegalHold>"
    assert denied(call(guarded, "PUT", "/rights/k?legal-hold", hold, reader)) and denied(call(guarded, "PUT", "/rights/k?legal-hold", hold, None))
    configuration = b"<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled></ObjectLockConfiguration>"
    assert denied(call(guarded, "PUT", "/rights?object-lock", configuration, writer))
    assert call(guarded, "PUT", "/rights?object-lock", configuration, owner).status == 200
    assert call(guarded, "GET", "/rights?object-lock", key=reader).status == 200
    one = f"/rights/k?versionId={version}"
    assert denied(call(guarded, "DELETE", one, key=owner))
    assert denied(call(guarded, "DELETE", one, key=writer, x_amz_bypass_governance_retention="true"))

    policy = policy_of(statement("rights", "s3:BypassGovernanceRetention", "Deny"))
    assert call(guarded, "PUT", "/rights?policy", policy).status == 204
    for who in (owner, ROOT):
        assert denied(call(guarded, "DELETE", one, key=who, x_amz_bypass_governance_retention="true"))
    assert b"AccessDenied" in delete_many(guarded, "rights", [("k", version)], owner).body
    assert call(guarded, "DELETE", "/rights?policy").status == 204
    assert call(guarded, "DELETE", one, key=owner, x_amz_bypass_governance_retention="true").status == 204


def test_a_policy_bounds_retentions(guarded):
    assert call(guarded, "PUT", "/bounded", x_amz_bucket_object_lock_enabled="true").status == 200
    writer = key_with(guarded, "bounded", "write", "read")
    policy = policy_of(statement("bounded", "s3:PutObjectRetention", "Deny", resource="arn:aws:s3:::bounded/*", Condition={
        "NumericGreaterThan": {"s3:object-lock-remaining-retention-days": "10"}}))
    assert call(guarded, "PUT", "/bounded?policy", policy).status == 204

    def retained(days):
        text = in_future(days * 86_400 - 60).strftime("%Y-%m-%dT%H:%M:%SZ")
        put = call(guarded, "PUT", "/bounded/k", b"1", writer, x_amz_object_lock_mode="GOVERNANCE", x_amz_object_lock_retain_until_date=text)
        document = f"<Retention><Mode>GOVERNANCE</Mode><RetainUntilDate>{text}</RetainUntilDate></Retention>".encode()
        call(guarded, "PUT", "/bounded/other", b"1", writer)
        return put.status, call(guarded, "PUT", "/bounded/other?retention", document, writer).status
    assert retained(10) == (200, 200)
    assert retained(11) == (403, 403)


def test_forms_lock_what_they_upload(guarded):
    assert call(guarded, "PUT", "/forms", x_amz_bucket_object_lock_enabled="true").status == 200
    fields = {"key": "k", "x-amz-object-lock-mode": "COMPLIANCE", "x-amz-object-lock-retain-until-date": FAR_TEXT}
    done = post(guarded, "forms", signed("forms", [{name: value} for name, value in fields.items()], fields))
    assert done.status == 204, done
    assert call(guarded, "HEAD", "/forms/k").header("x-amz-object-lock-mode") == "COMPLIANCE"
    assert denied(call(guarded, "DELETE", f"/forms/k?versionId={done.header('x-amz-version-id')}",
                       x_amz_bypass_governance_retention="true"))


# Clients


def test_awscli(node, bucket, tmp_path):
    (tmp_path / "f").write_bytes(b"bytes")
    name = bucket + "-cli"

    def aws(*arguments, good=True):
        done = subprocess.run([client("aws"), "--no-sign-request", "--endpoint-url", node.url(), "--region", "us-east-1", "s3api", *arguments],
                              capture_output=True, text=True, timeout=120)
        assert (done.returncode == 0) == good, done
        return json.loads(done.stdout) if done.stdout.strip() else done.stderr
    aws("create-bucket", "--bucket", name, "--object-lock-enabled-for-bucket")
    aws("put-object-lock-configuration", "--bucket", name, "--object-lock-configuration", json.dumps(default("GOVERNANCE", Days=2)))
    assert aws("get-object-lock-configuration", "--bucket", name)["ObjectLockConfiguration"] == default("GOVERNANCE", Days=2)
    version = aws("put-object", "--bucket", name, "--key", "k", "--body", str(tmp_path / "f"))["VersionId"]
    assert aws("get-object-retention", "--bucket", name, "--key", "k")["Retention"]["Mode"] == "GOVERNANCE"
    assert "AccessDenied" in aws("delete-object", "--bucket", name, "--key", "k", "--version-id", version, good=False)
    aws("put-object-legal-hold", "--bucket", name, "--key", "k", "--legal-hold", "Status=ON")
    assert "AccessDenied" in aws("delete-object", "--bucket", name, "--key", "k", "--version-id", version, "--bypass-governance-retention",
                                 good=False)
    aws("put-object-legal-hold", "--bucket", name, "--key", "k", "--legal-hold", "Status=OFF")
    aws("delete-object", "--bucket", name, "--key", "k", "--version-id", version, "--bypass-governance-retention")


# Clusters


def test_a_lock_holds_on_every_node_and_ends_by_the_clocks_of_a_majority(make_cluster):
    cluster = make_cluster(3)
    clients = [client_of(n) for n in cluster.nodes]

    def made():
        try:
            clients[0].create_bucket(Bucket="locked", ObjectLockEnabledForBucket=True)
        except botocore.exceptions.ClientError as why:
            assert why.response["Error"]["Code"] == "NotImplemented"  # until all nodes are known to be of this version
            return False
        return True
    eventually(made, seconds=30, every=0.5, what="the bucket is made")
    until = in_future(5)
    ends = clients[1].put_object(Bucket="locked", Key="a", Body=b"1", ObjectLockMode="COMPLIANCE", ObjectLockRetainUntilDate=until)["VersionId"]
    stays = clients[1].put_object(Bucket="locked", Key="b", Body=b"1", ObjectLockMode="COMPLIANCE", ObjectLockRetainUntilDate=FAR)["VersionId"]
    for s3 in clients:
        assert refusal(s3.delete_object, Bucket="locked", Key="a", VersionId=ends) == DENIED
        assert s3.head_object(Bucket="locked", Key="b")["ObjectLockRetainUntilDate"] == FAR

    def removed():
        try:
            clients[2].delete_object(Bucket="locked", Key="a", VersionId=ends)
        except botocore.exceptions.ClientError as why:
            assert why.response["Error"]["Code"] == "AccessDenied"
            return False
        assert in_future(0) >= until
        return True
    eventually(removed, seconds=90, every=1, what="the retention ends")
    for s3 in clients:
        assert refusal(s3.delete_object, Bucket="locked", Key="b", VersionId=stays) == DENIED
