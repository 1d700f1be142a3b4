"""Buckets and objects as curl sees them; headers and metadata."""
import base64
import email.utils
import hashlib
import os
import re
import subprocess
import time
import urllib.parse

import pytest

from cairn_node import MIB


def curl(*arguments, **options):
    return subprocess.run(["curl", "-sS", "--max-time", "60", *arguments], capture_output=True, **options)


def md5(body):
    return hashlib.md5(body).hexdigest()


def test_curl_stores_lists_fetches_and_deletes_a_file(node, tmp_path):
    source = tmp_path / "a.bin"
    source.write_bytes(os.urandom(3 * MIB + 17))
    url = node.url("/files/from-curl/a.bin")
    assert curl("-f", "-T", str(source), url).returncode == 0
    assert b"<Key>from-curl/a.bin</Key>" in curl("-f", node.url("/files?list-type=2&prefix=from-curl/")).stdout
    back = tmp_path / "b.bin"
    assert curl("-f", "-o", str(back), url).returncode == 0
    assert back.read_bytes() == source.read_bytes()
    assert curl("-f", "-X", "DELETE", url).returncode == 0
    assert curl("-f", url).returncode == 22


@pytest.mark.parametrize("size", [0, 1, 4095, 4096, 4097, 65535, 65536, 65537, MIB - 1, MIB, MIB + 1, 5 * MIB + 3])
def test_objects_of_every_size_come_back_exactly(node, bucket, size):
    body = os.urandom(size)
    stored = node.put(f"/{bucket}/k", body)
    assert stored.status == 200, stored
    assert stored.header("etag") == f'"{md5(body)}"'
    fetched = node.get(f"/{bucket}/k")
    assert fetched.status == 200
    assert fetched.header("content-length") == str(size)
    assert fetched.header("etag") == f'"{md5(body)}"'
    assert fetched.body == body


@pytest.mark.parametrize("size", [0, 100, 4097, 3 * MIB + 5])
def test_chunked_uploads_of_unknown_length_come_back_exactly(node, bucket, size):
    body = os.urandom(size)
    pieces = [body[i:i + 70001] for i in range(0, size, 70001)]
    assert node.request("PUT", f"/{bucket}/k", iter(pieces)).status == 200
    assert node.get(f"/{bucket}/k").body == body


def test_overwriting_shows_the_new_object_at_once(node, bucket):
    for body in (b"one", os.urandom(2 * MIB), b"", b"four"):
        assert node.put(f"/{bucket}/k", body).status == 200
        assert node.get(f"/{bucket}/k").body == body
    assert node.keys(bucket) == ["k"]


def test_headers_and_user_metadata_are_kept(node, bucket):
    kept = {
        "Content-Type": "text/plain; charset=utf-8",
        "Content-Disposition": 'attachment; filename="a b.txt"',
        "Cache-Control": "max-age=60",
        "Content-Language": "de",
        "Expires": "Thu, 01 Dec 2044 16:00:00 GMT",
        "x-amz-meta-owner": "Ada Lovelace",
        "X-Amz-Meta-Empty": "",
    }
    assert node.request("PUT", f"/{bucket}/k", b"hello", kept).status == 200
    for method in ("GET", "HEAD"):
        answer = node.request(method, f"/{bucket}/k")
        for name, value in kept.items():
            assert answer.header(name) == value, name
    assert node.put(f"/{bucket}/k", b"again").status == 200
    assert node.head(f"/{bucket}/k").header("x-amz-meta-owner") is None


def test_without_a_content_type_the_object_is_octets(node, bucket):
    node.put(f"/{bucket}/k", b"x")
    assert node.get(f"/{bucket}/k").header("content-type") == "binary/octet-stream"


def test_too_much_user_metadata_is_refused(node, bucket):
    answer = node.request("PUT", f"/{bucket}/k", b"x", {"x-amz-meta-a": "v" * 3000})
    assert (answer.status, answer.code()) == (400, "MetadataTooLarge")
    assert node.get(f"/{bucket}/k").status == 404


def test_last_modified_is_the_time_of_the_put(node, bucket):
    before = int(time.time())
    node.put(f"/{bucket}/k", b"x")
    stamp = email.utils.parsedate_to_datetime(node.head(f"/{bucket}/k").header("last-modified")).timestamp()
    assert before - 1 <= stamp <= time.time() + 1


def test_content_md5_is_checked(node, bucket):
    body = os.urandom(2 * MIB)
    good = base64.b64encode(hashlib.md5(body).digest()).decode()
    wrong = base64.b64encode(hashlib.md5(b"other").digest()).decode()
    assert node.put(f"/{bucket}/good", body, Content_MD5=good).status == 200
    bad = node.put(f"/{bucket}/bad", body, Content_MD5=wrong)
    assert (bad.status, bad.code()) == (400, "BadDigest")
    invalid = node.put(f"/{bucket}/bad", body, Content_MD5="bm90IDE2IGJ5dGVz")
    assert (invalid.status, invalid.code()) == (400, "InvalidDigest")
    assert node.keys(bucket) == ["good"]


def test_a_refused_overwrite_leaves_the_old_object(node, bucket):
    node.put(f"/{bucket}/k", b"old")
    wrong = base64.b64encode(hashlib.md5(b"other").digest()).decode()
    assert node.put(f"/{bucket}/k", os.urandom(MIB), Content_MD5=wrong).status == 400
    assert node.get(f"/{bucket}/k").body == b"old"


def test_head_answers_what_get_answers_without_the_body(node, bucket):
    node.put(f"/{bucket}/k", os.urandom(10000), Content_Type="image/png")
    for path in (f"/{bucket}/k", f"/{bucket}/missing", "/no-such-bucket/k"):
        get, head = node.get(path), node.head(path)
        assert head.status == get.status
        assert head.body == b""
        unstable = {"date", "x-amz-request-id", "x-amz-id-2"}
        assert {k: v for k, v in head.headers.items() if k not in unstable} == \
               {k: v for k, v in get.headers.items() if k not in unstable}


def test_errors_are_s3_xml_with_a_request_id(node, bucket):
    cases = [
        (node.get(f"/{bucket}/missing"), 404, "NoSuchKey"),
        (node.get("/no-such-bucket/k"), 404, "NoSuchBucket"),
        (node.get("/no-such-bucket?list-type=2"), 404, "NoSuchBucket"),
        (node.put("/no-such-bucket/k", b"x"), 404, "NoSuchBucket"),
        (node.delete("/no-such-bucket/k"), 404, "NoSuchBucket"),
        (node.request("PUT", "/No_Valid_Name"), 400, "InvalidBucketName"),
    ]
    for answer, status, code in cases:
        assert (answer.status, answer.code()) == (status, code)
        identity = answer.header("x-amz-request-id")
        assert identity and f"<RequestId>{identity}</RequestId>".encode() in answer.body
        assert answer.header("content-type") == "application/xml"


def test_request_ids_differ(node):
    assert len({node.get("/").header("x-amz-request-id") for _ in range(20)}) == 20


def test_deleting_what_is_not_there_succeeds(node, bucket):
    assert node.delete(f"/{bucket}/missing").status == 204


def test_buckets_are_made_once_and_removed_only_when_empty(node):
    assert node.request("PUT", "/life-cycle").status == 200
    again = node.request("PUT", "/life-cycle")
    assert (again.status, again.code()) == (409, "BucketAlreadyOwnedByYou")
    node.put("/life-cycle/k", b"x")
    full = node.delete("/life-cycle")
    assert (full.status, full.code()) == (409, "BucketNotEmpty")
    begun = node.request("POST", "/life-cycle/upload?uploads")
    assert begun.status == 200 and node.delete("/life-cycle").status == 409 and b"<Upload>" in node.get("/life-cycle?uploads").body
    node.delete("/life-cycle/k")
    assert node.delete("/life-cycle").status == 204  # with the upload
    assert node.put("/life-cycle/k?partNumber=1&uploadId=" + re.search(rb"<UploadId>(.*?)<", begun.body)[1].decode(), b"x").status == 404
    assert node.head("/life-cycle").status == 404
    assert b"life-cycle" not in node.get("/").body


@pytest.mark.parametrize("key", [
    "a b+c&d=e?f#g%h", "../../etc/passwd", "a/../../b", "./.", "ends/with/", "//double", "ünï-日本語-\U0001F600", "k" * 1024,
    "quote\"'<>&", "tab\tnew\nline", "\x01\x7f",
])
def test_any_utf8_key_is_just_a_name(node, bucket, key):
    path = f"/{bucket}/" + urllib.parse.quote(key, safe="")
    body = key.encode()
    assert node.put(path, body).status == 200
    assert node.get(path).body == body
    assert node.keys(bucket) == [key]
    assert node.delete(path).status == 204
    assert node.keys(bucket) == []


@pytest.mark.parametrize("target,status", [
    ("k" * 1025, 400), ("%ff%fe", 400), ("a%00b", 400), ("%c0%af", 400), ("%ed%a0%80", 400),
])
def test_keys_that_are_no_utf8_or_too_long_are_refused(node, bucket, target, status):
    assert node.put(f"/{bucket}/{target}", b"x").status == status
    assert node.keys(bucket) == []


def test_percent_encoded_slash_is_the_same_key(node, bucket):
    node.put(f"/{bucket}/a%2Fb", b"x")
    assert node.get(f"/{bucket}/a/b").body == b"x"


def test_dots_never_reach_another_bucket(node, bucket):
    other = node.bucket(bucket + "-b")
    node.put(f"/{other}/secret", b"secret")
    for path in (f"/{bucket}/../{other}/secret", f"/{bucket}/%2e%2e/{other}/secret", f"/{bucket}/..%2f{other}%2fsecret"):
        assert node.get(path).status == 404
    assert curl("--path-as-is", "-f", node.url(f"/{bucket}/../{other}/secret")).returncode == 22


def test_what_is_not_built_yet_says_so(node, bucket):
    node.put(f"/{bucket}/k", b"x")
    for method, path in (("PUT", f"/{bucket}?logging"), ("PUT", f"/{bucket}?website")):
        answer = node.request(method, path)
        assert (answer.status, answer.code()) == (501, "NotImplemented"), path
    copy = node.request("PUT", f"/{bucket}/copy", b"", {"x-amz-copy-source": f"/{bucket}/k?versionId=7"})
    assert (copy.status, copy.code()) == (400, "InvalidArgument")
    signed = node.request("PUT", f"/{bucket}/aws", b"5;chunk-signature=0\r\nhello\r\n",
                          {"Content-Encoding": "aws-chunked", "x-amz-content-sha256": "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"})
    assert (signed.status, signed.code()) == (403, "AccessDenied")  # chunk signatures prove nothing without a signed head
    assert node.keys(bucket) == ["k"]


def test_anonymous_access_can_be_taken_away(start_node):
    node = start_node()
    node.stop()
    node.settings["auth.anonymous"] = "read"
    node.write_config()
    node.start()
    assert node.head("/files").status == 200
    assert node.keys("files") == []
    for answer in (node.put("/files/k", b"x"), node.delete("/files/k"), node.request("PUT", "/other")):
        assert (answer.status, answer.code()) == (403, "AccessDenied")
    node.stop()
    node.settings["auth.anonymous"] = "none"
    node.write_config()
    node.start()
    answer = node.get("/files?list-type=2")
    assert (answer.status, answer.code()) == (403, "AccessDenied")


def test_bodies_above_the_limit_are_refused_before_they_are_read(start_node):
    node = start_node(limits_object_size="1MiB")
    assert node.put("/files/k", os.urandom(MIB)).status == 200
    answer = node.put("/files/k2", os.urandom(MIB + 1))
    assert (answer.status, answer.code()) == (413, "EntityTooLarge")
    chunked = node.request("PUT", "/files/k3", iter([os.urandom(MIB), b"1"]))
    assert chunked.status == 413
    assert node.keys("files") == ["k"]


def test_objects_survive_a_restart(start_node):
    node = start_node()
    bodies = {f"k{i}": os.urandom(size) for i, size in enumerate((0, 10, 5000, MIB + 1))}
    for key, body in bodies.items():
        node.request("PUT", f"/files/{key}", body, {"x-amz-meta-key": key})
    node.delete("/files/k1")
    node.stop()
    node.start()
    del bodies["k1"]
    assert node.keys("files") == sorted(bodies)
    for key, body in bodies.items():
        answer = node.get(f"/files/{key}")
        assert answer.body == body
        assert answer.header("x-amz-meta-key") == key


def test_a_copy_with_a_body_is_refused(node, bucket):
    node.put(f"/{bucket}/k", b"source")
    answer = node.request("PUT", f"/{bucket}/copy", b"other bytes", {"x-amz-copy-source": f"/{bucket}/k"})
    assert (answer.status, answer.code()) == (400, "InvalidRequest")
    answer = node.request("PUT", f"/{bucket}/copy", iter([b"other ", b"bytes"]), {"x-amz-copy-source": f"/{bucket}/k", "Transfer-Encoding": "chunked"})
    assert (answer.status, answer.code()) == (400, "InvalidRequest")
    assert node.get(f"/{bucket}/copy").status == 404
    assert node.request("PUT", f"/{bucket}/copy", b"", {"x-amz-copy-source": f"/{bucket}/k"}).status == 200
    assert node.get(f"/{bucket}/copy").body == b"source"


def test_several_disks_share_the_objects(start_node, tmp_path):
    disks = [str(tmp_path / f"disk{i}") for i in range(3)]
    node = start_node(storage_disks=disks)
    body = os.urandom(48 * MIB)
    assert node.put("/files/k", body).status == 200
    assert node.get("/files/k").body == body
    from pathlib import Path
    used = [len(list(Path(d).glob("segments/*.seg"))) for d in disks]
    assert all(used), used
    node.stop()
    node.start()
    assert node.get("/files/k").body == body


def test_list_of_buckets_is_sorted_and_dated(node):
    for name in ("zz-last", "aa-first"):
        node.bucket(name)
    text = node.get("/").body.decode()
    names = re.findall(r"<Name>(.*?)</Name>", text)
    assert names == sorted(names) and {"aa-first", "zz-last"} <= set(names)
    assert len(re.findall(r"<CreationDate>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z</CreationDate>", text)) == len(names)
