"""Access keys and their rights, public buckets and objects, CORS: who gets in, and that nobody else does."""
import json
import os

import pytest

from rights import GUARDED, cairn, command, denied, new_key
from signing import ACCESS, SECRET, Signer, sha256

boto3 = pytest.importorskip("boto3")
botocore = pytest.importorskip("botocore")
from botocore.config import Config  # noqa: E402
from botocore.exceptions import ClientError  # noqa: E402


@pytest.fixture(scope="module")
def guarded(guarded):
    """With the buckets `vault` and `other`."""
    for name in ("vault", "other"):
        assert call(guarded, "PUT", f"/{name}").status == 200
    return guarded


def call(node, method, path, body=b"", signer=None, **headers):
    signer = signer or Signer()
    signed = signer.headers(method, f"127.0.0.1:{node.http_port}", path, sha256(body), **headers)
    return node.request(method, path, body or None, signed)


def of(key):
    return Signer(access=key[0], secret=key[1])


def test_a_key_may_do_what_it_was_given(guarded):
    key = new_key(guarded, "--label", "for the vault")
    for method, path in (("GET", "/vault"), ("PUT", "/vault/k"), ("DELETE", "/vault"), ("PUT", "/fresh")):
        assert denied(call(guarded, method, path, signer=of(key))), path
    cairn(guarded, "key", "allow", key[0], "vault", "--write")
    assert call(guarded, "PUT", "/vault/k", b"data", of(key)).status == 200
    assert denied(call(guarded, "GET", "/vault/k", signer=of(key)))
    assert denied(call(guarded, "GET", "/vault", signer=of(key)))
    cairn(guarded, "key", "allow", key[0], "vault", "--read")
    assert call(guarded, "GET", "/vault/k", signer=of(key)).body == b"data"
    assert denied(call(guarded, "PUT", "/vault?acl", signer=of(key), x_amz_acl="public-read"))
    assert denied(call(guarded, "DELETE", "/vault", signer=of(key)))
    assert denied(call(guarded, "PUT", "/other/k", b"data", of(key)))
    assert call(guarded, "HEAD", "/other/k").status == 404
    listed = call(guarded, "GET", "/", signer=of(key)).body
    assert b"<Name>vault</Name>" in listed and b"<Name>other</Name>" not in listed
    shown = json.loads(cairn(guarded, "key", "list", "--json"))
    mine = next(k for k in shown if k["access_key"] == key[0])
    assert mine["grants"] == [{"bucket": "vault", "read": True, "write": True, "owner": False}]
    assert mine["label"] == "for the vault" and key[1] not in json.dumps(shown)
    assert "vault: read write" in cairn(guarded, "key", "list")


def test_rights_that_are_taken_and_keys_that_are_deleted_end_at_once(guarded):
    key = new_key(guarded)
    cairn(guarded, "key", "allow", key[0], "vault", "--read", "--write")
    assert call(guarded, "PUT", "/vault/k", b"data", of(key)).status == 200
    cairn(guarded, "key", "deny", key[0], "vault", "--write")
    assert denied(call(guarded, "PUT", "/vault/k", b"later", of(key)))
    assert call(guarded, "GET", "/vault/k", signer=of(key)).body == b"data"
    cairn(guarded, "key", "delete", key[0])
    answer = call(guarded, "GET", "/vault/k", signer=of(key))
    assert (answer.status, answer.code()) == (403, "InvalidAccessKeyId")
    assert command(guarded, "key", "delete", key[0]).returncode != 0


def test_another_keys_secret_bucket_or_source_lets_no_byte_in_or_out(guarded):
    mine, theirs = new_key(guarded), new_key(guarded)
    cairn(guarded, "key", "allow", mine[0], "vault", "--read", "--write")
    cairn(guarded, "key", "allow", theirs[0], "other", "--read", "--write")
    assert call(guarded, "PUT", "/other/secret", b"theirs", of(theirs)).status == 200
    wrong = call(guarded, "GET", "/vault/k", signer=Signer(access=mine[0], secret=theirs[1]))
    assert (wrong.status, wrong.code()) == (403, "SignatureDoesNotMatch")
    copied = call(guarded, "PUT", "/vault/copy", signer=of(mine), x_amz_copy_source="/other/secret")
    assert denied(copied) and b"theirs" not in copied.body
    assert call(guarded, "HEAD", "/vault/copy").status == 404
    absent = call(guarded, "PUT", "/no-such-bucket/k", b"x", of(mine))
    assert (absent.status, absent.code()) == (404, "NoSuchBucket")
    presigned = of(mine).presigned("GET", f"127.0.0.1:{guarded.http_port}", "/other/secret")
    assert denied(guarded.get(presigned))


def test_a_key_that_makes_buckets_owns_them(guarded):
    key = new_key(guarded, "--create-buckets")
    assert call(guarded, "PUT", "/mine-alone", signer=of(key)).status == 200
    assert call(guarded, "PUT", "/mine-alone", signer=of(key)).status == 200  # again: as S3 answers in us-east-1
    other = new_key(guarded, "--create-buckets")
    assert call(guarded, "PUT", "/mine-alone", signer=of(other)).code() == "BucketAlreadyExists"
    assert call(guarded, "PUT", "/mine-alone/k", b"x", of(key)).status == 200
    assert call(guarded, "DELETE", "/mine-alone/k", signer=of(key)).status == 204
    assert call(guarded, "DELETE", "/mine-alone", signer=of(key)).status == 204
    assert call(guarded, "PUT", "/mine-alone").status == 200  # root's now
    assert denied(call(guarded, "GET", "/mine-alone", signer=of(key)))
    cairn(guarded, "key", "deny", key[0], "--create-buckets")
    assert denied(call(guarded, "PUT", "/another", signer=of(key)))


def test_a_key_owns_a_thousand_buckets_at_most(guarded):
    key = new_key(guarded, "--create-buckets")
    for number in range(1000):
        assert call(guarded, "PUT", f"/many-{number}", signer=of(key)).status == 200
    refused = call(guarded, "PUT", "/one-too-many", signer=of(key))
    assert refused.status == 400 and refused.code() == "TooManyBuckets"
    assert call(guarded, "DELETE", "/many-0", signer=of(key)).status == 204
    assert call(guarded, "PUT", "/one-too-many", signer=of(key)).status == 200


def test_keys_and_rights_survive_a_restart(start_node):
    n = start_node(**GUARDED)
    assert call(n, "PUT", "/vault").status == 200
    key = new_key(n)
    cairn(n, "key", "allow", key[0], "vault", "--write")
    n.stop()
    n.start()
    assert call(n, "PUT", "/vault/k", b"x", of(key)).status == 200
    assert denied(call(n, "GET", "/vault/k", signer=of(key)))


def test_boto3_with_a_key_of_its_own(guarded):
    key = new_key(guarded)
    cairn(guarded, "key", "allow", key[0], "vault", "--read", "--write")
    s3 = boto3.client("s3", endpoint_url=guarded.url(), region_name="us-east-1", aws_access_key_id=key[0],
                      aws_secret_access_key=key[1], config=Config(s3={"addressing_style": "path"}, retries={"max_attempts": 1}))
    body = os.urandom(300_000)
    s3.put_object(Bucket="vault", Key="boto", Body=body)
    assert s3.get_object(Bucket="vault", Key="boto")["Body"].read() == body
    upload = s3.create_multipart_upload(Bucket="vault", Key="parts")["UploadId"]
    s3.abort_multipart_upload(Bucket="vault", Key="parts", UploadId=upload)
    with pytest.raises(ClientError) as failed:
        s3.list_objects_v2(Bucket="other")
    assert failed.value.response["Error"]["Code"] == "AccessDenied"


def test_the_admin_port_wants_its_token(guarded):
    for arguments in (("key", "create"), ("key", "list"), ("bucket", "public-read", "vault", "on")):
        refused = command(guarded, *arguments, token="another-token-0123456789")
        assert refused.returncode != 0 and "token" in refused.stderr and "CK" not in refused.stdout


# Anonymous


def test_a_public_bucket_is_read_by_anybody_and_written_by_nobody(guarded):
    assert call(guarded, "PUT", "/shown").status == 200
    assert call(guarded, "PUT", "/shown/k", b"for all").status == 200
    assert denied(guarded.get("/shown/k")) and denied(guarded.get("/shown"))
    cairn(guarded, "bucket", "public-read", "shown", "on")
    assert guarded.get("/shown/k").body == b"for all" and guarded.head("/shown/k").status == 200
    assert guarded.get("/shown/k", Range="bytes=0-2").body == b"for"
    assert b"<Key>k</Key>" in guarded.get("/shown?list-type=2").body
    assert guarded.get("/shown/absent").code() == "NoSuchKey"
    assert guarded.get("/shown?uploads").status == 200 and b"<Key>k</Key>" in guarded.get("/shown?versions").body
    for method, path in (("PUT", "/shown/k"), ("DELETE", "/shown/k"), ("GET", "/shown/k?uploadId=" + "0" * 32), ("POST", "/shown/k?uploads"),
                         ("PUT", "/shown?acl"), ("GET", "/shown/k?tagging"), ("GET", "/vault/k"), ("GET", "/")):
        assert denied(guarded.request(method, path, b"x" if method == "PUT" else None)), path
    assert call(guarded, "GET", "/shown/k").body == b"for all"
    assert guarded.get("/shown/k", Host="rebound.example").status == 403
    cairn(guarded, "bucket", "public-read", "shown", "off")
    assert denied(guarded.get("/shown/k"))


def test_public_acls_the_s3_way(guarded):
    root = boto3.client("s3", endpoint_url=guarded.url(), region_name="us-east-1", aws_access_key_id=ACCESS,
                        aws_secret_access_key=SECRET, config=Config(s3={"addressing_style": "path"}, retries={"max_attempts": 1}))
    root.create_bucket(Bucket="born-public", ACL="public-read")
    root.put_object(Bucket="born-public", Key="k", Body=b"x", ACL="public-read")
    root.put_object(Bucket="born-public", Key="private", Body=b"x")
    assert guarded.get("/born-public/k").body == b"x"
    # A public list of the bucket shows keys, not objects: each of them has a list of its own.
    assert b"<Key>private</Key>" in guarded.get("/born-public").body and denied(guarded.get("/born-public/private"))
    assert guarded.get("/born-public/never-there").code() == "NoSuchKey"
    cairn(guarded, "bucket", "public-read", "born-public", "on")
    assert guarded.get("/born-public/private").body == b"x"
    root.put_bucket_acl(Bucket="born-public", ACL="public-read")
    assert denied(guarded.get("/born-public/private"))
    root.delete_object(Bucket="born-public", Key="private")
    grants = root.get_bucket_acl(Bucket="born-public")["Grants"]
    assert [g["Permission"] for g in grants] == ["READ", "FULL_CONTROL"]
    root.put_bucket_acl(Bucket="born-public", ACL="private")
    assert guarded.get("/born-public/k").body == b"x" and denied(guarded.get("/born-public"))
    assert len(root.get_bucket_acl(Bucket="born-public")["Grants"]) == 1

    root.put_bucket_acl(Bucket="born-public", ACL="public-read-write")
    assert guarded.put("/born-public/by-anybody", b"y").status == 200 and guarded.delete("/born-public/k").status == 204
    root.put_object_acl(Bucket="born-public", Key="by-anybody", ACL="public-read")
    assert [g["Permission"] for g in root.get_bucket_acl(Bucket="born-public")["Grants"]] == ["READ", "WRITE", "FULL_CONTROL"]
    assert denied(guarded.request("PUT", "/born-public/copy", headers={"x-amz-copy-source": "/vault/k"}))
    assert denied(guarded.request("PUT", "/born-public?acl", headers={"x-amz-acl": "private"})) and denied(guarded.delete("/born-public"))
    root.put_bucket_acl(Bucket="born-public", ACL="public-read")
    assert denied(guarded.put("/born-public/by-anybody", b"z")) and guarded.get("/born-public/by-anybody").body == b"y"
    stranger = new_key(guarded)  # what anybody may do, every key may
    assert call(guarded, "GET", "/born-public/by-anybody", signer=of(stranger)).body == b"y"
    assert denied(call(guarded, "PUT", "/born-public/by-anybody", b"z", of(stranger)))
    root.put_bucket_acl(Bucket="born-public", ACL="private")
    assert call(guarded, "GET", "/born-public/by-anybody", signer=of(stranger)).body == b"y"
    assert denied(call(guarded, "GET", "/born-public", signer=of(stranger)))

    root.put_object(Bucket="vault", Key="one", Body=b"alone", ACL="public-read")
    assert call(guarded, "GET", "/vault/one", signer=of(stranger)).body == b"alone"
    assert denied(call(guarded, "GET", "/vault/never-there", signer=of(stranger)))
    assert guarded.get("/vault/one").body == b"alone" and guarded.head("/vault/one").status == 200
    assert denied(guarded.get("/vault")) and denied(guarded.get("/vault/never-there")) and guarded.get("/vault/one?partNumber=1").body == b"alone"
    assert len(root.get_object_acl(Bucket="vault", Key="one")["Grants"]) == 2
    root.put_object_acl(Bucket="vault", Key="one", ACL="private")
    assert denied(guarded.get("/vault/one"))
    root.put_object_acl(Bucket="vault", Key="one", ACL="public-read")
    assert guarded.get("/vault/one").body == b"alone"
    root.put_object(Bucket="vault", Key="one", Body=b"private again")
    assert denied(guarded.get("/vault/one"))


# Browsers


CORS = {"CORSRules": [{"ID": "app", "AllowedOrigins": ["https://*.example.com"], "AllowedMethods": ["GET", "PUT"],
                       "AllowedHeaders": ["*"], "ExposeHeaders": ["ETag"], "MaxAgeSeconds": 600}]}


def test_cors_rules_are_kept_and_answered(guarded):
    root = boto3.client("s3", endpoint_url=guarded.url(), region_name="us-east-1", aws_access_key_id=ACCESS,
                        aws_secret_access_key=SECRET, config=Config(s3={"addressing_style": "path"}, retries={"max_attempts": 1}))
    root.create_bucket(Bucket="web")
    root.put_object(Bucket="web", Key="k", Body=b"x")
    with pytest.raises(ClientError) as failed:
        root.get_bucket_cors(Bucket="web")
    assert failed.value.response["Error"]["Code"] == "NoSuchCORSConfiguration"
    ask = {"Origin": "https://app.example.com", "Access-Control-Request-Method": "PUT",
           "Access-Control-Request-Headers": "x-amz-date, authorization"}
    assert guarded.request("OPTIONS", "/web/k", headers=ask).code() == "AccessForbidden"
    root.put_bucket_cors(Bucket="web", CORSConfiguration=CORS)
    assert root.get_bucket_cors(Bucket="web")["CORSRules"] == CORS["CORSRules"]

    allowed = guarded.request("OPTIONS", "/web/k?partNumber=1&uploadId=x", headers=ask)
    assert allowed.status == 200 and allowed.header("Access-Control-Allow-Origin") == "https://app.example.com"
    assert allowed.header("Access-Control-Allow-Methods") == "GET, PUT"
    assert allowed.header("Access-Control-Allow-Headers") == "x-amz-date, authorization"
    assert allowed.header("Access-Control-Max-Age") == "600"
    assert guarded.request("OPTIONS", "/web/k", headers=dict(ask, Origin="https://evil.org")).status == 403
    assert guarded.request("OPTIONS", "/absent/k", headers=ask).status == 403

    url = Signer().presigned("GET", f"127.0.0.1:{guarded.http_port}", "/web/k")
    answer = guarded.get(url, Origin="https://app.example.com")
    assert answer.body == b"x" and answer.header("Access-Control-Allow-Origin") == "https://app.example.com"
    assert answer.header("Access-Control-Expose-Headers") == "ETag" and "Origin" in answer.header("Vary")
    assert guarded.get(url, Origin="https://evil.org").header("Access-Control-Allow-Origin") is None
    assert guarded.get(url).header("Access-Control-Allow-Origin") is None
    absent = Signer().presigned("GET", f"127.0.0.1:{guarded.http_port}", "/web/absent")
    missing = guarded.get(absent, Origin="https://app.example.com")
    assert missing.status == 404 and missing.header("Access-Control-Allow-Origin") == "https://app.example.com"

    root.delete_bucket_cors(Bucket="web")
    assert guarded.get(url, Origin="https://app.example.com").header("Access-Control-Allow-Origin") is None
    assert call(guarded, "PUT", "/web?cors", b"<CORSConfiguration/>").code() == "MalformedXML"
