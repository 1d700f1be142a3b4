"""Quotas of buckets: what fits exactly is taken, a byte more is `QuotaExceeded`, by every way to write, through every node,
also in a race; who may set them, and how they are shown."""
import json
import os
import re
import subprocess
import threading

from cairn_cluster import admin_of
from cairn_node import BINARY, KIB, MIB, eventually, in_threads
from client_programs import client
from rights import GUARDED, bucket_of, cairn, key_with
from s3_client import ClientError, client_of, refusal
from signing import ROOT, call, post
from usage import VERSIONED, held, lines_of, usage_of
from wire import Wire, request_bytes

EXCEEDED = (403, "QuotaExceeded")


def limit(node, bucket, *options):
    return cairn(node, "bucket", "quota", bucket, *options)


def refused(answer, limited):
    """Whether the answer is a refusal that names the limit."""
    return (answer.status, answer.code()) == EXCEEDED and f"at most {limited}" in answer.body.decode()


def begin_upload(node, path):
    return re.search(rb"<UploadId>(.*?)</UploadId>", node.request("POST", f"{path}?uploads").body).group(1).decode()


def complete(node, path, upload, *etags):
    parts = "".join(f"<Part><PartNumber>{i + 1}</PartNumber><ETag>{etag}</ETag></Part>" for i, etag in enumerate(etags))
    return node.request("POST", f"{path}?uploadId={upload}", f"<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>")


# What is counted


def test_what_fits_exactly_is_taken_and_a_byte_more_is_refused(node, bucket):
    limit(node, bucket, "--bytes", "3MiB")
    assert node.put(f"/{bucket}/large", b"x" * (2 * MIB)).status == 200
    assert refused(node.put(f"/{bucket}/b", b"x" * (MIB + 1)), "3145728 bytes")
    assert node.get(f"/{bucket}/b").status == 404
    assert node.put(f"/{bucket}/b", b"x" * MIB).status == 200
    assert refused(node.put(f"/{bucket}/c", b"x"), "3145728 bytes")
    assert node.put(f"/{bucket}/empty", b"").status == 200, "it has no bytes"
    assert node.put(f"/{bucket}/b", b"y" * MIB).status == 200, "has the place of what it replaces"
    assert refused(node.put(f"/{bucket}/b", b"y" * (MIB + 1)), "3145728 bytes")
    assert node.get(f"/{bucket}/b").body == b"y" * MIB
    assert node.delete(f"/{bucket}/large").status == 204
    assert node.put(f"/{bucket}/c", b"x" * (2 * MIB)).status == 200
    assert usage_of(node, bucket) == held(3, 3, 0, 3 * MIB)


def test_objects_are_limited_by_their_number(node, bucket, s3):
    limit(node, bucket, "--objects", "2")
    for key in ("a", "b", "a"):
        s3.put_object(Bucket=bucket, Key=key, Body=b"12345")
    assert refusal(s3.put_object, Bucket=bucket, Key="c", Body=b"") == EXCEEDED
    s3.put_object_tagging(Bucket=bucket, Key="a", Tagging={"TagSet": [{"Key": "k", "Value": "v"}]})
    s3.delete_object(Bucket=bucket, Key="a")
    s3.put_object(Bucket=bucket, Key="c", Body=b"")


def test_each_version_counts_but_no_delete_marker(node, bucket, s3):
    node.request("PUT", f"/{bucket}?versioning", VERSIONED)
    limit(node, bucket, "--bytes", "10", "--objects", "3")
    first = s3.put_object(Bucket=bucket, Key="k", Body=b"12345")["VersionId"]
    s3.put_object(Bucket=bucket, Key="k", Body=b"12345")
    assert refusal(s3.put_object, Bucket=bucket, Key="k", Body=b"1") == EXCEEDED
    assert s3.delete_object(Bucket=bucket, Key="k")["DeleteMarker"]
    assert refusal(s3.put_object, Bucket=bucket, Key="k", Body=b"1") == EXCEEDED, "a delete frees nothing in a versioned bucket"
    s3.put_object(Bucket=bucket, Key="k", Body=b"")
    assert refusal(s3.put_object, Bucket=bucket, Key="k", Body=b"") == EXCEEDED
    assert usage_of(node, bucket) == held(1, 3, 1, 10)
    s3.delete_object(Bucket=bucket, Key="k", VersionId=first)
    s3.put_object(Bucket=bucket, Key="k", Body=b"12345")


def test_copies_count_where_they_go(node, bucket, s3):
    other = node.bucket(bucket + "-other")
    s3.put_object(Bucket=bucket, Key="a", Body=b"x" * 100_000)
    limit(node, bucket, "--bytes", "150000")
    source = {"Bucket": bucket, "Key": "a"}
    assert refusal(s3.copy_object, Bucket=bucket, Key="b", CopySource=source) == EXCEEDED
    s3.copy_object(Bucket=bucket, Key="a", CopySource=source, MetadataDirective="REPLACE", Metadata={"k": "v"})
    s3.copy_object(Bucket=other, Key="b", CopySource=source)
    assert usage_of(node, bucket) == held(1, 1, 0, 100_000)


def test_an_upload_counts_when_it_is_completed(node, bucket):
    limit(node, bucket, "--bytes", str(6 * MIB))
    node.put(f"/{bucket}/small", b"x" * MIB)
    upload = begin_upload(node, f"/{bucket}/big")
    etags = [node.request("PUT", f"/{bucket}/big?partNumber={n}&uploadId={upload}", b"p" * size).header("etag")
             for n, size in ((1, 5 * MIB), (2, 1))]
    assert refused(complete(node, f"/{bucket}/big", upload, *etags), f"{6 * MIB} bytes")
    assert usage_of(node, bucket) == held(1, 1, 0, MIB)
    assert node.delete(f"/{bucket}/small").status == 204
    assert complete(node, f"/{bucket}/big", upload, *etags).status == 200, "the upload was left as it was"
    assert usage_of(node, bucket) == held(1, 1, 0, 5 * MIB + 1)


def test_a_form_counts_too(node, bucket):
    limit(node, bucket, "--bytes", "10")
    assert post(node, bucket, {"key": "a"}, b"x" * 10).status == 204
    assert refused(post(node, bucket, {"key": "b"}, b"x"), "10 bytes")


def test_a_body_that_can_never_fit_is_refused_before_it_is_sent(node, bucket):
    limit(node, bucket, "--bytes", "1MiB")
    upload = begin_upload(node, f"/{bucket}/parts")
    for target in (f"/{bucket}/k", f"/{bucket}/parts?partNumber=1&uploadId={upload}"):
        with Wire(node) as w:
            w.send(request_bytes("PUT", target, [("Content-Length", MIB + 1), ("Expect", "100-continue")]))
            assert w.head().status == 403
    with Wire(node) as w:
        w.send(request_bytes("PUT", f"/{bucket}/k", [("Content-Length", MIB), ("Expect", "100-continue")]))
        assert w.head().status == 100
    assert refused(node.request("PUT", f"/{bucket}/k", (b"x" * MIB for _ in range(2))), f"{MIB} bytes"), "announces no length"


def test_a_quota_may_be_lower_than_what_is_there(node, bucket):
    for key in ("a", "b"):
        node.put(f"/{bucket}/{key}", b"x" * 1000)
    limit(node, bucket, "--bytes", "1500", "--objects", "1")
    assert refused(node.put(f"/{bucket}/c", b""), "1500 bytes")
    assert node.get(f"/{bucket}/a").body == b"x" * 1000
    assert node.delete(f"/{bucket}/a").status == 204
    assert node.put(f"/{bucket}/b", b"x" * 1500).status == 200


def test_of_racing_uploads_as_many_are_taken_as_fit(node, bucket):
    limit(node, bucket, "--bytes", str(10 * 3000), "--objects", "100")
    together, taken = threading.Barrier(16), []

    def put(i):
        together.wait()
        for n in range(2):
            answer = node.put(f"/{bucket}/{i}-{n}", b"x" * 3000)
            assert answer.status == 200 or refused(answer, "30000 bytes"), answer
            taken.append(answer.status == 200)

    in_threads(16, put)
    assert sum(taken) == 10 and usage_of(node, bucket) == held(10, 10, 0, 30000)


# Who sets it, and how it is shown


def test_the_command_sets_shows_and_removes_it(node, bucket):
    assert limit(node, bucket) == f"{bucket} has no quota\n"
    assert json.loads(limit(node, bucket, "--json"))["quota"] is None
    assert limit(node, bucket, "--bytes", "10KiB") == f"{bucket} may hold at most 10240 bytes\n"
    assert json.loads(limit(node, bucket, "--objects", "4", "--json")) == {"done": f"{bucket} may hold at most 4 objects"}
    node.put(f"/{bucket}/k", b"x" * (5 * KIB))
    assert limit(node, bucket) == f"{bucket}: 5.0 KiB of 10.0 KiB, 1 of 4 objects (50%)\n"
    shown = json.loads(limit(node, bucket, "--json"))
    assert shown == {"name": bucket, "usage": held(1, 1, 0, 5 * KIB), "quota": {"bytes": 10240, "objects": 4}}
    assert json.loads(cairn(node, "bucket", "usage", bucket, "--json")) == [shown]
    head, row = (line.split() for line in cairn(node, "bucket", "usage", bucket).splitlines())
    assert dict(zip(head, row)) == {"BUCKET": bucket, "OBJECTS": "1", "VERSIONS": "1", "MARKERS": "0", "BYTES": "5120",
                                    "BYTES-MAX": "10240", "OBJECTS-MAX": "4", "USED": "50%"}
    limit(node, bucket, "--bytes", "0")
    assert limit(node, bucket) == f"{bucket}: 1 of 4 objects (25%)\n"
    limit(node, bucket, "--clear")
    assert limit(node, bucket) == f"{bucket} has no quota\n"
    limit(node, bucket, "--objects", "1")
    for wrong, status in ((["--bytes", "much"], 2), (["--bytes", "-1"], 2), (["--clear", "--objects", "2"], 2)):
        done = node.cairn("bucket", "quota", bucket, *wrong, "--admin", f"http://127.0.0.1:{node.admin_port}")
        assert done.returncode == status, done
    missing = node.cairn("bucket", "quota", "none-such", "--bytes", "5", "--admin", f"http://127.0.0.1:{node.admin_port}")
    assert missing.returncode == 1 and b"there is no such bucket" in missing.stderr
    assert json.loads(limit(node, bucket, "--json"))["quota"] == {"bytes": None, "objects": 1}
    node.delete(f"/{bucket}/k")
    assert node.delete(f"/{bucket}").status == 204
    node.bucket(bucket)
    assert limit(node, bucket) == f"{bucket} has no quota\n", "it went with the bucket"


def test_only_operators_set_it_and_the_audit_log_has_refusals(start_node, tmp_path):
    audit = tmp_path / "audit.log"
    n = start_node(**GUARDED, audit_file=str(audit))
    bucket_of(n, "vault")
    owner = key_with(n, "vault", "read", "write", "owner")
    limit(n, "vault", "--bytes", "5")
    environment = {name: value for name, value in os.environ.items() if name != "CAIRN_ADMIN_TOKEN"}
    done = subprocess.run([BINARY, "bucket", "quota", "vault", "--clear", "--admin", f"http://127.0.0.1:{n.admin_port}"],
                          capture_output=True, text=True, env=environment, cwd=tmp_path, timeout=30)
    assert done.returncode == 1, done
    for key in (owner, ROOT):
        assert refused(call(n, "PUT", "/vault/k", b"123456", key), "5 bytes"), "also for the root key"
    assert call(n, "PUT", "/vault/k", b"12345", owner).status == 200
    lines = lines_of(audit)
    changed = [line for line in lines if line["operation"] == "setQuota"]
    assert [line["status"] for line in changed] == [200] and changed[0]["who"] == "token"
    puts = [(line["status"], line.get("error")) for line in lines if line["operation"] == "put_object"]
    assert puts == [(403, "QuotaExceeded"), (403, "QuotaExceeded"), (200, None)]


def test_awscli_shows_the_refusal(node, bucket, tmp_path):
    (tmp_path / "f").write_bytes(b"x" * 2000)
    limit(node, bucket, "--bytes", "1500")
    done = subprocess.run([client("aws"), "--no-sign-request", "--endpoint-url", node.url(), "--region", "us-east-1", "s3", "cp",
                           str(tmp_path / "f"), f"s3://{bucket}/f"], capture_output=True, text=True, timeout=120)
    assert done.returncode == 1 and "QuotaExceeded" in done.stderr and "at most 1500 bytes" in done.stderr
    put = node.cairn("put", str(tmp_path / "f"), f"{bucket}/f")
    assert put.returncode == 1 and b"at most 1500 bytes" in put.stderr


# Restarts and clusters


def test_it_is_the_same_after_a_kill(start_node):
    n = start_node()
    limit(n, "files", "--bytes", "1000")
    assert n.put("/files/a", b"x" * 900).status == 200
    n.kill()
    n.start()
    assert refused(n.put("/files/b", b"x" * 101), "1000 bytes")
    assert n.put("/files/b", b"x" * 100).status == 200


def test_it_holds_through_every_node_of_a_cluster(make_cluster):
    cluster = make_cluster(3)
    clients = [client_of(n) for n in cluster.nodes]
    clients[0].create_bucket(Bucket="shared")
    leader = cluster.leader()
    follower = next(n for n in cluster.nodes if n is not leader)

    def set_quota():
        return follower.cairn("bucket", "quota", "shared", "--bytes", "20000", *admin_of(follower)).returncode == 0

    eventually(set_quota, seconds=60, every=0.5, what="all nodes are known to be of this version, and the bucket is counted")
    taken = []

    def put(i):
        for n in range(4):
            try:
                clients[i % 3].put_object(Bucket="shared", Key=f"{i}-{n}", Body=b"x" * 1000)
                taken.append((i, n))
            except ClientError as why:
                assert why.response["Error"]["Code"] == "QuotaExceeded", why

    in_threads(9, put)
    assert len(taken) == 20
    for n in cluster.nodes:
        eventually(lambda n=n: usage_of(n, "shared") == held(20, 20, 0, 20000), seconds=30, what=f"{usage_of(n, 'shared')}")
    for s3 in clients:
        assert refusal(s3.put_object, Bucket="shared", Key="more", Body=b"x") == EXCEEDED
    leader.kill()
    i, n = taken[0]
    s3 = client_of(follower)

    def deleted():
        try:
            s3.delete_object(Bucket="shared", Key=f"{i}-{n}")
        except ClientError:
            return False
        return True

    eventually(deleted, seconds=60, every=0.5, what="the others go on")
    assert refusal(s3.put_object, Bucket="shared", Key="more", Body=b"x" * 1001) == EXCEEDED
    s3.put_object(Bucket="shared", Key="more", Body=b"x" * 1000)
