"""Headers in the query of presigned URLs: whatever is signed acts like the header, or the request is refused."""
import base64
import hashlib
import urllib.parse
import zlib

import pytest

from cairn_node import Node
from rights import GUARDED, key_with
from signing import ACCESS, SECRET, Signer, sha256


@pytest.fixture(scope="module")
def signed(guarded):
    """With a bucket `vault`."""
    assert call(guarded, "PUT", "/vault").status == 200
    return guarded


def host(node):
    return f"127.0.0.1:{node.http_port}"


def call(node, method, path, body=b"", signer=None, **headers):
    return node.request(method, path, body or None, (signer or Signer()).headers(method, host(node), path, sha256(body), **headers))


def by_url(node, method, path, query, body=None, **headers):
    url = Signer().presigned(method, host(node), path, **query)
    return node.request(method, url, body, {k.replace("_", "-"): v for k, v in headers.items()})


def test_metadata_tags_and_headers_of_the_url_are_kept(signed):
    query = {"x-amz-meta-Venue": "a b+c", "X-Amz-Tagging": "k=v", "Content-Type": "text/plain", "cache-control": "no-store", "x-id": "PutObject"}
    assert by_url(signed, "PUT", "/vault/meta", query, b"data").status == 200
    head = call(signed, "HEAD", "/vault/meta")
    assert [head.header(h) for h in ("x-amz-meta-venue", "content-type", "cache-control", "x-amz-tagging-count")] == \
        ["a b+c", "text/plain", "no-store", "1"]


def test_a_copy_is_a_copy(signed):
    assert call(signed, "PUT", "/vault/from", b"the source").status == 200
    assert call(signed, "PUT", "/vault/to", b"what was there").status == 200
    copied = by_url(signed, "PUT", "/vault/to", {"x-amz-copy-source": "/vault/from", "x-amz-copy-source-if-match": "other"})
    assert copied.code() == "PreconditionFailed"
    assert call(signed, "GET", "/vault/to").body == b"what was there"
    copied = by_url(signed, "PUT", "/vault/to", {"x-amz-copy-source": "/vault/from", "x-amz-copy-source-if-none-match": "other"})
    assert copied.status == 200 and b"CopyObjectResult" in copied.body
    assert call(signed, "GET", "/vault/to").body == b"the source"


def test_a_source_in_the_url_needs_the_right_to_read_it(start_node):
    """What decides about rights reads the query, too."""
    node = start_node(**GUARDED)
    for bucket in ("secret", "mine"):
        assert call(node, "PUT", f"/{bucket}").status == 200
    assert call(node, "PUT", "/secret/k", b"secret").status == 200
    signer = Signer(*key_with(node, "mine", "read", "write"))
    url = signer.presigned("PUT", host(node), "/mine/k", **{"x-amz-copy-source": "/secret/k"})
    answer = node.request("PUT", url)
    assert (answer.status, answer.code()) == (403, "AccessDenied")
    assert call(node, "GET", "/mine/k").code() == "NoSuchKey"
    url = signer.presigned("PUT", host(node), "/mine/k", **{"x-amz-expected-bucket-owner": "somebody"})
    assert node.request("PUT", url, b"x").code() == "AccessDenied"


def test_a_header_that_says_something_else_is_refused(signed):
    answer = by_url(signed, "PUT", "/vault/k", {"Content-Type": "text/plain"}, b"x", Content_Type="text/html")
    assert (answer.status, answer.code()) == (400, "InvalidArgument")
    assert by_url(signed, "PUT", "/vault/k", {"Content-Type": "text/plain"}, b"x", Content_Type="text/plain").status == 200
    assert by_url(signed, "PUT", "/vault/k", {"x-amz-meta-a": "1"}, b"x", x_amz_meta_a="1").code() == "AccessDenied", "not signed"
    assert by_url(signed, "PUT", "/vault/k", {"Content-Length": "2"}, b"x").code() == "InvalidArgument"
    assert by_url(signed, "PUT", "/vault/k", {"x-amz-meta-a": "b\r\nX-Other: c"}, b"x").code() == "InvalidArgument"


def test_what_is_signed_cannot_be_changed(signed):
    url = Signer().presigned("PUT", host(signed), "/vault/k", **{"x-amz-acl": "private"})
    assert signed.request("PUT", url.replace("x-amz-acl=private", "x-amz-acl=public-read"), b"x").code() == "SignatureDoesNotMatch"
    assert signed.request("PUT", url + "&x-amz-meta-a=b", b"x").code() == "SignatureDoesNotMatch"


def test_without_a_presigned_signature_nothing_in_a_query_is_a_header(signed, node):
    assert call(signed, "PUT", "/vault/k?x-amz-acl=public-read", b"x").code() == "InvalidArgument"
    assert node.request("PUT", "/files/k?x-amz-meta-a=b", b"x").code() == "InvalidArgument"


CRC32_OF_NOTHING = {"x-amz-checksum-crc32": "AAAAAA==", "x-amz-sdk-checksum-algorithm": "CRC32"}


def test_the_checksum_of_no_body_that_an_sdk_signs_is_passed_over(signed):
    assert by_url(signed, "PUT", "/vault/js", CRC32_OF_NOTHING, b"some bytes").status == 200
    assert call(signed, "GET", "/vault/js").body == b"some bytes"
    begun = by_url(signed, "POST", "/vault/js2", {"uploads": "", "x-amz-checksum-algorithm": "CRC32"})
    assert begun.header("x-amz-checksum-algorithm") == "CRC32"
    upload = begun.body.split(b"<UploadId>")[1].split(b"<")[0].decode()
    part = by_url(signed, "PUT", "/vault/js2", {"partNumber": "1", "uploadId": upload, **CRC32_OF_NOTHING}, b"some bytes")
    assert part.status == 200
    done = call(signed, "POST", f"/vault/js2?uploadId={upload}",
                f"<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>{part.header('etag')}</ETag></Part></CompleteMultipartUpload>".encode())
    assert done.status == 200, done


@pytest.mark.parametrize("name, of", [("crc32", lambda b: zlib.crc32(b).to_bytes(4, "big")), ("sha256", lambda b: hashlib.sha256(b).digest())])
def test_any_other_checksum_in_the_url_is_checked_and_kept(signed, name, of):
    value = base64.b64encode(of(b"the body")).decode()
    query = {f"X-Amz-Checksum-{name.title()}": value, "x-amz-sdk-checksum-algorithm": name.upper()}
    refused = by_url(signed, "PUT", "/vault/sum", query, b"another")
    assert (refused.status, refused.code()) == (400, "BadDigest")
    assert by_url(signed, "PUT", "/vault/sum", query, b"the body").status == 200
    head = by_url(signed, "HEAD", "/vault/sum", {"x-amz-checksum-mode": "ENABLED"})
    assert head.header(f"x-amz-checksum-{name}") == value


def test_the_payload_hash_of_the_url_counts_in_any_spelling(signed):
    """Signed with the hash in place of UNSIGNED-PAYLOAD."""
    for spelling in ("X-Amz-Content-Sha256", "x-amz-content-sha256"):
        signer = Signer()
        query = {spelling: sha256(b"the body"), "X-Amz-Algorithm": "AWS4-HMAC-SHA256", "X-Amz-Credential": f"{ACCESS}/{signer.scope}",
                 "X-Amz-Date": signer.time, "X-Amz-Expires": "60", "X-Amz-SignedHeaders": "host"}
        path = "/vault/hash?" + urllib.parse.urlencode(query, quote_via=urllib.parse.quote)
        canonical, _ = signer.canonical("PUT", path, {"Host": host(signed)}, sha256(b"the body"))
        url = path + "&X-Amz-Signature=" + signer.sign("AWS4-HMAC-SHA256", sha256(canonical.encode()))
        assert signed.request("PUT", url, b"another!").code() == "XAmzContentSHA256Mismatch"
        assert signed.request("PUT", url, b"the body").status == 200


@pytest.fixture(scope="module")
def old_signatures(tmp_path_factory):
    boto3 = pytest.importorskip("boto3")
    from botocore.config import Config
    n = Node(tmp_path_factory.mktemp("version-2"), **GUARDED, auth_sigv2="presigned").start()
    assert call(n, "PUT", "/vault").status == 200
    yield n, boto3.client("s3", endpoint_url=n.url(), region_name="us-east-1", aws_access_key_id=ACCESS, aws_secret_access_key=SECRET,
                          config=Config(signature_version="s3", s3={"addressing_style": "path"}))
    n.stop()


def presigned_2(node, client, operation, more="", **arguments):
    return client.generate_presigned_url(operation, dict(arguments, Bucket="vault"), ExpiresIn=60)[len(node.url()):] + more


def test_version_2_is_taken_in_presigned_urls_where_it_is_allowed(old_signatures, signed):
    node, client = old_signatures
    put = presigned_2(node, client, "put_object", Key="a b", ContentType="text/plain", Metadata={"colour": "blue"})
    assert "AWSAccessKeyId=" in put and "X-Amz-Signature" not in put
    assert node.request("PUT", put, b"hello").status == 200
    refused = signed.request("PUT", put, b"hello")
    assert refused.status == 400 and b"auth.sigv2" in refused.body
    got = node.request("GET", presigned_2(node, client, "get_object", Key="a b"))
    assert (got.body, got.header("content-type"), got.header("x-amz-meta-colour")) == (b"hello", "text/plain", "blue")
    typed = node.request("GET", presigned_2(node, client, "get_object", Key="a b", ResponseContentType="text/html"))
    assert typed.header("content-type") == "text/html"
    assert b"<Key>a" in node.request("GET", presigned_2(node, client, "list_objects")).body
    assert node.request("HEAD", presigned_2(node, client, "head_bucket")).status == 200


def test_version_2_signs_all_that_changes_what_a_url_means(old_signatures):
    node, client = old_signatures
    put = presigned_2(node, client, "put_object", Key="k")
    for headers in ({"x-amz-acl": "public-read"}, {"Content-Type": "text/html"}, {"x-amz-copy-source": "/vault/k"}, {"Content-MD5": "x"}):
        assert node.request("PUT", put, b"hello", headers).code() == "SignatureDoesNotMatch", headers
    for more in ("&x-amz-acl=public-read", "&tagging", "&acl", "&uploadId=1", "&content-type=text/html", "&versionId=null"):
        assert node.request("PUT", put + more, b"hello").code() == "SignatureDoesNotMatch", more
    assert node.request("DELETE", put).code() == "SignatureDoesNotMatch"
    assert node.request("PUT", put.replace("/vault/k", "/vault/other"), b"hello").code() == "SignatureDoesNotMatch"
    assert node.request("PUT", put, b"hello").status == 200
    get = presigned_2(node, client, "get_object", Key="k")
    for more in ("&response-content-type=text/html", "&attributes", "&versionId=null", "&tagging"):
        assert node.request("GET", get + more).code() == "SignatureDoesNotMatch", more
    late = client.generate_presigned_url("get_object", {"Bucket": "vault", "Key": "k"}, ExpiresIn=-1)[len(node.url()):]
    assert node.request("GET", late).code() == "AccessDenied"
    mixed = call(node, "GET", get)
    assert (mixed.status, mixed.code()) == (400, "InvalidArgument")
