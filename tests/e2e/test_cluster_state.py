"""The metadata's state of a cluster: nodes that lack it fetch it, a store of its own becomes a cluster, backup, restore and
recovery."""
import hashlib
import os

import pytest

from cairn_node import KIB, MIB, Node, eventually, free_port, in_threads


class Members:
    """Nodes of one cluster on loopback, by number."""

    def __init__(self, folder):
        self.folder, self.nodes, self.ports = folder, [], []

    def add(self, start=True, **settings):
        port = free_port()
        node = Node(self.folder / f"node{len(self.nodes)}", cluster_listen=f"127.0.0.1:{port}",
                    cluster_join=[f"127.0.0.1:{p}" for p in self.ports], **settings)
        self.nodes.append(node)
        self.ports.append(port)
        return node.start(seconds=60) if start else node

    def stop(self):
        for n in reversed(self.nodes):
            if n.running():
                n.kill()


@pytest.fixture
def members(tmp_path):
    made = Members(tmp_path)
    yield made
    made.stop()


def body(seed, size):
    return (hashlib.sha256(str(seed).encode()).digest() * (size // 32 + 1))[:size]


def is_ready(node):
    try:
        return node.admin("/health/ready").status == 200
    except OSError:
        return False


def put_all(node, prefix, count, size, threads=4):
    def work(t):
        connection = node.connect()
        for i in range(t, count, threads):
            answer = node.request("PUT", f"/files/{prefix}{i}", body(f"{prefix}{i}", size), connection=connection)
            assert answer.status == 200, answer

    in_threads(threads, work)


def expect_all(node, prefix, numbers, size):
    connection = node.connect()
    for i in numbers:
        answer = node.request("GET", f"/files/{prefix}{i}", connection=connection)
        assert answer.status == 200 and answer.body == body(f"{prefix}{i}", size), (i, answer)


def test_a_store_of_its_own_becomes_a_cluster_and_all_members_serve_its_data(members):
    first = Node(members.folder / "node0").start()
    put_all(first, "small", 50, 3 * KIB)
    put_all(first, "large", 5, 3 * MIB + 17)
    first.stop()

    members.ports.append(free_port())
    members.nodes.append(first)
    first.settings["cluster.listen"] = f"127.0.0.1:{members.ports[0]}"
    first.write_config()
    first.start()
    expect_all(first, "small", range(50), 3 * KIB)
    for _ in range(2):
        members.add()
    for node in members.nodes:
        expect_all(node, "small", range(50), 3 * KIB)
        expect_all(node, "large", range(5), 3 * MIB + 17)
        assert sorted(node.keys("files")) == sorted([f"small{i}" for i in range(50)] + [f"large{i}" for i in range(5)])
    assert "was installed" in members.nodes[1].log() and "was installed" in members.nodes[2].log()

    put_all(members.nodes[2], "new", 5, 2 * MIB)
    for node in members.nodes:
        expect_all(node, "new", range(5), 2 * MIB)
    assert first.delete("/files/large0").status == 204
    assert members.nodes[1].get("/files/large0").status == 404
    for node in members.nodes:  # and all of it after they stopped and started
        node.stop()
    for node in members.nodes:
        node.spawn()
    for node in members.nodes:
        eventually(lambda n=node: is_ready(n), seconds=60, what="ready again")
        expect_all(node, "large", range(1, 5), 3 * MIB + 17)
        expect_all(node, "small", range(50), 3 * KIB)


def test_a_node_that_the_log_has_left_behind_catches_up(members):
    nodes = [members.add() for _ in range(3)]
    put_all(nodes[0], "before", 20, KIB)
    nodes[2].kill()
    # Two compactions of 64 MiB: the log keeps what came since the last but one. Headers make an entry longer.
    count, size, long = 13000, 4 * KIB, "x" * 900
    headers = {"x-amz-meta-a": "y" * 1800, "cache-control": "z" * 2000, "content-disposition": "z" * 2000}

    def work(t):
        connection = nodes[0].connect()
        for i in range(t, count, 8):
            answer = nodes[0].request("PUT", f"/files/{i}{long}", body(i, size), connection=connection,
                                      headers=headers)
            assert answer.status == 200, answer

    in_threads(8, work)
    put_all(nodes[1], "after", 20, KIB)
    nodes[2].start(seconds=120)
    assert "was installed" in nodes[2].log()
    expect_all(nodes[2], "before", range(20), KIB)
    expect_all(nodes[2], "after", range(20), KIB)
    connection = nodes[2].connect()
    for i in range(0, count, 250):
        answer = nodes[2].request("GET", f"/files/{i}{long}", connection=connection)
        assert answer.status == 200 and answer.body == body(i, size), i
    log, = members.folder.glob("node0/**/log/data.mdb")
    assert os.stat(log).st_size < 250 * MIB
    put_all(nodes[2], "new", 5, KIB)
    expect_all(nodes[0], "new", range(5), KIB)
    # It votes: another one may go.
    eventually(lambda: "node=2 change=promote" in nodes[0].log(), seconds=60, what="a vote")
    put_all(nodes[0], "voted", 5, KIB)
    nodes[1].kill()
    put_all(nodes[2], "newer", 5, KIB)
    expect_all(nodes[0], "newer", range(5), KIB)
