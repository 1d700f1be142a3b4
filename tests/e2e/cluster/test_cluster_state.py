"""The metadata's state of a cluster: nodes that lack it fetch it, a standalone node becomes a cluster, backup, restore and
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
        eventually(node.ready, seconds=60, what="ready again")
        expect_all(node, "large", range(1, 5), 3 * MIB + 17)
        expect_all(node, "small", range(50), 3 * KIB)


def test_a_node_that_the_log_has_left_behind_catches_up(members):
    nodes = [members.add() for _ in range(3)]
    put_all(nodes[0], "before", 20, KIB)
    for n in (1, 2):
        eventually(lambda: f"node={n} change=promote" in nodes[0].log(), seconds=60, what="three votes")
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
    # Another one may go.
    nodes[1].kill()
    put_all(nodes[2], "newer", 5, KIB)
    expect_all(nodes[0], "newer", range(5), KIB)


def cluster_command(node, *arguments, check=True):
    done = node.cairn("cluster", *arguments[:1], "--config", node.config, *arguments[1:])
    assert not check or done.returncode == 0, (arguments, done.stdout, done.stderr)
    return done


def three_with_votes(members):
    nodes = [members.add() for _ in range(3)]
    for n in (1, 2):
        eventually(lambda: f"node={n} change=promote" in nodes[0].log(), seconds=60, what="three votes")
    return nodes


def chunks_of(node):
    return node.metric("cairn_disk_chunks")


def test_a_majority_is_lost_for_good_and_a_survivor_goes_on(members):
    nodes = three_with_votes(members)
    put_all(nodes[0], "small", 40, 2 * KIB)
    put_all(nodes[1], "large", 6, 2 * MIB)
    for node in nodes:  # each has a copy of every chunk
        eventually(lambda n=node: chunks_of(n) == 12, seconds=90, what="three copies")
    nodes[0].kill()
    survivor = nodes[2]
    # It has everything still: the move waits for the node that is down.
    assert survivor.cairn("cluster", "drain", "2", "--admin", f"http://127.0.0.1:{survivor.admin_port}").returncode == 0
    nodes[1].kill()
    assert survivor.put("/files/late", b"x").status == 503
    assert cluster_command(survivor, "recover", check=False).returncode != 0, "it runs"
    survivor.kill()

    shown = cluster_command(survivor, "recover")
    assert "Nothing was changed" in shown.stdout.decode() and shown.stdout.decode().count("127.0.0.1:") == 3
    done = cluster_command(survivor, "recover", "--majority-lost").stdout.decode()
    assert "Deletion is held" in done
    survivor.settings["cluster.join"] = []
    survivor.write_config()
    survivor.start(seconds=60)
    expect_all(survivor, "small", range(40), 2 * KIB)
    expect_all(survivor, "large", range(6), 2 * MIB)
    put_all(survivor, "new", 3, KIB)
    eventually(lambda: survivor.put("/files/written-alone", body("alone", 2 * MIB)).status == 200, seconds=60, every=1,
               what="a write that counts this node alone")
    # What is deleted stays on the disks until the operator says so.
    kept = chunks_of(survivor)
    assert survivor.delete("/files/large0").status == 204

    # One of the lost ones turns up again: it can't decide anything, and comes back as it is told.
    nodes[1].spawn()
    eventually(lambda: "belongs to cluster" in nodes[1].log() + survivor.log(), seconds=20, what="a refusal")
    assert nodes[1].put("/files/split", b"brain").status == 503
    assert survivor.get("/files/split").status == 404
    nodes[1].kill()
    cluster_command(nodes[1], "rejoin")
    nodes[1].settings["cluster.join"] = [survivor.settings["cluster.listen"]]
    nodes[1].write_config()
    nodes[1].start(seconds=60)
    expect_all(nodes[1], "large", range(1, 6), 2 * MIB)
    expect_all(nodes[1], "new", range(3), KIB)
    put_all(nodes[1], "again", 5, KIB)
    expect_all(survivor, "again", range(5), KIB)
    assert nodes[1].get("/files/written-alone").body == body("alone", 2 * MIB)
    assert chunks_of(survivor) >= kept
    admin = ["--admin", f"http://127.0.0.1:{nodes[1].admin_port}"]
    assert b'"deletions_held":true' in nodes[1].cairn("cluster", "status", "--json", *admin).stdout
    released = nodes[1].cairn("cluster", "deletions", "release", *admin)
    assert released.returncode == 0, released
    eventually(lambda: chunks_of(survivor) < kept, seconds=60, what="the deletion")
    eventually(lambda: nodes[1].cairn("cluster", "remove", "0", *admin).returncode == 0, seconds=90, every=2,
               what="the removal of the node that stays lost")
    expect_all(survivor, "large", range(1, 6), 2 * MIB)


def large_settings(node):
    """As much as a bucket may have: its row is larger than a piece of a backup. What is answered for them."""
    rules = "".join(f"<Rule><ID>{i}</ID><Status>Enabled</Status><Filter><Prefix>{'p' * 900}{i}</Prefix></Filter>"
                    "<Expiration><Days>9</Days></Expiration></Rule>" for i in range(240))
    cors = "".join(f"<CORSRule><AllowedOrigin>http://{'o' * 500}{i}</AllowedOrigin><AllowedMethod>GET</AllowedMethod></CORSRule>"
                   for i in range(90))
    assert node.put("/files?lifecycle", f"<LifecycleConfiguration>{rules}</LifecycleConfiguration>".encode()).status == 200
    assert node.put("/files?cors", f"<CORSConfiguration>{cors}</CORSConfiguration>".encode()).status == 200
    return node.get("/files?lifecycle").body, node.get("/files?cors").body


def test_a_backup_of_a_running_cluster_founds_a_new_one(members, tmp_path):
    nodes = three_with_votes(members)
    put_all(nodes[0], "small", 40, 2 * KIB)
    put_all(nodes[1], "large", 4, 2 * MIB)
    eventually(lambda: chunks_of(nodes[2]) == 8, seconds=90, what="a copy")
    backup = tmp_path / "meta.dump"
    lifecycle, cors = large_settings(nodes[0])
    assert nodes[2].get("/files/large3").status == 200  # by now it shows all of it
    assert "rows" in cluster_command(nodes[2], "backup", backup).stdout.decode()
    assert cluster_command(nodes[2], "backup", backup, check=False).returncode == 2, "it exists"
    put_all(nodes[0], "later", 3, KIB)
    assert nodes[0].delete("/files/large0").status == 204
    for node in nodes:
        node.kill()

    # The metadata of all members is lost; a disk is left.
    assert cluster_command(nodes[2], "restore", backup, check=False).returncode == 1, "it has metadata of its own"
    cluster_command(nodes[2], "rejoin")
    cluster_command(nodes[2], "restore", backup)
    nodes[2].settings["cluster.join"] = []
    nodes[2].write_config()
    nodes[2].start(seconds=60)
    expect_all(nodes[2], "small", range(40), 2 * KIB)
    expect_all(nodes[2], "large", range(1, 4), 2 * MIB)
    assert nodes[2].get("/files?lifecycle").body == lifecycle and nodes[2].get("/files?cors").body == cors
    assert nodes[2].get("/files/later0").status == 404
    put_all(nodes[2], "new", 3, KIB)
    cluster_command(nodes[0], "rejoin")
    nodes[0].settings["cluster.join"] = [nodes[2].settings["cluster.listen"]]
    nodes[0].write_config()
    nodes[0].start(seconds=60)
    expect_all(nodes[0], "large", range(1, 4), 2 * MIB)
    expect_all(nodes[0], "small", range(40), 2 * KIB)
