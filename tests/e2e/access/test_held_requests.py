"""Rights end while a request is held: its head was let in, its body is kept back until the right is gone."""
import hashlib
import os
import re
import time

from cairn_node import MIB, eventually
from held import Held
from rights import GUARDED, cairn, new_key
from signing import ROOT, Signer, call, sha256
from usage import VERSIONED
from wire import Wire

DELETE = b"<Delete><Object><Key>precious</Key></Object></Delete>"
TAGS = b"<Tagging><TagSet><Tag><Key>held</Key><Value>1</Value></Tag></TagSet></Tagging>"
CORS = (b"<CORSConfiguration><CORSRule><AllowedOrigin>https://evil.example</AllowedOrigin><AllowedMethod>GET</AllowedMethod>"
        b"</CORSRule></CORSConfiguration>")
LIFECYCLE = (b"<LifecycleConfiguration><Rule><Status>Enabled</Status><Prefix></Prefix><Expiration><Days>1</Days></Expiration></Rule>"
             b"</LifecycleConfiguration>")


def begun(node, bucket, key, parts=(), signer=ROOT):
    made = call(node, "POST", f"/{bucket}/{key}?uploads", key=signer) if signer else node.request("POST", f"/{bucket}/{key}?uploads")
    upload = re.search(rb"<UploadId>(.*?)</UploadId>", made.body).group(1).decode()
    for number, body in enumerate(parts, 1):
        path = f"/{bucket}/{key}?partNumber={number}&uploadId={upload}"
        sent = call(node, "PUT", path, body, signer) if signer else node.put(path, body)
        assert sent.status == 200, sent
    return upload


def completion(part):
    etag = hashlib.md5(part).hexdigest()
    return (f"<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>{etag}</ETag></Part></CompleteMultipartUpload>").encode()


def in_a_bucket(node, bucket, key, part=b"a part"):
    """One of each request with a body that needs `write`, and with it `owner`."""
    to_fill, to_complete = begun(node, bucket, "parts"), begun(node, bucket, "whole", [part])
    return {"PutObject": Held(node, "PUT", f"/{bucket}/planted", b"0123456789", key),
            "PutObject over": Held(node, "PUT", f"/{bucket}/precious", os.urandom(2 * MIB), key),
            "UploadPart": Held(node, "PUT", f"/{bucket}/parts?partNumber=1&uploadId={to_fill}", b"0123456789", key),
            "CompleteMultipartUpload": Held(node, "POST", f"/{bucket}/whole?uploadId={to_complete}", completion(part), key),
            "PutObjectTagging": Held(node, "PUT", f"/{bucket}/precious?tagging", TAGS, key),
            "PutBucketTagging": Held(node, "PUT", f"/{bucket}?tagging", TAGS, key),
            "PutBucketCors": Held(node, "PUT", f"/{bucket}?cors", CORS, key),
            "PutBucketLifecycle": Held(node, "PUT", f"/{bucket}?lifecycle", LIFECYCLE, key),
            "PutBucketVersioning": Held(node, "PUT", f"/{bucket}?versioning", VERSIONED, key),
            "DeleteObjects": Held(node, "POST", f"/{bucket}?delete", DELETE, key)}


def shown(node, bucket):
    """What root sees of it."""
    found = [call(node, "GET", path).body for path in
             (f"/{bucket}?list-type=2", f"/{bucket}/precious", f"/{bucket}/precious?tagging", f"/{bucket}?uploads", f"/{bucket}?tagging",
              f"/{bucket}?cors", f"/{bucket}?lifecycle", f"/{bucket}?versioning")]
    return [re.sub(rb"<RequestId>.*?</RequestId>", b"", body) for body in found]


def all_end_refused(held, statuses=(403,)):
    for name, request in held.items():
        answer = request.finish()
        if name == "DeleteObjects":
            assert answer.status in statuses or b"<Error><Key>precious</Key>" in answer.body, (name, answer)
            assert b"<Deleted>" not in answer.body
        else:
            assert answer.status in statuses, (name, answer)


def test_of_a_deleted_key_nothing_is_carried_out(guarded):
    key = new_key(guarded)
    assert call(guarded, "PUT", "/deleted-key").status == 200
    assert call(guarded, "PUT", "/deleted-key/precious", b"data").status == 200
    cairn(guarded, "key", "allow", key[0], "deleted-key", "--read", "--write", "--owner")
    held = in_a_bucket(guarded, "deleted-key", key)
    before = shown(guarded, "deleted-key")
    cairn(guarded, "key", "delete", key[0])
    all_end_refused(held)
    assert shown(guarded, "deleted-key") == before


def test_of_a_right_that_was_taken_away_nothing_is_carried_out(guarded):
    key = new_key(guarded)
    assert call(guarded, "PUT", "/denied-key").status == 200
    assert call(guarded, "PUT", "/denied-key/precious", b"data").status == 200
    cairn(guarded, "key", "allow", key[0], "denied-key", "--read", "--write", "--owner")
    held = in_a_bucket(guarded, "denied-key", key)
    before = shown(guarded, "denied-key")
    cairn(guarded, "key", "deny", key[0], "denied-key", "--write", "--owner")
    all_end_refused(held)
    assert shown(guarded, "denied-key") == before
    cairn(guarded, "key", "allow", key[0], "denied-key", "--write", "--owner")
    for name, request in in_a_bucket(guarded, "denied-key", key).items():  # and of one that stayed, all
        answer = request.finish()
        assert answer.status in (200, 204) and b"<Error>" not in answer.body, (name, answer)


def test_a_bucket_of_the_same_name_is_another_bucket(guarded):
    """The key owned the first one, and owns even the second: what was let in to the first ends with it."""
    first, second = new_key(guarded, "--create-buckets"), new_key(guarded, "--create-buckets")
    for again, owner in (("heirs", second), ("own-heir", first)):
        assert call(guarded, "PUT", f"/{again}", key=first).status == 200
        held = in_a_bucket(guarded, again, first)
        assert call(guarded, "DELETE", f"/{again}", key=first).status == 204  # with its uploads
        assert call(guarded, "PUT", f"/{again}", key=owner).status == 200
        assert call(guarded, "PUT", f"/{again}/precious", b"of the heir", owner).status == 200
        before = shown(guarded, again)
        all_end_refused(held, (403, 404))
        assert shown(guarded, again) == before


def test_buckets_are_made_by_who_may_make_them_still(guarded):
    body = b"<CreateBucketConfiguration></CreateBucketConfiguration>"
    key = new_key(guarded, "--create-buckets")
    held = Held(guarded, "PUT", "/never-made", body, key)
    time.sleep(0.3)
    cairn(guarded, "key", "deny", key[0], "--create-buckets")
    assert held.finish().status == 403
    cairn(guarded, "key", "allow", key[0], "--create-buckets")
    held = Held(guarded, "PUT", "/never-made", body, key)
    time.sleep(0.3)
    cairn(guarded, "key", "delete", key[0])
    assert held.finish().status == 403
    assert call(guarded, "HEAD", "/never-made").status == 404


def test_anybody_writes_to_a_bucket_while_it_is_open(guarded):
    assert call(guarded, "PUT", "/open", x_amz_acl="public-read-write").status == 200
    assert call(guarded, "PUT", "/open/precious", b"data").status == 200
    part = b"a part"
    to_fill, to_complete = begun(guarded, "open", "parts", signer=None), begun(guarded, "open", "whole", [part], signer=None)
    held = {"PutObject": Held(guarded, "PUT", "/open/planted", b"0123456789"),
            "UploadPart": Held(guarded, "PUT", f"/open/parts?partNumber=1&uploadId={to_fill}", b"0123456789"),
            "CompleteMultipartUpload": Held(guarded, "POST", f"/open/whole?uploadId={to_complete}", completion(part)),
            "DeleteObjects": Held(guarded, "POST", "/open?delete", DELETE)}
    stranger = new_key(guarded)  # what anybody may do, every key may, while there is such a key
    of_stranger = {"PutObject": Held(guarded, "PUT", "/open/by-stranger", b"0123456789", stranger)}
    time.sleep(0.3)
    cairn(guarded, "key", "delete", stranger[0])
    all_end_refused(of_stranger)
    before = shown(guarded, "open")
    assert call(guarded, "PUT", "/open?acl", x_amz_acl="public-read").status == 200
    all_end_refused(held)
    assert shown(guarded, "open") == before


def test_a_long_body_is_told_before_its_end(guarded):
    key = new_key(guarded)
    assert call(guarded, "PUT", "/long").status == 200
    cairn(guarded, "key", "allow", key[0], "long", "--write")
    wire = Wire(guarded)
    body = bytes(1 << 20)
    lines = Signer(access=key[0], secret=key[1]).headers("PUT", f"127.0.0.1:{guarded.http_port}", "/long/k", sha256(body))
    lines["Content-Length"] = str(len(body))
    wire.send(("PUT /long/k HTTP/1.1\r\n" + "".join(f"{n}: {v}\r\n" for n, v in lines.items()) + "\r\n").encode())
    cairn(guarded, "key", "delete", key[0])
    wire.s.settimeout(0.5)
    began = time.monotonic()
    while time.monotonic() - began < 40 and b"\r\n\r\n" not in wire.buffer:
        wire.send(b"\0" * 1000)
        try:
            wire.more()
        except TimeoutError:
            continue
    assert wire.buffer.startswith(b"HTTP/1.1 403 "), wire.buffer
    wire.close()


def test_every_node_of_a_cluster_judges_alike(make_cluster):
    cluster = make_cluster(3, **GUARDED)
    first, second, third = cluster.nodes
    assert call(first, "PUT", "/probe").status == 200
    # A new cluster takes a moment to know that all its nodes are of this version.
    eventually(lambda: call(first, "PUT", "/probe?versioning", VERSIONED).status == 200, seconds=20, every=0.2, what="one version everywhere")
    time.sleep(1)
    for number, (taken_by, sent_to) in enumerate(((second, third), (third, first), (first, second))):
        bucket = f"vault-{number}"
        assert call(first, "PUT", f"/{bucket}").status == 200
        assert call(first, "PUT", f"/{bucket}/precious", b"data").status == 200
        key = new_key(first)
        cairn(second, "key", "allow", key[0], bucket, "--read", "--write", "--owner")
        held = in_a_bucket(sent_to, bucket, key)
        before = shown(sent_to, bucket)
        cairn(taken_by, "key", "delete", key[0])
        all_end_refused(held)
        assert shown(sent_to, bucket) == before
