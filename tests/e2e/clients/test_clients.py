"""S3 clients as Debian ships them, without credentials: what they do by default works."""
import base64
import hashlib
import os
import subprocess
import zlib

import pytest

from cairn_node import MIB
from client_programs import client, digests, environment, tree_of
from s3_client import refusal


def test_boto3_lists_in_both_versions(s3, bucket):
    keys = [f"a/{i}" for i in range(5)] + ["b c", "d+e", "é/x", "z\x01"]
    for key in keys:
        s3.put_object(Bucket=bucket, Key=key, Body=b"x")
    wanted = sorted(keys, key=str.encode)
    for operation in ("list_objects", "list_objects_v2"):
        pages = list(s3.get_paginator(operation).paginate(Bucket=bucket, PaginationConfig={"PageSize": 2}))
        assert [c["Key"] for page in pages for c in page["Contents"]] == wanted, operation
        assert len(pages) == 5
        folded = list(s3.get_paginator(operation).paginate(Bucket=bucket, Delimiter="/", PaginationConfig={"PageSize": 1}))
        assert [p["Prefix"] for page in folded for p in page.get("CommonPrefixes", [])] == ["a/", "é/"], operation
    first = s3.list_objects(Bucket=bucket, MaxKeys=1)
    assert first["IsTruncated"] and "NextMarker" not in first and first["Marker"] == ""
    assert first["Contents"][0]["Owner"] == {"ID": "cairn", "DisplayName": "cairn"}
    assert s3.list_objects(Bucket=bucket, MaxKeys=1, Delimiter="/")["NextMarker"] == "a/"
    assert "Owner" not in s3.list_objects_v2(Bucket=bucket)["Contents"][0]
    assert s3.list_objects_v2(Bucket=bucket, FetchOwner=True)["Contents"][0]["Owner"]["ID"] == "cairn"
    assert [c["Key"] for c in s3.list_objects_v2(Bucket=bucket, StartAfter="d")["Contents"]] == wanted[wanted.index("d+e"):]
    whole = s3.list_objects_v2(Bucket=bucket, ContinuationToken="")
    assert whole["ContinuationToken"] == "" and whole["KeyCount"] == len(keys)


def test_boto3_deletes_many_objects(s3, bucket):
    keys = [f"k&<{i}>" for i in range(50)] + [" ", "é"]
    for key in keys:
        s3.put_object(Bucket=bucket, Key=key, Body=b"x")
    s3.put_object(Bucket=bucket, Key="kept", Body=b"x")
    done = s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": k} for k in keys + ["absent"]]})
    assert [d["Key"] for d in done["Deleted"]] == keys + ["absent"] and "Errors" not in done
    assert [c["Key"] for c in s3.list_objects_v2(Bucket=bucket)["Contents"]] == ["kept"]
    quiet = s3.delete_objects(Bucket=bucket, Delete={"Quiet": True, "Objects": [{"Key": "kept"}, {"Key": "k" * 1025}]})
    assert "Deleted" not in quiet and [e["Code"] for e in quiet["Errors"]] == ["KeyTooLongError"]
    assert refusal(s3.delete_objects, Bucket="absent-" + bucket, Delete={"Objects": [{"Key": "k"}]}) == (404, "NoSuchBucket")
    too_many = {"Objects": [{"Key": f"{i}"} for i in range(1001)]}
    assert refusal(s3.delete_objects, Bucket=bucket, Delete=too_many) == (400, "MalformedXML")


def test_boto3_reads_settings_that_were_never_made(s3, bucket):
    assert s3.get_bucket_location(Bucket=bucket)["LocationConstraint"] is None
    assert "Status" not in s3.get_bucket_versioning(Bucket=bucket)
    assert "Uploads" not in s3.list_multipart_uploads(Bucket=bucket)
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    for acl in (s3.get_bucket_acl(Bucket=bucket), s3.get_object_acl(Bucket=bucket, Key="k")):
        assert acl["Owner"]["ID"] == "cairn" and [g["Permission"] for g in acl["Grants"]] == ["FULL_CONTROL"]
        assert acl["Grants"][0]["Grantee"]["Type"] == "CanonicalUser"
    s3.put_bucket_acl(Bucket=bucket, ACL="private")
    assert refusal(s3.put_object_acl, Bucket=bucket, Key="k", ACL="aws-exec-read") == (501, "NotImplemented")
    assert s3.get_object_tagging(Bucket=bucket, Key="k")["TagSet"] == []
    for call, code in ((s3.get_bucket_policy, "NoSuchBucketPolicy"), (s3.get_bucket_cors, "NoSuchCORSConfiguration"),
                       (s3.get_bucket_lifecycle_configuration, "NoSuchLifecycleConfiguration"),
                       (s3.get_bucket_tagging, "NoSuchTagSet"), (s3.get_bucket_website, "NoSuchWebsiteConfiguration"),
                       (s3.get_bucket_encryption, "ServerSideEncryptionConfigurationNotFoundError"),
                       (s3.get_object_lock_configuration, "ObjectLockConfigurationNotFoundError")):
        assert refusal(call, Bucket=bucket) == (404, code)
    assert refusal(s3.get_bucket_acl, Bucket="absent-" + bucket) == (404, "NoSuchBucket")
    assert refusal(s3.put_bucket_policy, Bucket=bucket, Policy="{}") == (400, "MalformedPolicy")


@pytest.mark.parametrize("size", [0, 1000, 3 * MIB + 7])
def test_checksums_are_checked_kept_and_told(node, bucket, size):
    body = os.urandom(size)
    sums = {
        "x-amz-checksum-crc32": zlib.crc32(body).to_bytes(4, "big"),
        "x-amz-checksum-sha1": hashlib.sha1(body).digest(),
        "x-amz-checksum-sha256": hashlib.sha256(body).digest(),
    }
    for name, digest in sums.items():
        right = base64.b64encode(digest).decode()
        stored = node.request("PUT", f"/{bucket}/k", body, {name: right})
        assert stored.status == 200 and stored.header(name) == right, stored
        told = node.request("HEAD", f"/{bucket}/k", headers={"x-amz-checksum-mode": "ENABLED"})
        assert told.header(name) == right and told.header("x-amz-checksum-type") == "FULL_OBJECT"
        assert node.head(f"/{bucket}/k").header(name) is None
        wrong = base64.b64encode(bytes(b ^ 1 for b in digest)).decode()
        refused = node.request("PUT", f"/{bucket}/refused", body, {name: wrong})
        assert (refused.status, refused.code()) == (400, "BadDigest")
    assert node.keys(bucket) == ["k"]


def test_boto3_reads_the_only_part_and_names_the_only_storage_class(s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"hello", StorageClass="REDUCED_REDUNDANCY", ACL="private")
    assert s3.get_object(Bucket=bucket, Key="k", PartNumber=1)["Body"].read() == b"hello"
    assert s3.head_object(Bucket=bucket, Key="k", PartNumber=1)["ContentLength"] == 5
    assert refusal(s3.get_object, Bucket=bucket, Key="k", PartNumber=2) == (400, "InvalidPart")
    assert refusal(s3.put_object, Bucket=bucket, Key="k", StorageClass="GLACIER") == (400, "InvalidStorageClass")
    for wish in ({"ServerSideEncryption": "AES256"}, {"ACL": "aws-exec-read"}):
        assert refusal(s3.put_object, Bucket=bucket, Key="k", **wish) == (501, "NotImplemented")
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"hello"


def test_awscli_carries_a_tree_there_and_back(node, bucket, tmp_path):
    source, back = tree_of(tmp_path / "source"), tmp_path / "back"
    settings = environment(AWS_DEFAULT_REGION="us-east-1", AWS_EC2_METADATA_DISABLED="true",
                           AWS_CONFIG_FILE=str(tmp_path / "none"))

    def aws(*arguments):
        command = [client("aws"), "--no-sign-request", "--endpoint-url", node.url(), *arguments]
        done = subprocess.run(command, capture_output=True, timeout=240, env=settings, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout

    aws("s3", "sync", "--only-show-errors", str(source), f"s3://{bucket}/tree")
    aws("s3", "sync", "--only-show-errors", f"s3://{bucket}/tree", str(back))
    assert digests(back) == digests(source)
    assert "PRE tree/" in aws("s3", "ls", f"s3://{bucket}/")
    aws("s3", "rm", "--recursive", "--only-show-errors", f"s3://{bucket}/tree")
    assert node.keys(bucket) == []


def test_rclone_carries_a_tree_there_and_back(node, bucket, tmp_path):
    source, back = tree_of(tmp_path / "source"), tmp_path / "back"
    remote = f":s3,provider=Other,endpoint='{node.url()}',env_auth=false:{bucket}/tree"

    def rclone(*arguments):
        command = [client("rclone"), "--config", str(tmp_path / "none"), "--retries", "1", *arguments]
        done = subprocess.run(command, capture_output=True, timeout=240, env=environment(), text=True)
        assert done.returncode == 0, done.stderr

    rclone("copy", str(source), remote)
    rclone("check", str(source), remote)
    rclone("copy", remote, str(back))
    assert digests(back) == digests(source)
    rclone("purge", remote)
    assert node.keys(bucket) == []
