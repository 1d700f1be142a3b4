"""What answers tell clients: URLs, names, metadata and errors in a form that they can read."""
import base64
import email.header
import email.utils
import hashlib
import re
import urllib.parse
import xml.etree.ElementTree as ET

import pytest

from signing import Signer, call, content_md5
from wire import exchange, request_bytes

NAME_SPACE = "{http://s3.amazonaws.com/doc/2006-03-01/}"


@pytest.fixture(scope="module")
def guarded(guarded):
    assert call(guarded, "PUT", "/files").status == 200
    return guarded


def text_of(answer, element):
    return [e.text or "" for e in ET.fromstring(answer.body).iter(NAME_SPACE + element)]


def delete(node, bucket, inside):
    body = b"<Delete>" + inside + b"<Object><Key>k</Key></Object></Delete>"
    return node.request("POST", f"/{bucket}?delete", body, content_md5(body))


def nested(depth):
    return b"<!--> <![CDATA[ -->" + b"<a>" * depth + b"</a>" * depth + b"<!-- ]]> -->"


@pytest.mark.parametrize("method,path,depth", [("POST", "/{b}?delete", 40000), ("POST", f"/{{b}}/x?uploadId={'0' * 32}", 40000), ("PUT", "/{b}?lifecycle", 36000),
                                               ("PUT", "/{b}?cors", 9000), ("PUT", "/{b}?tagging", 9000), ("PUT", "/{b}/x?tagging", 9000), ("PUT", "/{b}?versioning", 2000)])
def test_documents_that_nest_deeper_than_the_stack_are_malformed(node, bucket, method, path, depth):
    answer = node.request(method, path.format(b=bucket), nested(depth), content_md5(nested(depth)))
    assert (answer.status, answer.code()) == (400, "MalformedXML"), answer
    assert node.running() and node.get(f"/{bucket}").status == 200


def test_numbers_and_booleans_may_have_spaces_around_them(node, bucket):
    begun = node.request("POST", f"/{bucket}/k?uploads")
    upload = text_of(begun, "UploadId")[0]
    etag = node.put(f"/{bucket}/k?partNumber=1&uploadId={upload}", b"x").header("etag")
    body = f"<CompleteMultipartUpload>\n <Part>\n <PartNumber>\n 1\n </PartNumber>\n <ETag>\n {etag}\n </ETag></Part>\n</CompleteMultipartUpload>"
    assert node.request("POST", f"/{bucket}/k?uploadId={upload}", body.encode()).status == 200
    quiet = delete(node, bucket, b"<Quiet> true </Quiet>")
    assert quiet.status == 200 and b"<Deleted>" not in quiet.body
    wrong = delete(node, bucket, b"<Quiet>maybe</Quiet>")
    assert (wrong.status, wrong.code()) == (400, "MalformedXML")


def test_a_completed_upload_tells_its_url(node, bucket):
    target = f"/{bucket}/a%20b/%C3%A9"
    upload = text_of(node.request("POST", target + "?uploads"), "UploadId")[0]
    etag = node.put(f"{target}?partNumber=1&uploadId={upload}", b"hello").header("etag")
    body = f"<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>{etag}</ETag></Part></CompleteMultipartUpload>"
    done = node.request("POST", f"{target}?uploadId={upload}", body.encode())
    location = text_of(done, "Location")[0]
    assert location == f"http://127.0.0.1:{node.http_port}{target}"
    assert node.get(urllib.parse.urlsplit(location).path).body == b"hello"


def test_start_after_is_compared_with_keys_and_markers_with_what_was_shown(node, bucket):
    for key in ("a/1", "a/2", "b/1"):
        node.put(f"/{bucket}/{key}", b"x")

    def groups(query):
        return text_of(node.get(f"/{bucket}?delimiter=/&{query}"), "Prefix")[1:]

    for start in ("a", "a/", "a/1"):
        assert groups(f"list-type=2&start-after={start}") == ["a/", "b/"], start
    assert groups("list-type=2&start-after=a/2") == ["b/"]
    for start in ("a/", "a/1"):
        assert groups(f"marker={start}") == ["b/"], start
    first = node.get(f"/{bucket}?delimiter=/&list-type=2&start-after=a&max-keys=1")
    token = urllib.parse.quote(text_of(first, "NextContinuationToken")[0], safe="")
    assert groups(f"list-type=2&start-after=a&continuation-token={token}") == ["b/"]


def test_metadata_beyond_ascii_comes_back_as_encoded_words(node, bucket):
    def decoded(text):
        return str(email.header.make_header(email.header.decode_header(text)))

    text = "größé 日本 " * 12
    head = request_bytes("PUT", f"/{bucket}/k", [("Content-Length", 1)])[:-2]
    sent = head + b"x-amz-meta-raw: " + text.strip().encode() + b"\r\nx-amz-meta-latin: gr\xfcn\r\nx-amz-meta-word: =?UTF-8?B?" + base64.b64encode(b"\xc3\xa4") + b"?=\r\n\r\nx"
    assert exchange(node, sent).status == 200
    headers = node.head(f"/{bucket}/k").headers
    assert all(ord(c) < 127 for value in headers.values() for c in value)
    assert decoded(headers["x-amz-meta-raw"]) == text.strip()
    assert decoded(headers["x-amz-meta-latin"]) == "grün"
    assert headers["x-amz-meta-word"] == "=?UTF-8?B?w6Q=?="


def test_stored_headers_beyond_ascii_come_back_as_clients_read_them(node, bucket):
    def sent(disposition):
        head = request_bytes("PUT", f"/{bucket}/k", [("Content-Length", 1)])[:-2]
        assert exchange(node, head + b"Content-Disposition: " + disposition + b"\r\n\r\nx").status == 200
        return node.get(f"/{bucket}/k").headers["content-disposition"]  # http.client reads fields as ISO-8859-1

    for cafe in ("café".encode(), b"caf\xe9"):
        assert sent(b'inline; filename="' + cafe + b'"') == 'inline; filename="café"'
    word = base64.b64encode("日本 é.txt".encode()).decode()
    assert sent('attachment; filename="日本 é.txt"; size=1'.encode()) == f'attachment; filename="=?UTF-8?B?{word}?="; size=1'


@pytest.mark.parametrize("query", ["?list-type=2&", "?", "?versions&", "?uploads&"])
def test_listings_refuse_what_no_document_can_repeat(node, bucket, query):
    for name in ("prefix", "delimiter", "marker", "start-after", "key-marker", "upload-id-marker"):
        for value in ("%FF", "a%C3", "%00"):
            answer = node.get(f"/{bucket}{query}{name}={value}")
            assert (answer.status, answer.code()) == (400, "InvalidArgument"), (name, value)
            ET.fromstring(answer.body)
    assert node.get(f"/{bucket}{query}prefix=%C3%A4").status == 200


def test_error_documents_are_xml_whatever_was_asked_for(node, bucket):
    for path in (f"/{bucket}/%FF", f"/{bucket}/a%00b", f"/{bucket}/%01%1B", "/%FF%FE/k", f"/{bucket}/%EF%BF%BE"):
        answer = node.get(path)
        assert answer.status in (400, 404), path
        assert ET.fromstring(answer.body).find("Resource").text.startswith("/"), path


def test_uploads_of_keys_with_control_characters_are_answered_in_xml(node, bucket):
    begun = node.request("POST", f"/{bucket}/a%01b?uploads")
    upload = text_of(begun, "UploadId")[0]
    etag = node.put(f"/{bucket}/a%01b?partNumber=1&uploadId={upload}", b"x").header("etag")
    assert text_of(node.get(f"/{bucket}/a%01b?uploadId={upload}"), "PartNumber") == ["1"]
    body = f"<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>{etag}</ETag></Part></CompleteMultipartUpload>"
    done = node.request("POST", f"/{bucket}/a%01b?uploadId={upload}", body.encode())
    assert text_of(done, "Location")[0].endswith(f"/{bucket}/a%01b")
    assert text_of(node.get(f"/{bucket}?encoding-type=url"), "Key") == ["a%01b"]


def test_version_1_encodes_its_prefix_like_all_names(node, bucket):
    node.put(f"/{bucket}/a%2Bb%2520/1", b"x")
    for version in ("", "list-type=2&"):
        page = node.get(f"/{bucket}?{version}prefix=a%2Bb%2520/&encoding-type=url")
        assert [urllib.parse.unquote(p) for p in text_of(page, "Prefix")] == ["a+b%20/"]
        assert [urllib.parse.unquote(k) for k in text_of(page, "Key")] == ["a+b%20/1"]


@pytest.mark.parametrize("host", ["a b/c@d", "user@localhost", "localhost:x", "[::1", "http://localhost", "b\xfc"])
def test_an_invalid_host_is_a_bad_request(guarded, host):
    answer = exchange(guarded, b"GET /x/y HTTP/1.1\r\nHost: " + host.encode("latin-1") + b"\r\n\r\n")
    assert answer.status == 400, answer


def test_a_request_may_be_signed_with_a_date_in_any_zone(guarded):
    def dated(zone):
        signer = Signer()
        host = f"127.0.0.1:{guarded.http_port}"
        headers = {"Host": host, "Date": email.utils.formatdate(usegmt=True).replace("GMT", zone), "x-amz-content-sha256": hashlib.sha256(b"").hexdigest()}
        canonical, names = signer.canonical("GET", "/files", headers, headers["x-amz-content-sha256"])
        signature = signer.sign("AWS4-HMAC-SHA256", hashlib.sha256(canonical.encode()).hexdigest())
        headers["Authorization"] = f"AWS4-HMAC-SHA256 Credential={signer.access}/{signer.scope}, SignedHeaders={names}, Signature={signature}"
        return headers, signer.time

    for zone in ("GMT", "-0000", "+0000"):
        for _ in range(3):  # the second may end between the signer's look at the clock and the header's
            headers, time = dated(zone)
            if email.utils.parsedate_to_datetime(headers["Date"]).strftime("%Y%m%dT%H%M%SZ") == time:
                break
        assert guarded.request("GET", "/files", None, headers).status == 200, zone


def test_an_empty_security_token_is_none(guarded):
    assert call(guarded, "GET", "/files", X_Amz_Security_Token="").status == 200
    answer = call(guarded, "GET", "/files", X_Amz_Security_Token="n/a")
    assert (answer.status, answer.code()) == (400, "InvalidToken")
    host = f"127.0.0.1:{guarded.http_port}"
    assert guarded.get(Signer().presigned("GET", host, "/files", X_Amz_Security_Token="")).status == 200


@pytest.mark.parametrize("method,path", [("PUT", "/{b}?website"), ("GET", "/{b}?inventory"), ("GET", "/{b}/k?torrent"), ("POST", "/{b}/k?select")])
def test_what_is_not_implemented_is_told_to_everybody_and_tells_nothing_else(guarded, method, path):
    told = []
    for bucket in ("files", "absent-bucket"):
        answer = guarded.request(method, path.format(b=bucket), b"hello" if method == "POST" else None)
        assert (answer.status, answer.code()) == (501, "NotImplemented")
        told.append(re.sub(rb"<(Resource|RequestId)>.*?<", b"<", answer.body))
    assert told[0] == told[1]
    assert guarded.request("GET", "/files").status == 403


def test_everybody_may_list_versions_and_uploads_of_a_bucket_with_public_read(guarded):
    assert call(guarded, "PUT", "/shown", x_amz_acl="public-read").status == 200
    for query in ("", "?list-type=2", "?versions", "?uploads"):
        assert guarded.get("/shown" + query).status == 200, query
        assert guarded.get("/files" + query).status == 403, query
    assert guarded.request("PUT", "/shown/k", b"x").status == 403
