"""Signed requests: real clients, and what must not let a byte in or out."""
import base64
import json
import os
import subprocess
import zlib

import pytest

from cairn_node import KIB, MIB
from client_programs import signed_environment
from signing import ACCESS, EMPTY, SECRET, Signer, sha256
from wire import Wire


@pytest.fixture(scope="module")
def signed(guarded):
    """With a bucket `vault`."""
    assert call(guarded, "PUT", "/vault").status == 200
    return guarded


def host(node):
    return f"127.0.0.1:{node.http_port}"


def call(node, method, path, body=b"", signer=None, payload=None, **headers):
    signer = signer or Signer()
    signed_headers = signer.headers(method, host(node), path, payload or sha256(body), **headers)
    return node.request(method, path, body or None, signed_headers)


def stored(node, key):
    return call(node, "HEAD", f"/vault/{key}").status == 200


def checksum(data):
    return "x-amz-checksum-crc32:" + base64.b64encode(zlib.crc32(data).to_bytes(4, "big")).decode()


def chunked(node, key, data, mode, size=64 * KIB, change=None, proves=None, encoding=True):
    """PUT as aws-chunked; `change(chunks)` may tamper with the encoded pieces, `proves` is what the trailer speaks of."""
    signer, signs = Signer(), mode.startswith("STREAMING-AWS4")
    trailer = checksum(data if proves is None else proves) if mode.endswith("-TRAILER") else None
    more = {"x_amz_decoded_content_length": len(data)}
    if encoding:
        more["Content_Encoding"] = "aws-chunked"
    if trailer:
        more["x_amz_trailer"] = trailer.split(":")[0]
    headers = signer.headers("PUT", host(node), f"/vault/{key}", mode, **more)
    pieces = [signer.chunk(data[i:i + size], signs) for i in range(0, len(data), size)] + [signer.chunk(b"", signs)]
    if trailer:
        pieces.append(trailer.encode() + b"\r\n")
        if signs:
            pieces.append(f"x-amz-trailer-signature:{signer.trailer(trailer + chr(10))}\r\n".encode())
    pieces.append(b"\r\n")
    if change:
        change(pieces)
    return node.request("PUT", f"/vault/{key}", b"".join(pieces), headers)


MODES = ["STREAMING-AWS4-HMAC-SHA256-PAYLOAD", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER",
         "STREAMING-UNSIGNED-PAYLOAD-TRAILER"]


# Good requests

@pytest.mark.parametrize("size", [0, 100, 4 * KIB, 3 * MIB + 7])
@pytest.mark.parametrize("payload", [None, "UNSIGNED-PAYLOAD"])
def test_signed_bodies_round_trip(signed, size, payload):
    body = os.urandom(size)
    assert call(signed, "PUT", "/vault/k", body, payload=payload).status == 200
    assert call(signed, "GET", "/vault/k").body == body
    assert call(signed, "DELETE", "/vault/k").status == 204


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("size", [0, 100, 64 * KIB, 5 * MIB + 7])
def test_aws_chunked_bodies_round_trip(signed, mode, size):
    body = os.urandom(size)
    for encoding in (True, False):
        assert chunked(signed, "k", body, mode, encoding=encoding).status == 200
        got = call(signed, "GET", "/vault/k")
        assert got.body == body and got.header("content-encoding") is None


def test_aws_chunks_may_lie_within_the_chunked_coding(signed):
    body, signer = os.urandom(300 * KIB), Signer()
    headers = signer.headers("PUT", host(signed), "/vault/k", MODES[2], x_amz_decoded_content_length=len(body), x_amz_trailer="x-amz-checksum-crc32",
                             Content_Encoding="gzip,aws-chunked")
    pieces = [signer.chunk(body[i:i + 64 * KIB], False) for i in range(0, len(body), 64 * KIB)]
    answer = signed.request("PUT", "/vault/k", iter(pieces + [b"0\r\n" + checksum(body).encode() + b"\r\n\r\n"]),
                            dict(headers, **{"Transfer-Encoding": "chunked"}))
    assert answer.status == 200, answer
    got = call(signed, "GET", "/vault/k")
    assert got.body == body and got.header("content-encoding") == "gzip"


@pytest.mark.parametrize("key", ["a b", "a%2Bb+c", "ü/ö", "..", "it's(1)!*", "a//b"])
def test_keys_of_every_shape_are_signed_as_they_are_sent(signed, key):
    import urllib.parse
    path = "/vault/" + (key if "%" in key else urllib.parse.quote(key))
    assert call(signed, "PUT", path, b"x").status == 200
    assert call(signed, "GET", path).body == b"x"


def test_a_connection_goes_on_after_signed_chunks(signed):
    signer, body = Signer(), b"a" * 10000
    headers = signer.headers("PUT", host(signed), "/vault/k", MODES[0], x_amz_decoded_content_length=len(body))
    data = signer.chunk(body) + signer.chunk(b"") + b"\r\n"
    again = Signer().headers("GET", host(signed), "/vault/k")
    with Wire(signed) as w:
        for byte in (b"PUT /vault/k HTTP/1.1\r\n" + lines(headers, ("Content-Length", len(data))) + data +
                     b"GET /vault/k HTTP/1.1\r\n" + lines(again)):
            w.s.send(bytes([byte]))
        assert w.answer().status == 200
        assert w.answer().body == body


def lines(headers, *more):
    return b"".join(f"{n}: {v}\r\n".encode() for n, v in [*headers.items(), *more]) + b"\r\n"


def test_a_signed_reader_may_choose_response_headers(signed):
    assert call(signed, "PUT", "/vault/k", b"x", Content_Type="a/b").status == 200
    answer = call(signed, "GET", "/vault/k?response-content-type=text%2Fplain&response-cache-control=no-store")
    assert (answer.header("content-type"), answer.header("cache-control")) == ("text/plain", "no-store")
    assert call(signed, "GET", "/vault/k?response-expires=a%0D%0AX%3A%20y").status == 400
    # Beyond ASCII, as S3: in ISO-8859-1, or refused. (http.client reads fields as ISO-8859-1.)
    latin = call(signed, "GET", "/vault/k?response-content-disposition=inline%3B%20filename%3D%22caf%C3%A9%22")
    assert latin.header("content-disposition") == 'inline; filename="caf\u00e9"'
    for beyond in ("%E2%80%93", "%E6%97%A5", "%F0%9F%98%80"):
        refused = call(signed, "GET", "/vault/k?response-content-disposition=" + beyond)
        assert (refused.status, refused.code()) == (400, "InvalidArgument"), beyond
        assert b"<ArgumentName>response-content-disposition</ArgumentName>" in refused.body


# What must be refused

def test_without_a_signature_nothing_goes_in_or_out(signed):
    assert call(signed, "PUT", "/vault/secret", b"x").status == 200
    for answer in (signed.get("/vault/secret"), signed.put("/vault/new", b"x"), signed.get("/vault"), signed.get("/")):
        assert (answer.status, answer.code()) == (403, "AccessDenied")
    assert not stored(signed, "new")


@pytest.mark.parametrize("signer,code", [
    (dict(access="nobody"), "InvalidAccessKeyId"), (dict(secret="another-secret"), "SignatureDoesNotMatch"),
    (dict(region="eu-west-1"), "AuthorizationHeaderMalformed"), (dict(offset=-16 * 60), "RequestTimeTooSkewed"),
    (dict(offset=16 * 60), "RequestTimeTooSkewed"),
])
def test_a_wrong_signer_is_told_why(signed, signer, code):
    answer = call(signed, "PUT", "/vault/new", b"x" * 100000, signer=Signer(**signer))
    assert answer.code() == code, answer
    assert not stored(signed, "new")


@pytest.mark.parametrize("change", [
    lambda h: h.update({"Authorization": h["Authorization"][:-1] + ("0" if h["Authorization"][-1] != "0" else "1")}),
    lambda h: h.update({"x-amz-date": Signer(offset=60).time}), lambda h: h.update({"x-amz-meta-a": "2"}),
    lambda h: h.update({"x-amz-meta-b": "2"}), lambda h: h.update({"x-amz-content-sha256": "UNSIGNED-PAYLOAD"}),
    lambda h: h.update({"Host": "elsewhere"}), lambda h: h.pop("x-amz-meta-a"), lambda h: h.pop("x-amz-content-sha256"),
])
def test_a_changed_head_is_refused(signed, change):
    headers = Signer().headers("PUT", host(signed), "/vault/new", sha256(b"x"), x_amz_meta_a=1)
    change(headers)
    assert signed.request("PUT", "/vault/new", b"x", headers).status in (400, 403)
    assert not stored(signed, "new")


@pytest.mark.parametrize("size", [1, 4 * KIB, 5 * MIB])
def test_a_changed_body_is_refused(signed, size):
    body = os.urandom(size)
    answer = call(signed, "PUT", "/vault/new", body, payload=sha256(body + b"!"))
    assert (answer.status, answer.code()) == (400, "XAmzContentSHA256Mismatch")
    assert not stored(signed, "new")


def flipped(piece):
    data = bytearray(piece)
    data[-3] ^= 1
    return bytes(data)


def swap(pieces):
    pieces[0], pieces[1] = pieces[1], pieces[0]


@pytest.mark.parametrize("change", [
    lambda p: p.__setitem__(0, flipped(p[0])), lambda p: p.__setitem__(3, flipped(p[3])), swap,
    lambda p: p.__setitem__(1, p[1].replace(b"signature=", b"signature=0")[:85] + p[1][86:]),
    lambda p: p.__setitem__(-2, flipped(p[-2])), lambda p: p.pop(1), lambda p: p.__delitem__(slice(2, None)),
], ids=["first chunk", "later chunk", "order", "signature", "last chunk", "one left out", "cut off"])
def test_changed_chunks_are_refused(signed, change):
    answer = chunked(signed, "new", os.urandom(5 * 64 * KIB), MODES[0], change=change)
    assert answer.status in (400, 403), answer
    assert not stored(signed, "new")


@pytest.mark.parametrize("change", [
    lambda p: p.__setitem__(-3, p[-3].replace(b"crc32:", b"crc32:A")), lambda p: p.pop(-2), lambda p: p.pop(-3),
], ids=["value", "no signature", "no trailer"])
def test_a_changed_trailer_is_refused(signed, change):
    answer = chunked(signed, "new", os.urandom(100 * KIB), MODES[1], change=change)
    assert answer.status in (400, 403), answer
    assert not stored(signed, "new")


@pytest.mark.parametrize("mode", MODES[1:])
def test_a_trailer_of_another_body_is_refused(signed, mode):
    answer = chunked(signed, "new", b"body" * 100, mode, proves=b"another")
    assert (answer.status, answer.code()) == (400, "BadDigest"), answer
    assert not stored(signed, "new")


def test_a_refused_body_is_not_even_asked_for(signed):
    headers = Signer(secret="wrong-secret").headers("PUT", host(signed), "/vault/new", sha256(b"x"))
    with Wire(signed) as w:
        w.send(b"PUT /vault/new HTTP/1.1\r\n" + lines(headers, ("Content-Length", 1), ("Expect", "100-continue")))
        assert w.answer().status == 403


# Presigned

def test_presigned_urls_work_with_curl(signed, tmp_path):
    (tmp_path / "in").write_bytes(os.urandom(2 * MIB))
    put = signed.url(Signer().presigned("PUT", host(signed), "/vault/p"))
    get = signed.url(Signer().presigned("GET", host(signed), "/vault/p", response_content_type="text/x"))
    subprocess.run(["curl", "-sSf", "-T", tmp_path / "in", put], check=True, timeout=60)
    head = subprocess.run(["curl", "-sSf", "-D-", "-o", tmp_path / "out", get], check=True, timeout=60, capture_output=True)
    assert (tmp_path / "in").read_bytes() == (tmp_path / "out").read_bytes()
    assert b"Content-Type: text/x" in head.stdout


def test_presigned_urls_end_and_cannot_be_changed(signed):
    assert call(signed, "PUT", "/vault/p", b"x").status == 200
    url = Signer().presigned("GET", host(signed), "/vault/p")
    assert signed.get(url).status == 200
    assert signed.put(url, b"y").code() == "SignatureDoesNotMatch"
    assert signed.get(url.replace("/vault/p", "/vault/q")).code() == "SignatureDoesNotMatch"
    assert signed.get(url.replace("Expires=60", "Expires=6000")).code() == "SignatureDoesNotMatch"
    assert signed.get(Signer(offset=-61).presigned("GET", host(signed), "/vault/p")).code() == "AccessDenied"
    assert signed.get(Signer().presigned("GET", host(signed), "/vault/p", 604801)).status == 400
    assert call(signed, "GET", "/vault/p").body == b"x"


# Clients

def test_boto3(signed):
    boto3 = pytest.importorskip("boto3")
    from botocore.config import Config
    s3 = boto3.client("s3", endpoint_url=signed.url(), aws_access_key_id=ACCESS, aws_secret_access_key=SECRET,
                      region_name="us-east-1", config=Config(signature_version="s3v4", s3={"addressing_style": "path"}))
    s3.create_bucket(Bucket="boto")
    body = os.urandom(3 * MIB)
    s3.put_object(Bucket="boto", Key="a b/ü", Body=body, Metadata={"k": "v"}, ContentType="x/y")
    got = s3.get_object(Bucket="boto", Key="a b/ü")
    assert (got["Body"].read(), got["Metadata"], got["ContentType"]) == (body, {"k": "v"}, "x/y")
    assert [o["Key"] for o in s3.list_objects_v2(Bucket="boto", Prefix="a b/")["Contents"]] == ["a b/ü"]
    url = s3.generate_presigned_url("get_object", Params={"Bucket": "boto", "Key": "a b/ü"})
    assert subprocess.run(["curl", "-sSf", url], check=True, capture_output=True, timeout=60).stdout == body
    s3.delete_object(Bucket="boto", Key="a b/ü")
    s3.delete_bucket(Bucket="boto")


def test_awscli(signed, tmp_path):
    def aws(*arguments):
        command = ["aws", "--endpoint-url", signed.url(), *map(str, arguments)]
        return subprocess.run(command, check=True, capture_output=True, timeout=120, env=signed_environment()).stdout

    (tmp_path / "in").write_bytes(os.urandom(MIB))
    aws("s3", "mb", "s3://awscli")
    aws("s3", "cp", tmp_path / "in", "s3://awscli/dir/k")
    assert json.loads(aws("s3api", "list-objects-v2", "--bucket", "awscli", "--output", "json"))["Contents"][0]["Key"] == "dir/k"
    aws("s3", "cp", "s3://awscli/dir/k", tmp_path / "out")
    assert (tmp_path / "in").read_bytes() == (tmp_path / "out").read_bytes()
    aws("s3", "rm", "s3://awscli/dir/k")
    aws("s3", "rb", "s3://awscli")


def test_rclone(signed, tmp_path):
    remote = (f":s3,provider=Other,access_key_id='{ACCESS}',secret_access_key='{SECRET}',region=us-east-1,"
              f"force_path_style=true,endpoint='{signed.url()}':")

    def rclone(*arguments):
        command = ["rclone", "--config", "/dev/null", "--retries", "1", *map(str, arguments)]
        return subprocess.run(command, stdout=subprocess.PIPE, check=True, timeout=120, env=signed_environment()).stdout

    for i in range(5):
        (tmp_path / "tree").mkdir(exist_ok=True)
        (tmp_path / "tree" / f"file {i}").write_bytes(os.urandom(100 * KIB * i))
    rclone("copy", tmp_path / "tree", remote + "rclone/tree")
    rclone("check", tmp_path / "tree", remote + "rclone/tree")
    assert len(rclone("lsf", remote + "rclone/tree").splitlines()) == 5
    rclone("copy", remote + "rclone/tree", tmp_path / "back")
    assert sorted(p.read_bytes() for p in (tmp_path / "back").iterdir()) == \
        sorted(p.read_bytes() for p in (tmp_path / "tree").iterdir())


# The root key

def test_the_root_key_may_come_from_the_environment_and_is_not_shown(start_node, monkeypatch):
    monkeypatch.setenv("CAIRN_ROOT_ACCESS_KEY", ACCESS)
    monkeypatch.setenv("CAIRN_ROOT_SECRET_KEY", SECRET)
    node = start_node(auth_anonymous="none")
    assert call(node, "GET", "/").status == 200
    shown = node.cairn("config", "show", "--config", node.config).stdout.decode()
    assert ACCESS in shown and SECRET not in shown
    assert SECRET not in node.log()


def test_a_node_without_a_root_key_knows_no_signer(node):
    assert node.request("GET", "/", None, Signer().headers("GET", host(node), "/", EMPTY)).code() == "InvalidAccessKeyId"
