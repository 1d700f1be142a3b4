"""`cairn import s3` from servers of other projects: what they store differently, answer differently, or do not have."""
import io
import json
import os
import urllib.parse

import pytest

from cairn_node import MIB, eventually
from importing import ODD, contents, run, spawn
from other_servers import CephGateway, S3rver

boto3 = pytest.importorskip("boto3")


@pytest.fixture(scope="module")
def ceph(tmp_path_factory):
    server = CephGateway()
    try:
        yield server.start(tmp_path_factory.mktemp("ceph") / "c")
    finally:
        server.stop()


@pytest.fixture(scope="module")
def s3rver(tmp_path_factory):
    server = S3rver()
    try:
        yield server.start(tmp_path_factory.mktemp("s3rver") / "s")
    finally:
        server.stop()


def histories(client, bucket):
    """Of each key, the newest first: ETag and size, or None for a delete marker."""
    found = {}
    for page in client.get_paginator("list_object_versions").paginate(Bucket=bucket):
        for one in page.get("Versions", []) + page.get("DeleteMarkers", []):
            found.setdefault(one["Key"], []).append((one["LastModified"], one.get("ETag"), one.get("Size")))
    return {k: [(e.replace('"', "&quot;"), str(s)) if e else None for _, e, s in sorted(v, key=lambda x: x[0], reverse=True)]
            for k, v in found.items()}


def import_from(server, node, *arguments, **options):
    return run(node, server.url(), *arguments, environment=server.environment(), **options)


def test_ceph_with_versions_metadata_and_settings(ceph, start_node):
    node, client = start_node(), ceph.client()
    client.create_bucket(Bucket="vault")
    client.put_object(Bucket="vault", Key="doc", Body=b"before versions")
    client.put_bucket_versioning(Bucket="vault", VersioningConfiguration={"Status": "Enabled"})
    for i in range(5):
        client.put_object(Bucket="vault", Key="doc", Body=b"v%d" % i, Metadata={"number": str(i)}, Tagging="a=1&%C3%BC=x%20y",
                          ContentType=f"text/{i}", CacheControl="no-cache", ContentDisposition="attachment", ContentLanguage="de")
    client.delete_object(Bucket="vault", Key="doc")
    client.put_object(Bucket="vault", Key="doc", Body=b"v1")
    client.delete_object(Bucket="vault", Key="never-there")
    client.delete_object(Bucket="vault", Key="never-there")
    client.create_bucket(Bucket="settings")
    rules = [{"ID": "logs", "Status": "Enabled", "Filter": {"Prefix": "logs/"}, "Expiration": {"Days": 5}},
             {"ID": "old", "Status": "Enabled", "Filter": {"Prefix": ""}, "NoncurrentVersionExpiration": {"NoncurrentDays": 9}}]
    client.put_bucket_lifecycle_configuration(Bucket="settings", LifecycleConfiguration={"Rules": rules})
    client.put_bucket_tagging(Bucket="settings", Tagging={"TagSet": [{"Key": "k", "Value": "ü"}]})
    client.put_bucket_cors(Bucket="settings", CORSConfiguration={"CORSRules": [{"AllowedMethods": ["GET"], "AllowedOrigins": ["https://x"]}]})
    policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject",
                                                      "Resource": "arn:aws:s3:::settings/*"}]}
    client.put_bucket_policy(Bucket="settings", Policy=json.dumps(policy))
    said = import_from(ceph, node)
    assert "bucket settings: versioning off; carried over: lifecycle, CORS, tags, policy" in said
    assert "bucket vault: versioning enabled" in said and " 0 differ, " in said
    assert contents(node, "vault") == histories(client, "vault")
    answer = node.get("/vault/doc")
    assert answer.body == b"v1"
    versions = node.get("/vault?versions").body.decode()
    third = versions.split("<Version>")[3].split("<VersionId>")[1].split("<")[0]
    answer = node.get(f"/vault/doc?versionId={third}")
    assert answer.body == b"v3" and answer.header("content-type") == "text/3" and answer.header("x-amz-meta-number") == "3"
    assert answer.header("content-language") == "de" and answer.header("content-disposition") == "attachment"
    assert "<Value>x y</Value>" in node.get(f"/vault/doc?tagging&versionId={third}").body.decode()
    assert json.loads(node.get("/settings?policy").body) == policy
    lifecycle = node.get("/settings?lifecycle").body.decode()
    assert "<Days>5</Days>" in lifecycle and "<NoncurrentDays>9</NoncurrentDays>" in lifecycle
    assert "ü" in node.get("/settings?tagging").body.decode() and b"https://x" in node.get("/settings?cors").body
    assert "copied 0 objects" in import_from(ceph, node)


def test_ceph_with_large_objects_and_odd_keys_and_an_interruption(ceph, start_node):
    node, client = start_node(), ceph.client()
    client.create_bucket(Bucket="files")
    for key in ODD:
        client.put_object(Bucket="files", Key=key, Body=key.encode())
    from boto3.s3.transfer import TransferConfig
    body = os.urandom(100 * MIB)
    for chunk, key in ((8, "usual"), (13, "unusual")):
        config = TransferConfig(multipart_chunksize=chunk * MIB, multipart_threshold=chunk * MIB)
        client.upload_fileobj(io.BytesIO(body), "files", f"large/{key}", Config=config)
    process = spawn(node, ceph.url(), "--bucket", "files", environment=ceph.environment())
    eventually(lambda: node.head("/files").status == 200 and node.keys("files"), every=0.01)
    process.kill()
    process.wait()
    import_from(ceph, node, "--bucket", "files")
    assert sorted(node.keys("files")) == sorted(ODD + ["large/usual", "large/unusual"])
    for key in ("usual", "unusual"):
        answer = node.get(f"/files/large/{key}")
        assert answer.body == body
        assert answer.header("x-amz-meta-cairn-origin-etag") == client.head_object(Bucket="files", Key=f"large/{key}")["ETag"].strip('"')
    assert node.head("/files/large/usual").header("etag") == client.head_object(Bucket="files", Key="large/usual")["ETag"]
    assert "copied 0 objects" in import_from(ceph, node, "--bucket", "files")
    client.put_object(Bucket="files", Key="a", Body=b"changed")
    client.delete_object(Bucket="files", Key="a-b")
    said = import_from(ceph, node, "--bucket", "files", "--delete")
    assert "copied 1 object" in said and "deleted 1" in said
    assert contents(node, "files") == histories(client, "files")


def test_s3rver_without_versions_settings_and_order(s3rver, start_node):
    node, client = start_node(), s3rver.client()
    client.create_bucket(Bucket="files")
    keys = [k for k in ODD if k not in ("..", "/lead", "a//b", "a.", "\ufffdx")]
    for key in keys:
        client.put_object(Bucket="files", Key=key, Body=key.encode(), ContentType="text/x", Metadata={"n": "1"}, CacheControl="no-cache")
    client.put_object_tagging(Bucket="files", Key="a", Tagging={"TagSet": [{"Key": "k", "Value": "v"}]})
    upload = client.create_multipart_upload(Bucket="files", Key="parts")["UploadId"]
    parts = [os.urandom(6 * MIB), os.urandom(6 * MIB), b"end"]
    etags = [client.upload_part(Bucket="files", Key="parts", UploadId=upload, PartNumber=i, Body=b)["ETag"] for i, b in enumerate(parts, 1)]
    client.complete_multipart_upload(Bucket="files", Key="parts", UploadId=upload,
                                     MultipartUpload={"Parts": [{"PartNumber": i, "ETag": e} for i, e in enumerate(etags, 1)]})
    said = import_from(s3rver, node)
    assert "lifecycle: not readable: the source: NotImplemented" in said and "does not list in the order of keys" in said
    assert sorted(node.keys("files")) == sorted(keys + ["parts"])
    for key in keys:
        answer = node.get("/files/" + urllib.parse.quote(key))
        assert answer.body == key.encode() and answer.header("x-amz-meta-n") == "1" and answer.header("cache-control") == "no-cache"
    assert node.get("/files/parts").body == b"".join(parts)
    assert "<Value>v</Value>" in node.get("/files/a?tagging").body.decode()
    assert "copied 0 objects" in import_from(s3rver, node)
