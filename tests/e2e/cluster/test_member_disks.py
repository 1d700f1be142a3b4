"""Members of a cluster, and a standalone node, whose metadata's disk is full, broken, slow or does not answer."""
import contextlib
import os
import resource
import signal
import threading
import time

import pytest

from cairn_cluster import Cluster
from cairn_node import KIB, MIB, Node, eventually
from disk_faults import Ballast, DiskFaults, small_file_system


def ready(node):
    return node.admin("/health/ready")


def lives(node):
    with contextlib.suppress(OSError):
        return node.admin("/health/live").status == 200


def serves(node):
    with contextlib.suppress(OSError):
        return node.get("/files/small").status == 200


def row_of(cluster, node, number):
    return next(n for n in cluster.status(node)["nodes"] if n["number"] == number)


def number_of(cluster, node):
    return cluster.status(node)["self"]


class Writes:
    """Small objects, one after the other; each must be taken, and none for long."""

    def __init__(self):
        self.bodies, self.slowest = {}, 0.0

    def put(self, node):
        key, body = f"k{len(self.bodies)}", os.urandom(3 * KIB)
        began = time.monotonic()
        answer = node.put(f"/files/{key}", body)
        self.slowest = max(self.slowest, time.monotonic() - began)
        assert answer.status == 200, answer
        self.bodies[key] = body

    def until(self, node, condition, seconds=30, what="condition"):
        def tried():
            self.put(node)
            return condition()
        eventually(tried, seconds=seconds, every=0, what=what)

    def check(self, node):
        for key, body in self.bodies.items():
            answer = node.get(f"/files/{key}")
            assert answer.status == 200 and answer.body == body, (key, answer)


@pytest.fixture
def cluster_of_small_disks(tmp_path):
    """Three members with file systems of their own, and their faults."""
    with contextlib.ExitStack() as stack:
        cluster = Cluster(tmp_path / "cluster", tls=False, node_stop_timeout="5s")
        for n in range(3):
            disk = stack.enter_context(small_file_system(tmp_path / f"disk{n}", "tmpfs", 220))

            def prepare(node, disk=disk):
                node.disk, node.faults = disk, DiskFaults(node, disk)

            cluster.add(prepare=prepare, node_data_dir=str(disk / "data"), storage_reserve="8MiB",
                        storage_segment_size="16MiB")
        cluster.settled(3)
        yield cluster
        for node in cluster.nodes:
            node.faults.clear()
        cluster.stop()


def begun(cluster, who):
    """The leader or a follower, whose disk is to fail; the others; writes through one of these."""
    leader = cluster.leader()
    broken = leader if who == "leader" else cluster.others(leader)[0]
    others = cluster.others(broken)
    writes = Writes()
    for _ in range(20):
        writes.put(others[0])
    return broken, others, writes


def check_that_all_know(cluster, broken, others, fault, writes):
    """The node has just failed: itself, its clients, the other nodes and their operators know."""
    number = number_of(cluster, broken)
    assert ready(broken).status == 503
    assert broken.metric("cairn_cluster_leads") == 0
    assert broken.metric("cairn_metadata_failed") == 1
    for path in ("/files/k0", "/files/absent", "/files?list-type=2"):
        answer = broken.get(path)
        assert answer.status == 503, (path, answer)
    through = broken.put("/files/through", b"x")  # refused, or carried out by the leader
    assert through.status == 503 or (through.status == 200 and others[0].get("/files/through").body == b"x"), through
    writes.until(others[0], lambda: row_of(cluster, others[0], number)["fault"] == fault, 5, "the leader knows")
    assert f"log failed: {fault}" in cluster.command("status", node=others[0]).stdout
    assert cluster.leader() is not broken
    assert row_of(cluster, broken, number)["fault"] == fault, "also when it is asked itself"
    eventually(lambda: not row_of(cluster, others[0], number)["up"], 15, what="it counts as down")
    eventually(lambda: sum(n.metric("cairn_cluster_leads") for n in cluster.nodes) == 1, what="one leads")
    eventually(lambda: cluster.leader().metric("cairn_cluster_members_failed") == 1, what="the leader counts it")


@pytest.mark.parametrize("who", ["leader", "follower"])
def test_a_member_whose_disk_is_full_leaves_and_comes_back_by_itself(cluster_of_small_disks, who):
    cluster = cluster_of_small_disks
    broken, others, writes = begun(cluster, who)
    ballast = Ballast(broken.disk)
    ballast.fill()
    writes.until(others[0], lambda: broken.metric("cairn_metadata_failed") == 1, 60, "the log's disk is met full")
    assert ("transferring leadership" in broken.log()) == (who == "leader")
    assert writes.slowest < 5, "the others went on"
    check_that_all_know(cluster, broken, others, "no_space", writes)
    for _ in range(20):
        writes.put(others[1])
    ballast.remove()
    eventually(lambda: ready(broken).status == 200, 30, what="it is back")
    assert broken.metric("cairn_metadata_failed") == 0
    writes.check(broken)
    writes.put(broken)
    eventually(lambda: row_of(cluster, others[0], number_of(cluster, broken))["up"], 10, what="and counts again")
    others[0].kill()  # its vote counts as well
    writes.until(others[1], lambda: True)
    writes.check(others[1])
    others[0].start(seconds=60)


@pytest.mark.parametrize("who", ["leader", "follower"])
def test_a_member_whose_disk_is_broken_leaves_until_it_is_started_again(cluster_of_small_disks, who):
    cluster = cluster_of_small_disks
    broken, others, writes = begun(cluster, who)
    broken.faults.set("EIO")
    writes.until(others[0], lambda: broken.metric("cairn_metadata_failed") == 1, 60, "the log's disk is met broken")
    assert ("transferring leadership" in broken.log()) == (who == "leader")
    assert writes.slowest < 5, "the others went on"
    check_that_all_know(cluster, broken, others, "io_error", writes)
    broken.faults.clear()
    time.sleep(3)
    assert ready(broken).status == 503, "nobody knows what the disk holds"
    broken.kill()
    broken.start(seconds=60)
    writes.check(broken)
    writes.put(broken)


@pytest.mark.parametrize("who", ["leader", "follower"])
def test_a_member_that_can_not_even_read_its_state_sends_its_clients_to_the_others(cluster_of_small_disks, who):
    cluster = cluster_of_small_disks
    broken, others, writes = begun(cluster, who)
    broken.faults.set("meta")
    writes.until(others[0], lambda: broken.metric("cairn_metadata_failed") == 1, 60, "the state's disk is met broken")
    check_that_all_know(cluster, broken, others, "io_error", writes)
    for method, path in (("PUT", "/files/large"), ("PUT", "/new-bucket"), ("DELETE", "/files/k0"), ("GET", "/files?versions")):
        answer = broken.request(method, path, os.urandom(300 * KIB) if path == "/files/large" else None)
        assert answer.status < 500 or answer.status == 503, (method, path, answer)
    broken.kill()
    broken.faults.clear()
    broken.start(seconds=60)
    for key in ("k0", "large"):
        writes.bodies.pop(key, None)
    writes.check(broken)
    writes.put(broken)


@pytest.mark.parametrize("who", ["leader", "follower"])
@pytest.mark.parametrize("what", ["log", "state"])
def test_a_member_whose_files_are_deleted_under_it_leaves(cluster_of_small_disks, who, what):
    cluster = cluster_of_small_disks
    broken, others, writes = begun(cluster, who)
    metadata = broken.disk / "data/metadata"
    files = list(metadata.glob("log/*.seg")) if what == "log" else [metadata / "data.mdb"]
    assert files
    for file in files:
        file.unlink()
    writes.until(others[0], lambda: broken.metric("cairn_metadata_failed") == 1, 30, "the deletion is seen")
    assert "was deleted" in broken.log()
    assert b"was deleted" in ready(broken).body
    assert writes.slowest < 5, "the others went on"
    check_that_all_know(cluster, broken, others, "io_error", writes)
    broken.kill()


@pytest.mark.parametrize("who", ["leader", "follower"])
def test_a_member_whose_disk_hangs_leaves_until_it_answers(cluster_of_small_disks, who):
    cluster = cluster_of_small_disks
    broken, others, writes = begun(cluster, who)
    broken.faults.set("hang")
    writes.until(others[0], lambda: broken.metric("cairn_metadata_failed") == 1, 15, "that the disk hangs is seen")
    assert b"has not answered" in ready(broken).body
    assert ("transferring leadership" in broken.log()) == (who == "leader")
    assert writes.slowest < 5, "the others went on"
    check_that_all_know(cluster, broken, others, "timeout", writes)
    broken.faults.clear()
    eventually(lambda: ready(broken).status == 200, 15, what="it is back")
    assert broken.metric("cairn_metadata_failed") == 0
    writes.check(broken)
    writes.put(broken)


@pytest.mark.parametrize("fault", ["full", "broken"])
def test_a_standalone_node_goes_on_reading(tmp_path, fault):
    with small_file_system(tmp_path / "disk", "tmpfs", 120) as disk:
        node = Node(tmp_path / "node", node_data_dir=str(disk / "data"), storage_reserve="8MiB",
                    storage_segment_size="16MiB")
        faults, ballast = DiskFaults(node, disk), Ballast(disk)
        node.start()
        try:
            assert node.put("/files/old", b"old").status == 200
            if fault == "full":
                ballast.fill()
            else:
                faults.set("EIO")
            refused = eventually(lambda: next((a for a in [node.put("/files/new", os.urandom(3 * KIB))] if a.status != 200),
                                              None), what="a refusal")
            assert refused.status == (507 if fault == "full" else 500), refused
            assert node.get("/files/old").body == b"old"
            eventually(lambda: ready(node).status == 503, 5, what="the probe of the room, ten times a second, has seen it")
            if fault == "full":
                ballast.remove()
            else:
                assert node.metric("cairn_metadata_failed") == 1
                assert node.put("/files/new", b"new").status == 503
                faults.clear()
                assert ready(node).status == 503, "a failed flush is not tried again"
                node.kill()
                node.start()
            eventually(lambda: ready(node).status == 200, 10, what="it is back")
            assert node.put("/files/new", b"new").status == 200
            assert node.get("/files/new").body == b"new"
            node.stop()
        finally:
            if node.process:
                node.kill()


def test_a_standalone_node_whose_disk_hangs_says_so_and_goes_on_when_it_answers(tmp_path):
    with small_file_system(tmp_path / "disk", "tmpfs", 120) as disk:
        node = Node(tmp_path / "node", node_data_dir=str(disk / "data"), storage_reserve="8MiB",
                    storage_segment_size="16MiB")
        faults = DiskFaults(node, disk)
        node.start()
        try:
            assert node.put("/files/old", b"old").status == 200
            faults.set("hang")
            hung = threading.Thread(target=lambda: node.put("/files/new", b"new"))
            hung.start()
            eventually(lambda: ready(node).status == 503, 15, what="that the disk hangs is seen")
            assert b"has not answered" in ready(node).body
            assert node.metric("cairn_metadata_failed") == 1
            began = time.monotonic()
            assert node.put("/files/more", b"more").status == 503
            assert time.monotonic() - began < 1, "nobody waits for it any more"
            assert node.get("/files/old").body == b"old"
            faults.clear()
            eventually(lambda: ready(node).status == 200, 10, what="it is back")
            hung.join()
            assert node.metric("cairn_metadata_failed") == 0
            assert node.put("/files/more", b"more").status == 200
            assert node.get("/files/more").body == b"more"
        finally:
            faults.clear()
            node.kill()


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_a_node_starts_on_a_full_disk_and_reads(tmp_path, end):
    with small_file_system(tmp_path / "disk", "tmpfs", 120) as disk:
        node = Node(tmp_path / "node", node_data_dir=str(disk / "data"), storage_reserve="8MiB", storage_segment_size="16MiB")
        ballast = Ballast(disk)
        node.start()
        try:
            for key, body in (("small", b"old"), ("large", b"x" * MIB)):
                assert node.put(f"/files/{key}", body).status == 200
            getattr(node, end)()
            ballast.fill()
            node.spawn()
            eventually(lambda: lives(node), what="that it lives")
            eventually(lambda: serves(node), what="that its port is open")
            assert node.get("/files/small").body == b"old"
            assert node.get("/files/large").body == b"x" * MIB
            assert ready(node).status == 503
            ballast.remove()
            eventually(lambda: ready(node).status == 200, 15, what="it is ready again")
            assert node.put("/files/small", b"new").status == 200
            node.stop()
        finally:
            if node.process:
                node.kill()


def test_a_stop_does_not_wait_for_a_disk_that_hangs(tmp_path):
    with small_file_system(tmp_path / "disk", "tmpfs", 120) as disk:
        node = Node(tmp_path / "node", node_data_dir=str(disk / "data"), storage_reserve="8MiB", storage_segment_size="16MiB",
                    node_stop_timeout="1s")
        faults = DiskFaults(node, disk)
        node.start()
        try:
            faults.set("hang")

            def put():
                with contextlib.suppress(OSError):
                    node.put("/files/new", b"new")

            threading.Thread(target=put, daemon=True).start()
            eventually(lambda: ready(node).status == 503, 15, what="that the disk hangs is seen")
            node.process.send_signal(signal.SIGTERM)
            assert node.process.wait(20) == 1
            assert "has not stopped in time" in node.log()
        finally:
            faults.clear()
            if node.process and node.process.poll() is None:
                node.kill()


def test_a_limit_of_file_sizes_is_an_error_and_not_the_end(start_node):
    node = start_node()
    assert node.put("/files/old", b"x" * MIB).status == 200
    resource.prlimit(node.process.pid, resource.RLIMIT_FSIZE, (KIB, resource.RLIM_INFINITY))
    assert node.put("/files/new", b"y" * MIB).status == 507
    assert node.get("/files/old").body == b"x" * MIB
    resource.prlimit(node.process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    eventually(lambda: node.put("/files/new", b"y" * MIB).status == 200, 15, what="that it writes again")


def requests_through(nodes, seconds):
    """PUTs and GETs one after the other through each; the failures, and the slowest of those that began in the last third."""
    failures, slow, end = [], [0.0], time.monotonic() + seconds

    def work(node, number):
        n = 0
        while time.monotonic() < end:
            began = time.monotonic()
            for answer in (node.put(f"/files/s{number}-{n}", b"x"), node.get(f"/files/s{number}-{n}")):
                if answer.status != 200:
                    failures.append((time.monotonic(), answer))
            if began > end - seconds / 3:
                slow[0] = max(slow[0], time.monotonic() - began)
            n += 1
            time.sleep(0.05)

    threads = [threading.Thread(target=work, args=(node, i)) for i, node in enumerate(nodes)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    return failures, slow[0]


def slow_leaders(cluster):
    """How often one of them handed over because of its disk."""
    return sum(n.log().count("disk is slower than the others") for n in cluster.nodes)


@pytest.mark.parametrize("fault", ["delay 2000", "delay 5000 /metadata/data.mdb"], ids=["all", "state"])
def test_a_leader_with_a_slow_disk_hands_over(cluster_of_small_disks, fault):
    cluster = cluster_of_small_disks
    slow = cluster.leader()
    others = cluster.others(slow)
    slow.faults.set(fault)
    failures, slowest = requests_through(others, 21)
    assert not failures, failures[:3]
    assert slowest < 1, f"{slowest:.2f} s: the slow follower holds up the others"
    assert cluster.leader() in others
    assert slow_leaders(cluster) == 1
    slow.faults.clear()
    failures, slowest = requests_through(others, 9)
    assert not failures, failures[:3]
    assert slow_leaders(cluster) == 1, "leadership stays where it is"


def test_when_all_disks_are_slow_leadership_stays(cluster_of_small_disks):
    cluster = cluster_of_small_disks
    for node in cluster.nodes:
        node.faults.set("delay 700")
    requests_through(cluster.nodes, 10)
    for node in cluster.nodes:
        node.faults.clear()
    assert slow_leaders(cluster) == 0


def test_a_gateway_without_room_sends_its_clients_to_the_others(cluster_of_small_disks):
    cluster = cluster_of_small_disks
    full = cluster.others(cluster.leader())[0]
    others = cluster.others(full)
    assert full.put("/files/old", b"old").status == 200
    ballast = Ballast(full.disk)
    ballast.fill(leave=5 * MIB)
    refused = eventually(lambda: next((a for a in [full.put("/files/new", b"x")] if a.status != 200), None), what="a refusal")
    assert refused.status == 503 and refused.header("retry-after"), refused
    assert ready(full).status == 503 and b"reserve" in ready(full).body
    assert full.get("/files/old").body == b"old"
    assert full.delete("/files/old").status == 204, "what makes room is let through"
    for node in others:
        assert node.put("/files/new", b"new").status == 200
    assert full.get("/files/new").body == b"new", "it follows as long as there is any room"
    ballast.remove()
    eventually(lambda: ready(full).status == 200, 10, what="it is ready again")
    assert full.put("/files/new", b"newer").status == 200


def test_a_cluster_of_one_whose_disk_is_full_answers_as_a_standalone_node_does(tmp_path):
    with small_file_system(tmp_path / "disk", "tmpfs", 120) as disk, contextlib.ExitStack() as stack:
        cluster = Cluster(tmp_path / "cluster", tls=False, node_stop_timeout="5s")
        stack.callback(cluster.stop)
        node = cluster.add(node_data_dir=str(disk / "data"), storage_reserve="8MiB", storage_segment_size="16MiB")
        cluster.settled(1)
        assert node.put("/files/old", b"old").status == 200
        ballast = Ballast(disk)
        ballast.fill(leave=5 * MIB)
        eventually(lambda: ready(node).status == 503, 5, what="the probe of the room has seen it")
        for size in (3 * KIB, 2 * MIB):
            refused = node.put("/files/new", os.urandom(size))
            assert (refused.status, refused.code()) == (507, "InsufficientStorage"), refused
        assert node.request("POST", "/files/upload?uploads").status == 507
        assert node.get("/files/old").body == b"old"
        assert node.delete("/files/old").status == 204
        ballast.remove()
        eventually(lambda: ready(node).status == 200, 10, what="it is ready again")
        assert node.put("/files/new", os.urandom(2 * MIB)).status == 200


def test_a_gateway_whose_chunk_disk_is_full_stores_on_the_others(tmp_path):
    with small_file_system(tmp_path / "disk", "tmpfs", 120) as disk, contextlib.ExitStack() as stack:
        cluster = Cluster(tmp_path / "cluster", tls=False, node_stop_timeout="5s")
        stack.callback(cluster.stop)
        full = cluster.add(storage_disks=[str(disk)], storage_reserve="8MiB", storage_segment_size="16MiB")
        for _ in range(2):
            cluster.add()
        cluster.settled(3)
        ballast = Ballast(disk)
        ballast.fill(leave=5 * MIB)
        body = os.urandom(MIB)
        time.sleep(1.5)  # it looks at its room each second
        for n in range(5):
            assert full.put(f"/files/k{n}", body).status == 200
        assert ready(full).status == 200
        assert full.get("/files/k4").body == body
        eventually(lambda: cluster.status()["repairs_waiting"] > 0, what="what it lacks is on the list")
        ballast.remove()
        eventually(lambda: cluster.status()["repairs_waiting"] == 0, 30, what="it is made up for")


def test_a_member_whose_only_chunk_disk_does_not_open_goes_on_without_it(make_cluster):
    cluster = make_cluster(3)
    node, bodies = cluster.nodes[1], {f"k{n}": os.urandom(MIB + n) for n in range(6)}
    for key, body in bodies.items():
        assert node.put(f"/files/{key}", body).status == 200
    node.stop()
    identity = next(node.folder.glob("data/**/disk0/disk"))
    kept = identity.read_bytes()
    identity.write_bytes(b"damaged")
    node.start(seconds=60)
    for key, body in bodies.items():
        assert node.get(f"/files/{key}").body == body
    assert node.put("/files/more", bodies["k5"]).status == 200
    assert node.get("/files/more").body == bodies["k5"]
    number = number_of(cluster, node)
    other = cluster.others(node)[0]
    eventually(lambda: row_of(cluster, other, number)["closed_disks"] == 1, 10, what="the leader knows")
    assert "1 disk closed" in cluster.command("status", node=other).stdout
    cluster.others(node)[1].kill()  # it has a vote
    eventually(lambda: other.put("/files/two", b"two").status in (200, 503), 30, what="an answer")
    eventually(lambda: other.put("/files/small", b"small").status == 200, 30, what="a majority")
    cluster.nodes[2 if cluster.nodes[2] is not other else 0].start(seconds=60)
    node.stop()
    identity.write_bytes(kept)
    node.start(seconds=60)
    cluster.settled(3)
    eventually(lambda: row_of(cluster, other, number)["closed_disks"] == 0, 10, what="all is well")
