"""Uploads by HTML forms: what boto3 presigns and curl sends, and that a policy lets in what it says and nothing else."""
import base64
import re
import shutil
import subprocess
import time

import pytest

from cairn_node import MIB
from rights import bucket_of, cairn, key_with
from signing import ACCESS, SECRET, call, form, post, sha256, signed

curl = pytest.mark.skipif(shutil.which("curl") is None, reason="no curl")


def stored(node, bucket, key):
    return call(node, "GET", f"/{bucket}/{key}")


@curl
def test_curl_sends_the_form_that_boto3_presigns(guarded, tmp_path):
    boto3 = pytest.importorskip("boto3")
    from botocore.config import Config
    client = boto3.client("s3", endpoint_url=guarded.url(), region_name="us-east-1", aws_access_key_id=ACCESS,
                          aws_secret_access_key=SECRET, config=Config(signature_version="s3v4", s3={"addressing_style": "path"}))
    bucket_of(guarded, "presigned")
    made = client.generate_presigned_post("presigned", "up/${filename}", Fields={"Content-Type": "text/plain", "x-amz-meta-from": "curl"},
                                          Conditions=[["starts-with", "$Content-Type", "text/"], {"x-amz-meta-from": "curl"},
                                                      ["content-length-range", 1, 3 * MIB]], ExpiresIn=60)
    (tmp_path / "some file.txt").write_bytes(b"\r\n--x" * (MIB // 5))
    made["fields"]["success_action_status"] = "201"
    refused = send_by_curl(made, tmp_path / "some file.txt")
    assert "Extra input fields: success_action_status" in refused
    del made["fields"]["success_action_status"]
    assert "HTTP/1.1 204" in send_by_curl(made, tmp_path / "some file.txt")
    got = stored(guarded, "presigned", "up/some%20file.txt")
    assert got.status == 200 and got.body == b"\r\n--x" * (MIB // 5)
    assert got.header("content-type") == "text/plain" and got.header("x-amz-meta-from") == "curl"
    (tmp_path / "large").write_bytes(b"x" * (3 * MIB + 1))
    assert "EntityTooLarge" in send_by_curl(made, tmp_path / "large")
    (tmp_path / "empty").write_bytes(b"")
    assert "EntityTooSmall" in send_by_curl(made, tmp_path / "empty")
    assert stored(guarded, "presigned", "up/large").status == stored(guarded, "presigned", "up/empty").status == 404


def send_by_curl(presigned, path):
    command = ["curl", "-sS", "-i", presigned["url"]]
    for name, value in presigned["fields"].items():
        command += ["--form-string", f"{name}={value}"]
    return subprocess.run([*command, "-F", f"file=@{path}"], capture_output=True, text=True, timeout=60, check=True).stdout


def test_a_policy_lets_in_what_it_says_and_nothing_else(guarded):
    bucket_of(guarded, "policies")
    conditions = [["starts-with", "$key", "mine/"], ["content-length-range", 0, 100], {"acl": "private"}]
    good = {"key": "mine/k", "acl": "private"}

    def refusal(fields, content=b"bytes", **more):
        answer = post(guarded, "policies", signed("policies", conditions, fields, **more), content)
        return (answer.status, answer.code()) if answer.status >= 400 else answer.status

    assert refusal(good) == 204
    assert refusal(good | {"key": "yours/k"}) == (403, "AccessDenied")
    assert refusal(good | {"acl": "public-read"}) == (403, "AccessDenied")
    assert refusal({"key": "mine/k"}) == (403, "AccessDenied")
    assert refusal(good | {"x-amz-meta-a": "b"}) == (403, "AccessDenied")
    assert refusal(good | {"x-ignore-a": "b"}) == 204
    assert refusal(good, ends=-1) == (403, "AccessDenied")
    assert refusal(good, key=(ACCESS, "another-secret")) == (403, "SignatureDoesNotMatch")
    assert refusal(good, key=("nobody", SECRET)) == (403, "InvalidAccessKeyId")
    assert refusal(good, b"x" * 101) == (400, "EntityTooLarge")
    other = post(guarded, "policies", signed("elsewhere", conditions, good))
    assert (other.status, other.code()) == (403, "AccessDenied")
    replaced = signed("policies", conditions, good)
    replaced["policy"] = base64.b64encode(b'{"expiration": "2999-01-01T00:00:00Z", "conditions": []}').decode()
    assert post(guarded, "policies", replaced).code() == "SignatureDoesNotMatch"


def test_a_form_can_do_what_the_key_of_its_policy_may(guarded):
    bucket_of(guarded, "of-keys")
    reader, writer, owner = (key_with(guarded, "of-keys", *rights) for rights in (["read"], ["write"], ["write", "owner"]))

    def status(key, acl="private"):
        return post(guarded, "of-keys", signed("of-keys", [{"key": "k"}, ["starts-with", "$acl", ""]], {"key": "k", "acl": acl}, key)).status

    assert status(reader) == 403 and status(writer) == 204
    assert status(writer, "public-read") == 403 and status(owner, "public-read") == 204
    assert call(guarded, "GET", "/of-keys/k", key=None).status == 200
    cairn(guarded, "key", "deny", writer[0], "of-keys", "--write")
    assert status(writer) == 403
    cairn(guarded, "key", "delete", owner[0])
    assert status(owner) == 403


def test_a_right_that_ends_while_the_file_arrives_ends_the_upload(guarded):
    bucket_of(guarded, "held")
    key = key_with(guarded, "held", "write")
    body = form(signed("held", [{"key": "k"}], {"key": "k"}, key))
    with guarded.socket() as s:
        s.sendall(b"POST /held HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/form-data; boundary=boundary-1\r\n"
                  b"Content-Length: %d\r\n\r\n" % len(body) + body[:-1])
        time.sleep(0.3)
        cairn(guarded, "key", "deny", key[0], "held", "--write")
        s.sendall(body[-1:])
        assert b" 403 " in s.recv(4096).partition(b"\r\n")[0]
    assert stored(guarded, "held", "k").status == 404


def test_anybody_posts_where_anybody_may_write(guarded):
    bucket_of(guarded, "shared", acl="public-read-write")
    bucket_of(guarded, "closed", acl="public-read")
    assert post(guarded, "closed", {"key": "k"}).status == 403
    assert post(guarded, "shared", {"key": "k"}).status == 204
    assert stored(guarded, "shared", "k").body == b"bytes"
    assert post(guarded, "shared", {"key": "k", "acl": "public-read"}).status == 403
    tags = "<Tagging><TagSet><Tag><Key>a</Key><Value>1</Value></Tag></TagSet></Tagging>"
    assert post(guarded, "shared", {"key": "k", "tagging": tags}).status == 403
    assert post(guarded, "missing", {"key": "k"}).code() == "NoSuchBucket"
    # A page of another origin makes a browser send such a form without asking first.
    assert post(guarded, "shared", {"key": "k"}, Origin="https://evil.example").status == 403
    assert post(guarded, "shared", {"key": "k"}, Sec_Fetch_Site="cross-site").status == 403
    assert post(guarded, "shared", {"key": "k"}, Host="evil.example").status == 403
    assert post(guarded, "shared", signed("shared", [{"key": "k"}], {"key": "k"}), Origin="https://evil.example").status == 204


def test_a_page_that_the_bucket_allows_sees_the_answer(guarded):
    bucket_of(guarded, "pages")
    rule = (b"<CORSConfiguration><CORSRule><AllowedOrigin>https://app.example</AllowedOrigin><AllowedMethod>POST</AllowedMethod>"
            b"<ExposeHeader>ETag</ExposeHeader></CORSRule></CORSConfiguration>")
    assert call(guarded, "PUT", "/pages?cors", rule).status == 200
    fields = signed("pages", [{"key": "k"}, {"success_action_status": "201"}], {"key": "k", "success_action_status": "201"})
    answer = post(guarded, "pages", fields, Origin="https://app.example")
    assert answer.status == 201 and answer.header("access-control-allow-origin") == "https://app.example"
    assert re.search(rb"<Location>http://[^<]*/pages/k</Location><Bucket>pages</Bucket><Key>k</Key><ETag>", answer.body)
    other = post(guarded, "pages", fields, Origin="https://evil.example")
    assert other.status == 201 and other.header("access-control-allow-origin") is None


def test_forms_keep_versions_checksums_and_tags(guarded):
    bucket_of(guarded, "kept", "Enabled")
    tags = "<Tagging><TagSet><Tag><Key>a b</Key><Value>1&amp;2</Value></Tag></TagSet></Tagging>"
    fields = {"key": "k", "tagging": tags, "x-amz-checksum-sha256": base64.b64encode(bytes.fromhex(sha256(b"bytes"))).decode(),
              "Cache-Control": "no-store", "Content-Disposition": "attachment"}
    conditions = [["starts-with", f"${name}", ""] for name in fields]
    answer = post(guarded, "kept", signed("kept", conditions, fields))
    assert answer.status == 204 and answer.header("x-amz-version-id")
    got = call(guarded, "GET", "/kept/k", x_amz_checksum_mode="ENABLED")
    assert got.header("cache-control") == "no-store" and got.header("content-disposition") == "attachment"
    assert got.header("x-amz-checksum-sha256") == fields["x-amz-checksum-sha256"]
    assert b"<Key>a b</Key><Value>1&amp;2</Value>" in call(guarded, "GET", "/kept/k?tagging").body
    wrong = post(guarded, "kept", signed("kept", conditions, fields), b"other bytes")
    assert (wrong.status, wrong.code()) == (400, "BadDigest")


def test_a_stranger_cannot_make_the_node_hold_much(guarded):
    """Fields without an end are refused at their bound, also those that come a few bytes at a time."""
    with guarded.socket() as s:
        s.sendall(b"POST /any HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/form-data; boundary=b\r\n"
                  b"Content-Length: 100000000\r\n\r\n--b\r\nContent-Disposition: form-data; name=\"key\"\r\n\r\n")
        sent = 0
        try:
            while sent < MIB:
                s.sendall(b"x" * 512)
                sent += 512
        except (BrokenPipeError, ConnectionResetError):
            pass
        assert b" 400 " in s.recv(4096).partition(b"\r\n")[0]
    assert guarded.head("/").status in (403, 405)
