"""What each right is, as S3 has it: writing is not owning, and who may know nothing learns nothing."""
import base64
import json
import re

from rights import bucket_of, cairn, delete_many, denied, key_with
from signing import ROOT, Signer, call, content_md5, sha256

MADE_UP = "0" * 14 + "99" + "0" * 8


# Write is not owner


def test_versions_are_removed_for_good_by_owners_only(guarded):
    b = bucket_of(guarded, "versions", "Enabled", "public-read-write")
    for who in (key_with(guarded, b, "write"), key_with(guarded, b, "read", "write"), key_with(guarded, b, "owner"), key_with(guarded, b), None):
        version = call(guarded, "PUT", f"/{b}/k", b"1").header("x-amz-version-id")
        assert denied(call(guarded, "DELETE", f"/{b}/k?versionId={version}", key=who))
        many = delete_many(guarded, b, [("k", version)], who)
        assert b"<Code>AccessDenied</Code>" in many.body and b"<Deleted>" not in many.body
        marker = call(guarded, "DELETE", f"/{b}/k", key=who)  # hides it, as S3 lets who may write
        assert marker.status == 204 and marker.header("x-amz-delete-marker") == "true"
        assert denied(call(guarded, "DELETE", f"/{b}/k?versionId={marker.header('x-amz-version-id')}", key=who))
        assert denied(call(guarded, "DELETE", f"/{b}/k?versionId=null", key=who))
        assert call(guarded, "GET", f"/{b}/k?versionId={version}").body == b"1"
    owner = key_with(guarded, b, "write", "owner")
    version = call(guarded, "PUT", f"/{b}/k", b"1", owner).header("x-amz-version-id")
    assert call(guarded, "DELETE", f"/{b}/k?versionId={version}", key=owner).status == 204
    version = call(guarded, "PUT", f"/{b}/k", b"1", owner).header("x-amz-version-id")
    assert b"<Deleted>" in delete_many(guarded, b, [("k", version)], owner).body
    assert call(guarded, "GET", f"/{b}/k?versionId={version}").status == 404


def test_null_versions_go_as_s3_has_it(guarded):
    b = bucket_of(guarded, "nulls", "Suspended")
    writer = key_with(guarded, b, "write")
    assert call(guarded, "PUT", f"/{b}/k", b"1", writer).status == 200
    assert denied(call(guarded, "DELETE", f"/{b}/k?versionId=null", key=writer))
    assert call(guarded, "DELETE", f"/{b}/k", key=writer).status == 204  # replaces the null version, which is DeleteObject
    assert call(guarded, "GET", f"/{b}/k").status == 404


def test_tags_of_a_version_are_its_owners(guarded):
    b = bucket_of(guarded, "tags", "Enabled")
    writer, owner = key_with(guarded, b, "write"), key_with(guarded, b, "write", "owner")
    tags = b"<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>"
    version = call(guarded, "PUT", f"/{b}/k", b"1").header("x-amz-version-id")
    assert call(guarded, "PUT", f"/{b}/k?tagging", tags, writer).status == 200
    for method, body in (("PUT", tags), ("DELETE", b"")):
        assert denied(call(guarded, method, f"/{b}/k?tagging&versionId={version}", body, writer))
        assert call(guarded, method, f"/{b}/k?tagging&versionId={version}", body, owner).status in (200, 204)


def test_public_lists_are_made_by_owners_only(guarded):
    b = bucket_of(guarded, "lists", acl="public-read-write")
    assert call(guarded, "PUT", f"/{b}/source", b"data").status == 200
    source = {"x_amz_copy_source": f"/{b}/source"}
    writer, owner = key_with(guarded, b, "read", "write"), key_with(guarded, b, "read", "write", "owner")
    for acl in ("public-read", "public-read-write"):
        for who in (writer, None):
            assert denied(call(guarded, "PUT", f"/{b}/leak", b"x", who, x_amz_acl=acl))
            assert denied(call(guarded, "POST", f"/{b}/leak?uploads", key=who, x_amz_acl=acl))
        assert denied(call(guarded, "PUT", f"/{b}/leak", key=writer, x_amz_acl=acl, **source))
    assert call(guarded, "HEAD", f"/{b}/leak").status == 404
    for acl in ("private", "bucket-owner-full-control"):
        for who in (writer, None):
            assert call(guarded, "PUT", f"/{b}/kept", b"x", who, x_amz_acl=acl).status == 200
            assert call(guarded, "POST", f"/{b}/kept?uploads", key=who, x_amz_acl=acl).status == 200
        assert call(guarded, "PUT", f"/{b}/kept", key=writer, x_amz_acl=acl, **source).status == 200
    assert call(guarded, "PUT", f"/{b}/shown", b"x", owner, x_amz_acl="public-read").status == 200
    assert call(guarded, "PUT", f"/{b}/shown-copy", key=owner, x_amz_acl="public-read", **source).status == 200
    assert call(guarded, "GET", f"/{b}/shown", key=None).body == b"x" and call(guarded, "GET", f"/{b}/shown-copy", key=None).body == b"data"
    assert denied(call(guarded, "PUT", f"/{b}/tagged", b"x", None, x_amz_tagging="a=b"))
    assert call(guarded, "PUT", f"/{b}/tagged", b"x", writer, x_amz_tagging="a=b").status == 200


def test_anonymous_clients_continue_only_anonymous_uploads(guarded):
    b = bucket_of(guarded, "uploads", acl="public-read-write")

    def begun(who):
        return re.search(rb"<UploadId>(.*?)</UploadId>", call(guarded, "POST", f"/{b}/k?uploads", key=who).body).group(1).decode()
    of_root, of_nobody = begun(ROOT), begun(None)
    part = call(guarded, "PUT", f"/{b}/k?partNumber=1&uploadId={of_root}", b"part")
    body = f"<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>{part.header('etag')}</ETag></Part></CompleteMultipartUpload>".encode()
    assert denied(call(guarded, "PUT", f"/{b}/k?partNumber=1&uploadId={of_root}", b"other", None))
    assert denied(call(guarded, "GET", f"/{b}/k?uploadId={of_root}", key=None))
    assert denied(call(guarded, "POST", f"/{b}/k?uploadId={of_root}", body, None))
    assert denied(call(guarded, "DELETE", f"/{b}/k?uploadId={of_root}", key=None))
    assert call(guarded, "POST", f"/{b}/k?uploadId={of_root}", body).status == 200
    assert call(guarded, "GET", f"/{b}/k").body == b"part"
    assert call(guarded, "PUT", f"/{b}/k?partNumber=1&uploadId={of_nobody}", b"part", None).status == 200
    assert call(guarded, "GET", f"/{b}/k?uploadId={of_nobody}", key=None).status == 200
    assert call(guarded, "POST", f"/{b}/k?uploadId={of_nobody}", body, None).status == 200


# Oracles


def test_who_may_know_nothing_learns_nothing(guarded):
    b = bucket_of(guarded, "closed", "Enabled")
    version = call(guarded, "PUT", f"/{b}/exists", b"x").header("x-amz-version-id")
    call(guarded, "PUT", f"/{b}/hidden", b"x")
    marker = call(guarded, "DELETE", f"/{b}/hidden").header("x-amz-version-id")
    log = guarded.log()
    queries = ["", f"?versionId={version}", f"?versionId={marker}", f"?versionId={MADE_UP}", "?versionId=null", "?tagging", "?acl",
               "?partNumber=1", f"?tagging&versionId={MADE_UP}", f"?acl&versionId={marker}", "?uploadId=" + "0" * 32, "?legal-hold"]
    for who in (None, key_with(guarded, b), key_with(guarded, b, "write"), key_with(guarded, b, "owner")):
        for query in queries:
            if query.startswith("?uploadId") and who and who[0]:
                continue  # everything about uploads is `write`
            for method in ("GET", "HEAD"):
                seen = {(a.status, a.code(), len(a.body) if method == "HEAD" else 0)
                        for a in (call(guarded, method, f"/{b}/{k}{query}", key=who) for k in ("exists", "hidden", "absent"))}
                if method == "GET" or query in ("", f"?versionId={MADE_UP}", f"?versionId={marker}"):
                    assert len(seen) == 1 and next(iter(seen))[0] in (403, 501), (who, method, query, seen)
        attributes = {call(guarded, "GET", f"/{b}/{k}?attributes", key=who, x_amz_object_attributes="ETag").code() for k in ("exists", "absent")}
        assert attributes == {"AccessDenied"}
    reader = key_with(guarded, b, "read")
    assert call(guarded, "GET", f"/{b}/absent", key=reader).code() == "NoSuchKey"
    assert call(guarded, "GET", f"/{b}/exists?versionId={MADE_UP}", key=reader).code() == "NoSuchVersion"
    assert call(guarded, "GET", f"/{b}/hidden?versionId={marker}", key=reader).status == 405
    grown = guarded.log()[len(log):]
    assert "error" not in grown.lower() and "warn" not in grown.lower(), grown


def test_no_refusal_is_logged_as_a_fault(guarded):
    b = bucket_of(guarded, "quiet", "Enabled")
    log = guarded.log()
    call(guarded, "PUT", f"/{b}/k", b"x")
    version = call(guarded, "DELETE", f"/{b}/k").header("x-amz-version-id")
    bad = base64.b64encode(b"0" * 16).decode()
    for method, path, headers in (("GET", "k", {}), ("GET", f"k?versionId={version}", {}), ("GET", f"k?versionId={MADE_UP}", {}),
                                  ("GET", f"k?versionId={version}&partNumber=1", {}), ("GET", "k?select", {}), ("PUT", "k", {"Content_MD5": bad}),
                                  ("PUT", "k", {"x_amz_acl": "aws-exec-read"}), ("PUT", "copy", {"x_amz_copy_source": f"/{b}/absent"}),
                                  ("PUT", "k?partNumber=1&uploadId=" + "0" * 32, {}), ("PUT", "k", {"If_Match": '"a", "b"'}),
                                  ("PUT", "k", {"x_amz_server_side_encryption": "AES256"}), ("DELETE", "k?uploadId=" + "0" * 32, {})):
        answer = call(guarded, method, f"/{b}/{path}", b"x" if method == "PUT" and "copy" not in path else b"", **headers)
        assert answer.status >= 400, (method, path, answer)
    assert delete_many(guarded, b, [("k", MADE_UP), ("k", version)], ROOT).status == 200
    grown = guarded.log()[len(log):]
    assert not re.search(r"\b(error|warn|warning)\b", grown.lower()), grown


# Pages of other origins


def test_pages_of_other_origins_change_nothing_without_a_rule(start_node):
    n = start_node()  # anybody on this machine may write
    body = b"<Delete><Object><Key>a</Key></Object></Delete>"
    md5 = content_md5(body)
    assert n.put("/files/a", b"x").status == 200
    plain = n.request("POST", "/files?delete", body)
    assert (plain.status, plain.code()) == (400, "InvalidRequest") and b"Content-MD5 OR x-amz-checksum-" in plain.body
    own = f"http://127.0.0.1:{n.http_port}"
    for page in ({"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}, {"Origin": "null"}, {"Sec-Fetch-Site": "same-site"},
                 {"Origin": "http://127.0.0.1:1"}, {"Origin": own.replace("127.0.0.1", "localhost")}):
        for method, path, sent in (("POST", "/files?delete", body), ("POST", "/files/u?uploads", None), ("PUT", "/files/b", b"x"),
                                   ("DELETE", "/files/a", None), ("PUT", "/made", None), ("PUT", "/files?acl", None)):
            answer = n.request(method, path, sent, md5 | page | {"Content-Type": "text/plain;charset=UTF-8"})
            assert denied(answer), (page, method, path, answer)
        asked = dict(page, **{"Access-Control-Request-Method": "PUT"}, Origin=page.get("Origin", "https://evil.example"))
        assert n.request("OPTIONS", "/files/a", headers=asked).status == 403
        assert n.request("OPTIONS", "/", headers=asked).header("Access-Control-Allow-Origin") is None
    assert n.get("/files/a").body == b"x" and n.head("/made").status == 404
    assert n.request("PUT", "/files/own", b"x", {"Origin": own, "Sec-Fetch-Site": "same-origin"}).status == 200
    assert n.request("POST", "/files?delete", body, md5 | {"Sec-Fetch-Site": "none"}).status == 200


def test_a_rule_of_the_bucket_lets_pages_write(guarded):
    b = bucket_of(guarded, "drop-box", acl="public-read-write")
    rules = (b"<CORSConfiguration><CORSRule><AllowedOrigin>https://app.example</AllowedOrigin><AllowedMethod>PUT</AllowedMethod>"
             b"</CORSRule></CORSConfiguration>")
    page = {"Origin": "https://app.example", "Sec-Fetch-Site": "cross-site"}
    assert denied(guarded.request("PUT", f"/{b}/k", b"x", page))
    assert call(guarded, "PUT", f"/{b}?cors", rules).status == 200
    assert guarded.request("PUT", f"/{b}/k", b"x", page).status == 200
    assert denied(guarded.request("DELETE", f"/{b}/k", headers=page))
    assert denied(guarded.request("PUT", f"/{b}/k", b"y", dict(page, Origin="https://evil.example")))
    signed = Signer().headers("PUT", f"127.0.0.1:{guarded.http_port}", f"/{b}/k", sha256(b"z"))
    assert guarded.request("PUT", f"/{b}/k", b"z", signed | {"Origin": "https://evil.example"}).status == 200  # it was signed
    assert call(guarded, "GET", f"/{b}/k").body == b"z"


def test_copies_tell_nothing_of_a_bucket_that_the_key_may_not_list(guarded):
    secret, own = bucket_of(guarded, "copied-secrets"), bucket_of(guarded, "copied-own")
    assert call(guarded, "PUT", f"/{secret}/there", b"secret").status == 200
    key = key_with(guarded, own, "read", "write")
    begun = call(guarded, "POST", f"/{own}/parts?uploads", key=key).body.decode()
    part = f"/{own}/parts?partNumber=1&uploadId={re.search('<UploadId>(.*?)<', begun)[1]}"

    def answers(path, **headers):
        told = [call(guarded, "PUT", path, key=key, x_amz_copy_source=f"/{secret}/{name}", **headers) for name in ("there", "missing")]
        return [(a.status, re.sub(b"<(RequestId|HostId|Resource)>.*?</", b"", a.body)) for a in told]

    for path, headers in ((f"/{own}/copy", {}), (part, {}), (f"/{own}/copy", {"x_amz_copy_source_if_match": '"0"'}),
                          (part, {"x_amz_copy_source_range": "bytes=0-999"})):
        existing, missing = answers(path, **headers)
        assert existing == missing and existing[0] == 403, (path, headers, existing, missing)


def test_an_upload_is_not_published_by_who_may_not_publish_any_more(guarded):
    bucket = bucket_of(guarded, "published-later")
    key = key_with(guarded, bucket, "read", "write", "owner")

    def completed(between):
        begun = call(guarded, "POST", f"/{bucket}/big?uploads", key=key, x_amz_acl="public-read").body.decode()
        upload = re.search("<UploadId>(.*?)<", begun)[1]
        etag = call(guarded, "PUT", f"/{bucket}/big?partNumber=1&uploadId={upload}", b"part", key).header("etag")
        between()
        document = f"<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>{etag}</ETag></Part></CompleteMultipartUpload>"
        return call(guarded, "POST", f"/{bucket}/big?uploadId={upload}", document.encode(), key).status

    assert completed(lambda: None) == 200
    assert call(guarded, "GET", f"/{bucket}/big", key=None).status == 200
    assert call(guarded, "DELETE", f"/{bucket}/big").status == 204
    assert completed(lambda: cairn(guarded, "key", "deny", key[0], bucket, "--owner")) == 403
    assert call(guarded, "GET", f"/{bucket}/big", key=None).status == 403


def test_an_upload_locks_nothing_for_who_may_not_lock_any_more(guarded):
    bucket = "locked-later"
    assert call(guarded, "PUT", f"/{bucket}", x_amz_bucket_object_lock_enabled="true").status == 200
    key = key_with(guarded, bucket, "read", "write")
    lock = {"x_amz_object_lock_mode": "COMPLIANCE", "x_amz_object_lock_retain_until_date": "2099-01-01T00:00:00Z"}
    rule = {"Effect": "Deny", "Principal": "*", "Resource": f"arn:aws:s3:::{bucket}/*"}

    def completed(name, action, **headers):
        """Whether the upload can be completed after the policy denied the action."""
        begun = call(guarded, "POST", f"/{bucket}/{name}?uploads", key=key, **headers).body.decode()
        upload = re.search("<UploadId>(.*?)<", begun)[1]
        etag = call(guarded, "PUT", f"/{bucket}/{name}?partNumber=1&uploadId={upload}", b"part", key).header("etag")
        policy = json.dumps({"Version": "2012-10-17", "Statement": [dict(rule, Action=action)]})
        assert call(guarded, "PUT", f"/{bucket}?policy", policy.encode()).status == 204
        document = f"<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>{etag}</ETag></Part></CompleteMultipartUpload>"
        answer = call(guarded, "POST", f"/{bucket}/{name}?uploadId={upload}", document.encode(), key)
        assert call(guarded, "DELETE", f"/{bucket}?policy").status == 204
        return answer.status

    assert completed("retained", "s3:PutObjectRetention", **lock) == 403
    assert completed("held", "s3:PutObjectLegalHold", x_amz_object_lock_legal_hold="ON") == 403
    assert completed("tagged", "s3:PutObjectTagging", x_amz_tagging="a=b") == 403
    for name in ("retained", "held", "tagged"):
        assert call(guarded, "GET", f"/{bucket}/{name}").status == 404
    assert completed("plain", "s3:PutObjectRetention") == 200
    assert completed("other", "s3:PutObjectTagging", x_amz_object_lock_legal_hold="ON") == 200
