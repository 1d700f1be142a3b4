"""Versions of objects, with boto3 and by hand."""
import os

import pytest
from s3_client import client_of, refusal


@pytest.fixture
def versioned(s3, bucket):
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    return bucket


def shown(s3, bucket, **more):
    page = s3.list_object_versions(Bucket=bucket, **more)
    every = [(v["Key"], v["VersionId"], v["IsLatest"], "object") for v in page.get("Versions", [])]
    every += [(v["Key"], v["VersionId"], v["IsLatest"], "marker") for v in page.get("DeleteMarkers", [])]
    return sorted(every)


def body(s3, **arguments):
    return s3.get_object(**arguments)["Body"].read()


def test_every_version_is_kept_and_read_by_its_id(s3, versioned):
    assert s3.get_bucket_versioning(Bucket=versioned)["Status"] == "Enabled"
    small = s3.put_object(Bucket=versioned, Key="k", Body=b"one")["VersionId"]
    data = os.urandom(3_000_000)
    large = s3.put_object(Bucket=versioned, Key="k", Body=data)["VersionId"]
    last = s3.put_object(Bucket=versioned, Key="k", Body=b"three")["VersionId"]
    assert len({small, large, last}) == 3
    assert body(s3, Bucket=versioned, Key="k", VersionId=large) == data
    assert body(s3, Bucket=versioned, Key="k", VersionId=small) == b"one"
    ranged = s3.get_object(Bucket=versioned, Key="k", VersionId=large, Range="bytes=1000000-1000099")
    assert ranged["Body"].read() == data[1000000:1000100] and ranged["VersionId"] == large
    newest = s3.get_object(Bucket=versioned, Key="k")
    assert newest["Body"].read() == b"three" and newest["VersionId"] == last
    assert s3.head_object(Bucket=versioned, Key="k", VersionId=small)["ContentLength"] == 3
    assert refusal(s3.get_object, Bucket=versioned, Key="k", VersionId="nonsense") == (400, "InvalidArgument")
    assert refusal(s3.get_object, Bucket=versioned, Key="k", VersionId="0" * 24) == (404, "NoSuchVersion")


def test_deletes_leave_a_marker_that_can_be_taken_away(node, s3, versioned):
    first = s3.put_object(Bucket=versioned, Key="k", Body=b"one")["VersionId"]
    gone = s3.delete_object(Bucket=versioned, Key="k")
    assert gone["DeleteMarker"] is True and gone["VersionId"] != first
    assert refusal(s3.get_object, Bucket=versioned, Key="k") == (404, "NoSuchKey")
    hidden = node.get(f"/{versioned}/k")
    assert (hidden.header("x-amz-delete-marker"), hidden.header("x-amz-version-id")) == ("true", gone["VersionId"])
    assert node.get(f"/{versioned}/never-there").header("x-amz-delete-marker") is None
    marker = node.get(f"/{versioned}/k?versionId={gone['VersionId']}")
    assert marker.status == 405 and marker.header("x-amz-delete-marker") == "true"
    assert body(s3, Bucket=versioned, Key="k", VersionId=first) == b"one"
    assert "Contents" not in s3.list_objects_v2(Bucket=versioned)
    assert shown(s3, versioned) == sorted([("k", first, False, "object"), ("k", gone["VersionId"], True, "marker")])
    back = s3.delete_object(Bucket=versioned, Key="k", VersionId=gone["VersionId"])
    assert back["DeleteMarker"] is True and body(s3, Bucket=versioned, Key="k") == b"one"
    assert refusal(s3.delete_bucket, Bucket=versioned) == (409, "BucketNotEmpty")
    many = s3.delete_objects(Bucket=versioned, Delete={"Objects": [{"Key": "k"}, {"Key": "k", "VersionId": first}]})
    assert many["Deleted"][0]["DeleteMarker"] is True and many["Deleted"][1]["VersionId"] == first
    for version in s3.list_object_versions(Bucket=versioned)["DeleteMarkers"]:
        s3.delete_object(Bucket=versioned, Key="k", VersionId=version["VersionId"])
    assert shown(s3, versioned) == []
    s3.delete_bucket(Bucket=versioned)
    node.bucket(versioned)


def test_suspended_buckets_have_one_null_version(s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"before")
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    kept = s3.put_object(Bucket=bucket, Key="k", Body=b"kept")["VersionId"]
    assert body(s3, Bucket=bucket, Key="k", VersionId="null") == b"before"
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Suspended"})
    assert "VersionId" not in s3.put_object(Bucket=bucket, Key="k", Body=b"null 1")
    s3.put_object(Bucket=bucket, Key="k", Body=b"null 2")
    assert body(s3, Bucket=bucket, Key="k", VersionId="null") == b"null 2"
    assert shown(s3, bucket) == sorted([("k", kept, False, "object"), ("k", "null", True, "object")])
    assert s3.delete_object(Bucket=bucket, Key="k")["VersionId"] == "null"
    assert shown(s3, bucket) == sorted([("k", kept, False, "object"), ("k", "null", True, "marker")])
    assert body(s3, Bucket=bucket, Key="k", VersionId=kept) == b"kept"


def test_uploads_copies_tags_and_attributes_know_versions(s3, versioned):
    upload = s3.create_multipart_upload(Bucket=versioned, Key="k")["UploadId"]
    part = s3.upload_part(Bucket=versioned, Key="k", UploadId=upload, PartNumber=1, Body=b"x" * 100)
    first = s3.complete_multipart_upload(Bucket=versioned, Key="k", UploadId=upload,
                                         MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]})["VersionId"]
    second = s3.put_object(Bucket=versioned, Key="k", Body=b"two")["VersionId"]
    restored = s3.copy_object(Bucket=versioned, Key="k", CopySource={"Bucket": versioned, "Key": "k", "VersionId": first})
    assert restored["CopySourceVersionId"] == first and restored["VersionId"] not in (first, second)
    assert body(s3, Bucket=versioned, Key="k") == b"x" * 100
    s3.put_object_tagging(Bucket=versioned, Key="k", VersionId=second, Tagging={"TagSet": [{"Key": "a", "Value": "b"}]})
    assert s3.get_object_tagging(Bucket=versioned, Key="k")["TagSet"] == []
    assert s3.get_object_tagging(Bucket=versioned, Key="k", VersionId=second)["TagSet"] == [{"Key": "a", "Value": "b"}]
    tags = {"TagSet": [{"Key": "c", "Value": "d"}]}
    for version in (second, restored["VersionId"]):
        named = {"VersionId": second} if version == second else {}
        assert s3.put_object_tagging(Bucket=versioned, Key="k", Tagging=tags, **named)["VersionId"] == version
        assert s3.get_object_tagging(Bucket=versioned, Key="k", **named)["VersionId"] == version
        assert s3.delete_object_tagging(Bucket=versioned, Key="k", **named)["VersionId"] == version
    upload = s3.create_multipart_upload(Bucket=versioned, Key="parts")["UploadId"]
    for source in (first, second):  # with a blob of its own, and within its row
        copied = s3.upload_part_copy(Bucket=versioned, Key="parts", UploadId=upload, PartNumber=1,
                                     CopySource={"Bucket": versioned, "Key": "k", "VersionId": source})
        assert copied["CopySourceVersionId"] == source
    bad = s3.delete_objects(Bucket=versioned, Delete={"Objects": [{"Key": "k", "VersionId": "nonsense"}]})["Errors"]
    assert [(e["Code"], e["VersionId"]) for e in bad] == [("NoSuchVersion", "nonsense")]
    assert s3.get_object_attributes(Bucket=versioned, Key="k", VersionId=second, ObjectAttributes=["ObjectSize"])["ObjectSize"] == 3


def test_listing_versions_page_by_page(s3, versioned):
    for i in range(4):
        for key in ("a/1", "b", "c+d é"):
            s3.put_object(Bucket=versioned, Key=key, Body=str(i).encode())
    s3.delete_object(Bucket=versioned, Key="b")
    every = shown(s3, versioned)
    assert len(every) == 13
    for size in (1, 2, 5, 13):
        seen, marker = [], {}
        while True:
            page = s3.list_object_versions(Bucket=versioned, MaxKeys=size, **marker)
            seen += [(v["Key"], v["VersionId"], v["IsLatest"], "object") for v in page.get("Versions", [])]
            seen += [(v["Key"], v["VersionId"], v["IsLatest"], "marker") for v in page.get("DeleteMarkers", [])]
            if not page["IsTruncated"]:
                break
            marker = {"KeyMarker": page["NextKeyMarker"], "VersionIdMarker": page["NextVersionIdMarker"]}
        assert sorted(seen) == every, size
    folded = s3.list_object_versions(Bucket=versioned, Delimiter="/")
    assert [p["Prefix"] for p in folded["CommonPrefixes"]] == ["a/"] and len(folded["Versions"]) == 8
    assert len(shown(s3, versioned, Prefix="a/")) == 4


def test_unversioned_buckets_list_null_versions(s3, bucket):
    assert "VersionId" not in s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    assert shown(s3, bucket) == [("k", "null", True, "object")]
    assert body(s3, Bucket=bucket, Key="k", VersionId="null") == b"x"
    s3.delete_object(Bucket=bucket, Key="k", VersionId="null")
    assert shown(s3, bucket) == []


def test_versions_survive_a_restart_and_give_their_space_back(start_node):
    n = start_node(storage_chunk_size="64KiB")
    s3 = client_of(n)
    s3.put_bucket_versioning(Bucket="files", VersioningConfiguration={"Status": "Enabled"})
    bodies = [os.urandom(500_000) for _ in range(3)]
    ids = [s3.put_object(Bucket="files", Key="k", Body=b)["VersionId"] for b in bodies]
    s3.delete_object(Bucket="files", Key="k")
    n.stop()
    n.start()
    s3 = client_of(n)
    for version, data in zip(ids, bodies):
        assert body(s3, Bucket="files", Key="k", VersionId=version) == data
    for version in shown(s3, "files"):
        s3.delete_object(Bucket="files", Key="k", VersionId=version[1])
    from cairn_node import eventually
    eventually(lambda: n.metric("cairn_disk_chunks") == 0 if hasattr(n, "metric") else True, 30, what="the chunks are gone")
