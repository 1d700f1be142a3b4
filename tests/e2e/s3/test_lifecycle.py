"""Lifecycle rules come true; a day takes a second here."""
import concurrent.futures
import contextlib
import re
import threading
import time

import pytest

from cairn_node import eventually

boto3 = pytest.importorskip("boto3")
botocore = pytest.importorskip("botocore")
from botocore.config import Config  # noqa: E402


@pytest.fixture
def s3(start_node):
    n = start_node(debug_lifecycle_day="1s")
    config = Config(signature_version=botocore.UNSIGNED, s3={"addressing_style": "path"}, retries={"max_attempts": 1})
    return boto3.client("s3", endpoint_url=n.url(), region_name="us-east-1", config=config)


@contextlib.contextmanager
def in_background(calls, stop):
    with concurrent.futures.ThreadPoolExecutor(len(calls)) as pool:
        running = [pool.submit(call) for call in calls]
        try:
            yield
        finally:
            stop.set()
        for call in running:
            call.result(30)


def rules(s3, *wanted):
    s3.put_bucket_lifecycle_configuration(Bucket="files", LifecycleConfiguration={"Rules": [dict(r, Status="Enabled") for r in wanted]})


def versions(s3):
    page = s3.list_object_versions(Bucket="files")
    return [v["Key"] for v in page.get("Versions", [])], [v["Key"] for v in page.get("DeleteMarkers", [])]


def test_objects_and_uploads_expire(s3):
    for key in ("old/a", "old/b", "kept"):
        s3.put_object(Bucket="files", Key=key, Body=b"x")
    s3.create_multipart_upload(Bucket="files", Key="old/upload")
    s3.create_multipart_upload(Bucket="files", Key="kept")
    rules(s3, {"ID": "old", "Filter": {"Prefix": "old/"}, "Expiration": {"Days": 2},
               "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 2}})
    told = s3.get_bucket_lifecycle_configuration(Bucket="files")["Rules"]
    assert told == [{"ID": "old", "Filter": {"Prefix": "old/"}, "Status": "Enabled", "Expiration": {"Days": 2},
                     "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 2}}]
    eventually(lambda: versions(s3)[0] == ["kept"], 15, what="objects expire")
    eventually(lambda: [u["Key"] for u in s3.list_multipart_uploads(Bucket="files")["Uploads"]] == ["kept"], 15, what="uploads are aborted")
    s3.delete_bucket_lifecycle(Bucket="files")
    s3.put_object(Bucket="files", Key="old/c", Body=b"x")
    time.sleep(4)
    assert versions(s3)[0] == ["kept", "old/c"]


def test_buckets_that_vanish_hold_up_no_other(s3):
    """Buckets are walked last name first; those between come and go while the walk is under way."""
    for name in ["zz-%03d" % i for i in range(150)] + ["aaa"]:
        s3.create_bucket(Bucket=name)
    rule = {"ID": "r", "Status": "Enabled", "Filter": {"Prefix": ""}, "Expiration": {"Days": 1}}
    s3.put_bucket_lifecycle_configuration(Bucket="aaa", LifecycleConfiguration={"Rules": [rule]})
    stop = threading.Event()

    def churn(number):
        while not stop.is_set():
            for i in range(20):
                name = f"mmm-{number}-{i}"
                s3.create_bucket(Bucket=name)
                s3.delete_bucket(Bucket=name)

    with in_background([lambda n=n: churn(n) for n in range(3)], stop):
        for round in range(3):
            s3.put_object(Bucket="aaa", Key="k", Body=b"x")
            eventually(lambda: "Contents" not in s3.list_objects_v2(Bucket="aaa"), 5, what="the object expires")


def test_versions_and_markers_expire(s3):
    s3.put_bucket_versioning(Bucket="files", VersioningConfiguration={"Status": "Enabled"})
    for i in range(3):
        s3.put_object(Bucket="files", Key="k", Body=b"x")
    s3.put_object(Bucket="files", Key="gone", Body=b"x")
    s3.delete_object(Bucket="files", Key="gone")
    rules(s3, {"Filter": {"Prefix": ""}, "NoncurrentVersionExpiration": {"NoncurrentDays": 1}},
          {"Filter": {"Prefix": ""}, "Expiration": {"ExpiredObjectDeleteMarker": True}})
    eventually(lambda: versions(s3) == (["k"], []), 20, what="only what is live is left")
    rules(s3, {"Filter": {"Prefix": ""}, "Expiration": {"Days": 1}})
    eventually(lambda: versions(s3) == (["k"], ["k"]), 15, what="a marker hides the expired object")


def test_uploads_that_nobody_completes_end_without_any_rule(start_node):
    n = start_node(debug_lifecycle_day="1s", limits_upload_age_max="2s")
    begun = n.request("POST", "/files/abandoned?uploads")
    assert begun.status == 200
    upload = re.search(rb"<UploadId>(.*?)<", begun.body)[1].decode()
    assert n.put(f"/files/abandoned?partNumber=1&uploadId={upload}", b"x" * 100_000).status == 200
    eventually(lambda: b"<Upload>" not in n.get("/files?uploads").body, 20, what="the upload is aborted")
    eventually(lambda: n.metric("cairn_disk_chunks") == 0, 20, what="its chunks are gone")


def test_rules_may_be_about_tags_and_sizes(s3):
    for key, size, tags in (("small", 10, ""), ("large", 2000, ""), ("tagged", 10, "color=blue&x=y")):
        s3.put_object(Bucket="files", Key=key, Body=b"x" * size, Tagging=tags)
    wanted = [{"ID": "large", "Filter": {"ObjectSizeGreaterThan": 1000}, "Expiration": {"Days": 1}},
              {"ID": "blue", "Filter": {"And": {"Prefix": "t", "Tags": [{"Key": "color", "Value": "blue"}]}}, "Expiration": {"Days": 1}},
              {"ID": "old way", "Prefix": "nothing", "Expiration": {"Days": 1}}]
    rules(s3, *wanted)
    assert s3.get_bucket_lifecycle_configuration(Bucket="files")["Rules"] == [dict(r, Status="Enabled") for r in wanted]
    eventually(lambda: versions(s3)[0] == ["small"], 15, what="what the rules are about expires")


def test_the_begin_of_an_upload_tells_when_it_is_aborted(s3):
    rules(s3, {"ID": "unfinished ones", "Filter": {"Prefix": "old/"}, "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 20_000}})
    begun = s3.create_multipart_upload(Bucket="files", Key="old/a")
    assert begun["AbortRuleId"] == "unfinished%20ones" and begun["AbortDate"].year > 2070
    assert "AbortDate" not in s3.create_multipart_upload(Bucket="files", Key="new")
    s3.delete_bucket_lifecycle(Bucket="files")


def test_answers_tell_when_an_object_expires(s3):
    rules(s3, {"ID": "old ones", "Filter": {"Prefix": "old/"}, "Expiration": {"Days": 20_000}},
          {"ID": "blue", "Filter": {"Tag": {"Key": "color", "Value": "blue"}}, "Expiration": {"Date": "2100-01-01T00:00:00Z"}})
    told = s3.put_object(Bucket="files", Key="old/a", Body=b"x")["Expiration"]
    assert re.fullmatch(r'expiry-date="\w{3}, \d\d \w{3} 20\d\d 00:00:00 GMT", rule-id="old%20ones"', told), told
    assert s3.get_object(Bucket="files", Key="old/a")["Expiration"] == told == s3.head_object(Bucket="files", Key="old/a")["Expiration"]
    assert "Expiration" not in s3.put_object(Bucket="files", Key="k", Body=b"x")
    s3.put_object_tagging(Bucket="files", Key="k", Tagging={"TagSet": [{"Key": "color", "Value": "blue"}]})
    assert s3.head_object(Bucket="files", Key="k")["Expiration"] == 'expiry-date="Fri, 01 Jan 2100 00:00:00 GMT", rule-id="blue"'
    s3.delete_bucket_lifecycle(Bucket="files")
    assert "Expiration" not in s3.head_object(Bucket="files", Key="k") and "Expiration" not in s3.head_object(Bucket="files", Key="old/a")
