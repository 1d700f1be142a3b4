"""What buckets hold: `cairn bucket usage`, the admin API and the metrics say the same as a listing."""
import json
import re
import threading

import pytest

from cairn_node import Node, eventually
from older_directories import ready, stored
from rights import cairn, command
from usage import VERSIONED, held, usage_of


@pytest.fixture(scope="module")
def counted(tmp_path_factory):
    n = Node(tmp_path_factory.mktemp("counted") / "n").start()
    yield n
    n.stop()


def test_it_follows_puts_overwrites_versions_and_deletes(counted):
    n, b = counted, counted.bucket("follows")
    assert usage_of(n, b) == held(0, 0, 0, 0)
    for size in (0, 10, 5000, 3_000_000):
        assert n.put(f"/{b}/k{size}", b"x" * size).status == 200
    assert usage_of(n, b) == held(4, 4, 0, 3_005_010)
    n.put(f"/{b}/k10", b"longer than ten")
    assert usage_of(n, b) == held(4, 4, 0, 3_005_015)
    n.delete(f"/{b}/k5000")
    n.delete(f"/{b}/never")
    assert usage_of(n, b) == held(3, 3, 0, 3_000_015)
    n.request("PUT", f"/{b}?versioning", VERSIONED)
    n.put(f"/{b}/k10", b"x" * 20)
    n.delete(f"/{b}/k0")
    assert usage_of(n, b) == held(2, 4, 1, 3_000_035)
    copied = n.request("PUT", f"/{b}/copy", headers={"x-amz-copy-source": f"/{b}/k3000000"})
    assert copied.status == 200
    assert usage_of(n, b) == held(3, 5, 1, 6_000_035)
    upload = re.search(rb"<UploadId>(.*?)</UploadId>", n.request("POST", f"/{b}/parts?uploads").body).group(1).decode()
    etag = n.request("PUT", f"/{b}/parts?partNumber=1&uploadId={upload}", b"p" * 1000).header("etag")
    assert usage_of(n, b) == held(3, 5, 1, 6_000_035), "parts count when the upload is completed"
    n.request("POST", f"/{b}/parts?uploadId={upload}",
              f"<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>{etag}</ETag></Part></CompleteMultipartUpload>")
    assert usage_of(n, b) == held(4, 6, 1, 6_001_035)
    listed = n.get(f"/{b}?versions").body.decode()
    for key, version in re.findall(r"<Key>(.*?)</Key><VersionId>(.*?)</VersionId>", listed):
        assert n.delete(f"/{b}/{key}?versionId={version}").status == 204
    assert usage_of(n, b) == held(0, 0, 0, 0)
    assert n.delete(f"/{b}").status == 204
    assert b not in cairn(n, "bucket", "usage")


def test_the_table_the_api_and_the_metrics_agree(counted):
    n = counted
    for name, size in (("many-a", 100), ("many-b", 12345)):
        n.bucket(name)
        n.put(f"/{name}/k", b"x" * size)
    table = cairn(n, "bucket", "usage")
    assert table.splitlines()[0].split() == ["BUCKET", "OBJECTS", "VERSIONS", "MARKERS", "BYTES"]
    rows = {line.split()[0]: line.split()[1:] for line in table.splitlines()[1:]}
    assert rows["many-b"] == ["1", "1", "0", "12345"]
    api = json.loads(n.admin("/v1/openapi.json").body)
    assert "usage" in api["components"]["schemas"]["bucket"]["properties"]
    shown = json.loads(cairn(n, "bucket", "usage", "--json"))
    assert {b["name"]: [str(v) for v in b["usage"].values()] for b in shown} == rows
    total = sum(b["usage"]["bytes"] for b in shown)
    eventually(lambda: n.metric("cairn_usage_bytes") == total, what="the metric is a moment old")
    assert n.metric("cairn_usage_objects") == sum(b["usage"]["objects"] for b in shown)
    assert n.metric("cairn_usage_complete") == 1
    assert b"many-a" not in n.admin("/metrics").body, "names are not told without the token"
    wrong = command(n, "bucket", "usage", "none-such")
    assert wrong.returncode != 0


def test_more_buckets_than_a_page(tmp_path):
    n = Node(tmp_path / "n").start()
    try:
        def make(part):
            connection = n.connect()
            for i in range(part, 1100, 4):
                assert n.request("PUT", f"/bucket-{i:04}", connection=connection).status == 200

        makers = [threading.Thread(target=make, args=(part,)) for part in range(4)]
        for thread in makers:
            thread.start()
        for thread in makers:
            thread.join()
        n.put("/bucket-1099/k", b"12345")
        shown = {b["name"]: b["usage"] for b in json.loads(cairn(n, "bucket", "usage", "--json"))}
        assert len(shown) == 1101 and shown["bucket-1099"]["bytes"] == 5
    finally:
        n.stop()


def test_it_is_the_same_after_a_kill(start_node):
    n = start_node()
    for i in range(50):
        n.put(f"/files/k{i % 20}", b"x" * (i * 100))
    before = usage_of(n, "files")
    n.kill()
    n.start()
    assert usage_of(n, "files") == before == held(20, 20, 0, sum(i * 100 for i in range(30, 50)))


def test_an_older_directory_is_counted_once(older_node):
    node, objects = older_node, stored()
    wanted = held(len(objects), len(objects), 0, sum(map(len, objects.values())))
    eventually(lambda: usage_of(node, "files") == wanted, what=f"{usage_of(node, 'files')}")
    node.put("/files/more", b"123")
    wanted = held(len(objects) + 1, len(objects) + 1, 0, wanted["bytes"] + 3)
    assert usage_of(node, "files") == wanted
    node.kill()
    node.start()
    assert usage_of(node, "files") == wanted


def test_an_older_cluster_is_counted_when_all_its_members_can(older_cluster):
    cluster = older_cluster
    for n in cluster.nodes:
        n.spawn()
    for n in cluster.nodes:
        eventually(lambda n=n: ready(n), seconds=60, what="the member is back")
    cluster.settled(3)
    objects = stored()
    size = sum(map(len, objects.values()))
    cluster.nodes[0].put("/files/more", b"123")
    wanted = held(len(objects) + 1, len(objects) + 1, 0, size + 3)
    for n in cluster.nodes:
        eventually(lambda n=n: usage_of(n, "files") == wanted, seconds=60, what=f"{usage_of(n, 'files')}")
