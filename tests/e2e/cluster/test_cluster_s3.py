"""S3 on a cluster: keys, versions and lifecycle rules are the same on every node."""
import os
import threading

import pytest

from cairn_node import MIB, eventually
from identities import s3_of
from rights import GUARDED, TOKEN, cairn, new_key
from s3_client import once_all_nodes_know
from signing import ROOT, call


def enable_versioning(s3, bucket):
    once_all_nodes_know(s3.put_bucket_versioning, 20, Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})


@pytest.fixture
def guarded(make_cluster):
    return make_cluster(3, **GUARDED, debug_lifecycle_day="1s")


def test_a_key_that_was_denied_or_deleted_is_refused_by_every_node_at_once(guarded):
    first, second, third = guarded.nodes
    assert call(first, "PUT", "/vault").status == 200
    for taken_by, deleted_by in ((second, third), (third, first), (first, second)):
        key = new_key(first)
        cairn(second, "key", "allow", key[0], "vault", "--read", "--write")
        for n in guarded.nodes:
            assert call(n, "PUT", "/vault/k", b"data", key).status == 200
            assert call(n, "GET", "/vault/k", key=key).body == b"data"
        cairn(taken_by, "key", "deny", key[0], "vault", "--write")
        for n in guarded.nodes:
            refused = call(n, "PUT", "/vault/k", b"later", key)
            assert (refused.status, refused.code()) == (403, "AccessDenied")
            assert call(n, "GET", "/vault/k", key=key).body == b"data"
        cairn(deleted_by, "key", "delete", key[0])
        for n in guarded.nodes:
            refused = call(n, "GET", "/vault/k", key=key)
            assert (refused.status, refused.code()) == (403, "InvalidAccessKeyId")


def test_who_owns_an_object_is_the_same_on_every_node(guarded):
    first, second, third = guarded.nodes
    key = new_key(first)
    root = s3_of(first, ROOT)
    once_all_nodes_know(root.create_bucket, 30, Bucket="owned", ObjectOwnership="ObjectWriter", GrantWrite=f"id={key[0]}")
    assert call(second, "PUT", "/owned/k", b"bytes", key).status == 200
    for n in guarded.nodes:
        assert s3_of(n, ROOT).get_object_acl(Bucket="owned", Key="k")["Owner"]["ID"] == key[0]
        assert call(n, "GET", "/owned/k", key=key).body == b"bytes"
    assert call(third, "PUT", "/owned/k?acl", key=key, x_amz_acl="public-read").status == 200
    assert call(first, "GET", "/owned/k", key=None).body == b"bytes"


def test_versions_are_the_same_on_every_node_and_move_with_their_partitions(guarded):
    bucket = "versions"
    clients = [s3_of(n, ROOT) for n in guarded.nodes]
    clients[0].create_bucket(Bucket=bucket)
    enable_versioning(clients[0], bucket)
    bodies = [os.urandom(3 * MIB) for _ in range(3)]
    ids = [s3.put_object(Bucket=bucket, Key="k", Body=body)["VersionId"] for s3, body in zip(clients, bodies)]
    marker = clients[1].delete_object(Bucket=bucket, Key="k")["VersionId"]
    for s3 in clients:
        page = s3.list_object_versions(Bucket=bucket)
        assert [v["VersionId"] for v in page["Versions"]] == ids[::-1]
        assert [(m["VersionId"], m["IsLatest"]) for m in page["DeleteMarkers"]] == [(marker, True)]
        for version, body in zip(ids, bodies):
            assert s3.get_object(Bucket=bucket, Key="k", VersionId=version)["Body"].read() == body
    # A node that comes later gets the chunks of all versions, and one that goes takes none of them along.
    newcomer = guarded.add()
    guarded.settled(4)
    leaving = guarded.nodes[0]
    number = guarded.status(leaving)["self"]
    guarded.command("drain", number, node=newcomer, CAIRN_ADMIN_TOKEN=TOKEN)
    eventually(lambda: any(n["number"] == number and n["partitions_owned"] == 0 for n in guarded.status(newcomer)["nodes"]), seconds=120,
               every=0.3, what="nothing left on the drained node")
    eventually(lambda: guarded.status(newcomer)["bytes_to_move"] == 0, seconds=60, every=0.3, what="nothing left to move")
    guarded.command("remove", number, node=newcomer, CAIRN_ADMIN_TOKEN=TOKEN)
    leaving.kill()
    for n in guarded.others(leaving):
        for version, body in zip(ids, bodies):
            assert s3_of(n, ROOT).get_object(Bucket=bucket, Key="k", VersionId=version)["Body"].read() == body
    # What is deleted for good gives its space back everywhere.
    s3 = s3_of(newcomer, ROOT)
    for version in ids + [marker]:
        s3.delete_object(Bucket=bucket, Key="k", VersionId=version)
    assert "Versions" not in s3.list_object_versions(Bucket=bucket)
    eventually(lambda: all(n.metric("cairn_disk_chunks") == 0 for n in guarded.others(leaving)), seconds=60, every=0.3,
               what="the chunks are gone")


def test_lifecycle_rules_are_carried_out_by_the_node_that_leads(guarded):
    bucket = "logs"
    s3 = s3_of(guarded.nodes[2], ROOT)
    s3.create_bucket(Bucket=bucket)
    enable_versioning(s3, bucket)
    for i in range(3):
        s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    s3.create_multipart_upload(Bucket=bucket, Key="upload")
    s3.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration={"Rules": [{
        "ID": "all", "Status": "Enabled", "Filter": {"Prefix": ""}, "NoncurrentVersionExpiration": {"NoncurrentDays": 1},
        "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1}}]})

    def done():
        return len(s3.list_object_versions(Bucket=bucket)["Versions"]) == 1 and "Uploads" not in s3.list_multipart_uploads(Bucket=bucket)
    eventually(done, seconds=30, every=0.3, what="old versions and uploads are gone")
    leader = guarded.leader()
    for n in guarded.nodes:
        assert ("lifecycle rules applied" in n.log()) == (n is leader)


def test_a_renamed_object_has_one_name_at_any_moment_on_every_node(guarded):
    first, second, third = guarded.nodes
    assert call(first, "PUT", "/renamed").status == 200
    body = os.urandom(300_000)
    assert call(first, "PUT", "/renamed/a", body).status == 200
    eventually(lambda: call(first, "PUT", "/renamed/a?renameObject", x_amz_rename_source="a").status == 200, 30,
               what="all nodes know renames")
    over, seen = threading.Event(), []

    def watch():
        while not over.is_set():
            listed = call(third, "GET", "/renamed?list-type=2").body
            seen.append((listed.count(b"<Key>a</Key>"), listed.count(b"<Key>b</Key>")))

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        for i in range(60):
            source, key = ("a", "b") if i % 2 == 0 else ("b", "a")
            through, other = guarded.nodes[i % 3], guarded.nodes[(i + 1) % 3]
            assert call(through, "PUT", f"/renamed/{key}?renameObject", x_amz_rename_source=source).status == 200
            assert call(other, "GET", f"/renamed/{key}").body == body
            assert call(other, "GET", f"/renamed/{source}").status == 404
    finally:
        over.set()
        watcher.join()
    assert len(seen) > 20 and {a + b for a, b in seen} == {1}
