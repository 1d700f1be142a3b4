"""docs/s3.md, "What is read of a request", line by line against a node: what is obeyed shows, what is refused has the
code that is promised, what is harmless changes nothing. Headers that SDKs move into the query of presigned URLs are tried
there, too."""
import itertools
import json
import re
import urllib.parse

import pytest

from cairn_node import REPOSITORY
from signing import Signer, content_md5, sha256

PAGE = REPOSITORY / "docs/s3.md"
PLAIN = {"cache-control", "content-disposition", "content-encoding", "content-language", "content-md5", "content-type", "expires",
         "if-match", "if-none-match", "if-modified-since", "if-unmodified-since", "range"}
ACL = ("<AccessControlPolicy><Owner><ID>cairn</ID></Owner><AccessControlList><Grant><Grantee><ID>cairn</ID></Grantee>"
       "<Permission>FULL_CONTROL</Permission></Grant></AccessControlList></AccessControlPolicy>")
TAGS = "<Tagging><TagSet><Tag><Key>t</Key><Value>1</Value></Tag></TagSet></Tagging>"
CORS = "<CORSConfiguration><CORSRule><AllowedOrigin>*</AllowedOrigin><AllowedMethod>GET</AllowedMethod></CORSRule></CORSConfiguration>"
OWNERSHIP = "<OwnershipControls><Rule><ObjectOwnership>BucketOwnerPreferred</ObjectOwnership></Rule></OwnershipControls>"
RETENTION = "<Retention><Mode>GOVERNANCE</Mode><RetainUntilDate>2033-01-01T00:00:00Z</RetainUntilDate></Retention>"
LOCK = ("<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled><Rule><DefaultRetention><Mode>GOVERNANCE</Mode><Days>1</Days>"
        "</DefaultRetention></Rule></ObjectLockConfiguration>")
RULES = ("<LifecycleConfiguration><Rule><Status>Enabled</Status><Filter/><Expiration><Days>9</Days></Expiration></Rule>"
         "</LifecycleConfiguration>")


def table():
    """(what, operation, class, status, code) of each line and operation."""
    section = PAGE.read_text().split("## What is read of a request")[1].split("\n## ")[0]
    for line in section.splitlines():
        if not line.startswith("| `"):
            continue
        what, operations, becomes = (cell.strip() for cell in line.strip("|\n ").split(" | "))
        refused = re.match(r"refused: `(\d+) (\w+)`", becomes)
        kind = "refused" if refused else becomes.split(":")[0]
        assert kind in ("refused", "obeyed", "harmless"), line
        for operation in operations.split(", "):
            yield (what.strip("`"), operation.strip("`"), kind, *((int(refused[1]), refused[2]) if refused else (None, None)))


class Site:
    """Fresh buckets and objects on a node, and signed requests."""

    def __init__(self, node):
        self.node, self.numbers = node, itertools.count()
        self.host = f"127.0.0.1:{node.http_port}"

    def call(self, method, path, headers=(), body=b""):
        return self.node.request(method, path, body or None, Signer().headers(method, self.host, path, sha256(body), **dict(headers)))

    def presigned(self, method, path, headers=(), body=b""):
        moved = {k: v for k, v in dict(headers).items() if k.lower().startswith("x-amz-") or k.lower() in PLAIN}
        rest = {k: v for k, v in dict(headers).items() if k not in moved}
        path, _, query = path.partition("?")
        query = dict(urllib.parse.parse_qsl(query, keep_blank_values=True), **moved)
        return self.node.request(method, Signer().presigned(method, self.host, path, **query), body or None, rest)

    def good(self, *request):
        answer = self.call(*request)
        assert answer.status in (200, 204), (request, answer)
        return answer

    def bucket(self, headers=()):
        name = f"/bucket-{next(self.numbers)}"
        self.good("PUT", name, headers)
        return name

    def object(self, bucket):
        self.good("PUT", f"{bucket}/k", {"x-amz-checksum-crc32": "xb/MoA=="}, b"twelve bytes")
        self.good("PUT", f"{bucket}/source", {"x-amz-meta-source": "yes", "x-amz-tagging": "source=yes"}, b"twelve bytes")
        return f"{bucket}/k"

    def upload(self, key):
        answer = self.good("POST", f"{key}?uploads")
        return re.search(rb"<UploadId>(.*?)<", answer.body)[1].decode()

    def complete(self, key, upload, **headers):
        etag = self.good("PUT", f"{key}?partNumber=1&uploadId={upload}", {}, b"twelve bytes").header("etag")
        return ("POST", f"{key}?uploadId={upload}", headers, document(
            f"<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>{etag}</ETag></Part></CompleteMultipartUpload>"))


def document(text):
    return text.encode()



def in_bucket(method, query, body="", **headers):
    return lambda site: (method, site.bucket() + query, headers, body.encode())


def of_object(method, query, body="", **headers):
    def made(site):
        return method, site.object(site.bucket()) + query, {k.replace("_", "-"): v for k, v in headers.items()}, body.encode()
    return made


def in_locked_bucket(of, query, body):
    def made(site):
        bucket = site.bucket({"x-amz-bucket-object-lock-enabled": "true"})
        return "PUT", (site.object(bucket) if of == "object" else bucket) + query, {}, body.encode()
    return made


def in_upload(method, query, body=b"", **headers):
    def made(site):
        key = site.object(site.bucket())
        more = {k.replace("_", "-"): v.format(bucket=key[:-2]) for k, v in headers.items()}
        return method, f"{key}?{query}uploadId={site.upload(key)}", more, body
    return made


def listing(method, query):
    def made(site):
        key = site.object(site.bucket())
        site.upload(key)
        return method, key[:-2] + query, {}, b""
    return made


def copy(site):
    key = site.object(site.bucket())
    return "PUT", key, {"x-amz-copy-source": f"{key[:-2]}/source"}, b""


def rename(site):
    return "PUT", site.object(site.bucket()) + "?renameObject", {"x-amz-rename-source": "source"}, b""


def complete(site):
    key = site.object(site.bucket())
    return site.complete(key, site.upload(key))


def delete_objects(site):
    key = site.object(site.bucket())
    return "POST", key[:-2] + "?delete", {}, document("<Delete><Object><Key>k</Key></Object></Delete>")


def put_policy(site):
    bucket = site.bucket()
    rules = {"Statement": {"Effect": "Deny", "Principal": "*", "Action": "s3:PutObject", "Resource": f"arn:aws:s3:::{bucket.strip('/')}/no/*"}}
    return "PUT", bucket + "?policy", {}, json.dumps(rules).encode()


OPERATIONS = {
    "ListBuckets": lambda site: ("GET", site.bucket()[:1], {}, b""),
    "CreateBucket": lambda site: ("PUT", f"/bucket-{next(site.numbers)}", {}, document("<CreateBucketConfiguration></CreateBucketConfiguration>")),
    "HeadBucket": in_bucket("HEAD", ""), "DeleteBucket": in_bucket("DELETE", ""),
    "ListObjects": listing("GET", ""), "ListObjectsV2": listing("GET", "?list-type=2"),
    "ListObjectVersions": listing("GET", "?versions"), "ListMultipartUploads": listing("GET", "?uploads"),
    "DeleteObjects": delete_objects,
    "GetBucketAcl": in_bucket("GET", "?acl"), "PutBucketAcl": in_bucket("PUT", "?acl", ACL),
    "GetBucketLocation": in_bucket("GET", "?location"), "GetBucketVersioning": in_bucket("GET", "?versioning"),
    "PutBucketVersioning": in_bucket("PUT", "?versioning", "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>"),
    "GetBucketTagging": in_bucket("GET", "?tagging"), "PutBucketTagging": in_bucket("PUT", "?tagging", TAGS),
    "DeleteBucketTagging": in_bucket("DELETE", "?tagging"),
    "GetBucketCors": in_bucket("GET", "?cors"), "PutBucketCors": in_bucket("PUT", "?cors", CORS), "DeleteBucketCors": in_bucket("DELETE", "?cors"),
    "GetBucketLifecycleConfiguration": in_bucket("GET", "?lifecycle"),
    "PutBucketLifecycleConfiguration": in_bucket("PUT", "?lifecycle", RULES), "DeleteBucketLifecycle": in_bucket("DELETE", "?lifecycle"),
    "GetBucketOwnershipControls": in_bucket("GET", "?ownershipControls"),
    "PutBucketOwnershipControls": in_bucket("PUT", "?ownershipControls", OWNERSHIP),
    "DeleteBucketOwnershipControls": in_bucket("DELETE", "?ownershipControls"),
    "GetBucketPolicyStatus": in_bucket("GET", "?policyStatus"), "PutBucketPolicy": put_policy, "DeleteBucketPolicy": in_bucket("DELETE", "?policy"),
    "PutPublicAccessBlock": in_bucket("PUT", "?publicAccessBlock", "<PublicAccessBlockConfiguration></PublicAccessBlockConfiguration>"),
    "DeletePublicAccessBlock": in_bucket("DELETE", "?publicAccessBlock"),
    "GetPublicAccessBlock": in_bucket("GET", "?publicAccessBlock"), "GetBucketPolicy": in_bucket("GET", "?policy"),
    "GetBucketAccelerateConfiguration": in_bucket("GET", "?accelerate"), "GetBucketEncryption": in_bucket("GET", "?encryption"),
    "DeleteBucketEncryption": in_bucket("DELETE", "?encryption"), "GetBucketLogging": in_bucket("GET", "?logging"),
    "GetBucketNotificationConfiguration": in_bucket("GET", "?notification"), "GetBucketReplication": in_bucket("GET", "?replication"),
    "DeleteBucketReplication": in_bucket("DELETE", "?replication"), "GetBucketWebsite": in_bucket("GET", "?website"),
    "DeleteBucketWebsite": in_bucket("DELETE", "?website"), "GetObjectLockConfiguration": in_bucket("GET", "?object-lock"),
    "GetObjectLegalHold": of_object("GET", "?legal-hold"), "GetObjectRetention": of_object("GET", "?retention"),
    "PutObjectRetention": in_locked_bucket("object", "?retention", RETENTION),
    "PutObjectLegalHold": in_locked_bucket("object", "?legal-hold", "<LegalHold><Status>OFF</Status></LegalHold>"),
    "PutObjectLockConfiguration": in_locked_bucket("bucket", "?object-lock", LOCK),
    "GetBucketRequestPayment": in_bucket("GET", "?requestPayment"),
    "PutObject": of_object("PUT", "", "other bytes"), "CopyObject": copy, "RenameObject": rename,
    "GetObject": of_object("GET", ""), "HeadObject": of_object("HEAD", ""), "DeleteObject": of_object("DELETE", ""),
    "GetObjectAcl": of_object("GET", "?acl"), "PutObjectAcl": of_object("PUT", "?acl", ACL),
    "GetObjectAttributes": of_object("GET", "?attributes", x_amz_object_attributes="ETag"),
    "GetObjectTagging": of_object("GET", "?tagging"), "PutObjectTagging": of_object("PUT", "?tagging", TAGS),
    "DeleteObjectTagging": of_object("DELETE", "?tagging"),
    "CreateMultipartUpload": of_object("POST", "?uploads"),
    "UploadPart": in_upload("PUT", "partNumber=1&", b"other bytes"),
    "UploadPartCopy": in_upload("PUT", "partNumber=1&", x_amz_copy_source="{bucket}/source"),
    "ListParts": in_upload("GET", ""), "CompleteMultipartUpload": complete, "AbortMultipartUpload": in_upload("DELETE", ""),
}


def with_thing(request, operation, what):
    """The request with a line's header, query or element. The second: whether a header was added that can be moved."""
    method, path, headers, body = request
    if what.startswith("?"):
        name, _, value = what[1:].partition("=")
        return method, path + ("&" if "?" in path else "?") + urllib.parse.quote(name) + "=" + urllib.parse.quote(value, safe=""), headers, body
    if what.startswith("<"):
        what, _, parent = what.partition("` in `")
        end = body.index(f"</{parent}>".encode()) if parent else body.rindex(b"</")
        return method, path, headers, body[:end] + what.encode() + body[end:]
    name, _, value = what.partition(": ")
    headers = {k: v for k, v in headers.items() if k.lower() != name.lower()}
    if name.startswith(("x-amz-acl", "x-amz-grant-")) and operation.endswith("Acl"):
        body = b""
    return method, path, dict(headers, **{name: value}), body


def sent(site, request, moved):
    method, path, headers, body = request
    if "?delete" in path and "Content-MD5" not in headers:
        headers = headers | content_md5(body)
    return (site.presigned if moved else site.call)(method, path, headers, body)


CHANGING = re.compile(rb"<(LastModified|Initiated|UploadId|CreationDate|Name|Bucket|RequestId|Resource|NextUploadIdMarker)>[^<]*</\1>")


def told(answer):
    """An answer without what differs from one request to the next."""
    kept = {k: v for k, v in answer.headers.items() if k.lower() not in ("date", "last-modified", "x-amz-request-id", "location", "content-length")}
    return answer.status, sorted(kept.items()), CHANGING.sub(b"", answer.body)


def seen(site, operation, request, answer):
    """What the operation left behind, as far as something that it was told can show."""
    method, path, _, _ = request
    path = path.partition("?")[0]
    if method in ("GET", "HEAD") or operation == "DeleteObjects":
        return told(answer)
    if method == "PUT" and operation != "PutBucketAcl" and operation.startswith(("PutBucket", "PutPublic")):
        return told(site.call("GET", path + "?" + request[1].partition("?")[2].split("&")[0]))
    if operation.endswith("Bucket") or operation == "PutBucketAcl":
        return [told(site.call("GET", path + q)) for q in ("?acl", "?tagging", "?ownershipControls", "?object-lock")]
    if operation == "UploadPartCopy":
        upload = urllib.parse.parse_qs(request[1].partition("?")[2])["uploadId"][0]
        return told(site.call("GET", f"{path}?uploadId={upload}"))
    if operation == "CreateMultipartUpload":
        upload = re.search(rb"<UploadId>(.*?)<", answer.body)[1].decode()
        site.good(*site.complete(path, upload))
    answers = [site.call("HEAD", path, {"x-amz-checksum-mode": "ENABLED"}), site.call("GET", path + "?acl"), site.call("GET", path + "?tagging")]
    return [told(a) for a in answers]


SHOWN = {"x-amz-acl": "Users", "x-amz-grant-read": "Permission>READ<", "x-amz-grant-write": "Permission>WRITE<",
         "x-amz-grant-read-acp": ">READ_ACP<", "x-amz-grant-write-acp": ">WRITE_ACP<", "x-amz-meta-colour": "blue", "x-amz-tagging": "<Key>a</Key><Value>b</Value>", "cache-control": "no-store",
         "content-disposition": "inline", "content-encoding": "gzip", "content-language": "de", "content-type": "text/plain", "expires": "2033",
         "x-amz-checksum-algorithm": "x-amz-checksum-crc32c", "x-amz-checksum-mode": "xb/MoA==", "range": "bytes 0-0/12", "<tags>": "<Key>a</Key>"}


@pytest.fixture(scope="module")
def site(guarded):
    return Site(guarded)


def may_be_moved(what):
    name = what.partition(": ")[0].lower()
    return what[0] not in "?<" and (name.startswith("x-amz-") or name in PLAIN)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_each_line_says_what_the_node_does(site, operation):
    lines = [line for line in table() if line[1] == operation]
    assert len(lines) >= 4, "each operation has lines of its own"
    wrong = []
    for what, _, kind, status, code in lines:
        for moved in [False] + [True] * may_be_moved(what):
            plain = OPERATIONS[operation](site)
            request = with_thing(OPERATIONS[operation](site), operation, what)
            answer = sent(site, request, moved)
            place = f"{what} {'in the signed query' if moved else ''} → {answer!r:.300}"
            if kind == "refused":
                if answer.status != status or (request[0] != "HEAD" and answer.code() != code):
                    wrong.append(f"not {status} {code}: {place}")
                continue
            usual = sent(site, plain, moved)
            if kind == "harmless":
                if answer.status != usual.status or answer.status >= 500:
                    wrong.append(f"not harmless, else {usual!r:.200}: {place}")
                continue
            if answer.status >= 400:
                wrong.append(f"not obeyed: {place}")
                continue
            with_it, without = seen(site, operation, request, answer), seen(site, operation, plain, usual)
            shown = SHOWN.get(re.split("[:>]", what)[0].lower() + (">" if what[0] == "<" else ""), "")
            if with_it == without or shown not in str(with_it):
                wrong.append(f"nothing shows: {place}\n    {with_it}\n    {without}")
    assert not wrong, "\n".join(wrong)


def test_the_page_names_no_operation_that_is_not_tried():
    assert {line[1] for line in table()} == set(OPERATIONS)


def test_each_operation_that_the_node_has_is_tried():
    had = set(re.findall(r"^\| (\w+) \| `[^`]*` \| (?:yes|difference) \|", PAGE.read_text(), re.MULTILINE))
    older = {"GetBucketLifecycle", "GetBucketNotification", "PutBucketLifecycle"}  # other names of the same requests
    assert had - older - {"PostObject"} == set(OPERATIONS)  # forms: test_forms.py
