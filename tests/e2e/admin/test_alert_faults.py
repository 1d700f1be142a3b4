"""Each alert of deploy/prometheus fires and clears with real faults of real nodes that a real Prometheus scrapes. Every minute
of a rule is a second here, and nothing else is changed."""
import contextlib
import http.client
import os
import shutil
import signal
import threading

import pytest

from cairn_cluster import cairn
from cairn_node import KIB, MIB, Node, eventually, in_threads
from damage import fill, flip, flip_bit, places_of, state_file
from disk_faults import Ballast, DiskFaults, small_file_system
from prometheus import Prometheus
from wire import Wire, request_bytes


def instance(node):
    return f"127.0.0.1:{node.admin_port}"


def test_members_that_die_and_come_back(make_cluster, tmp_path):
    cluster = make_cluster(5, cluster_down_out_after="10s")
    first, second, third, *victims = cluster.nodes
    for i in range(10):
        assert first.put(f"/files/k{i}", os.urandom(300 * KIB)).status == 200
    with Prometheus(tmp_path / "prometheus", cluster.nodes) as p:
        one_dies = ("CairnNodeDown", "CairnMemberDown", "CairnUnderReplicated", "CairnAutoOutPaused", "CairnRepairsStuck")
        p.clears("CairnNodeNotReady", "CairnNoLeader", *one_dies)
        for v in victims:
            v.kill()
        for v in victims:
            p.fires("CairnNodeDown", instance=instance(v))
        p.fires("CairnMemberDown")
        p.fires("CairnAutoOutPaused", reason="many_down")
        p.fires("CairnUnderReplicated")
        for i in range(10):  # the dead ones lack these chunks
            assert first.put(f"/files/later{i}", os.urandom(300 * KIB)).status in (200, 503), "503: two owners are dead"
        p.fires("CairnRepairsStuck")
        assert not p.firing("CairnNoLeader")
        second.kill()
        for alert in ("CairnNodeReachesNoLeader", "CairnNodeNotReady"):
            for node in (first, third):
                p.fires(alert, instance=instance(node))
        p.fires("CairnNoLeader")
        for node in (second, *victims):
            node.spawn()
        p.clears("CairnNoLeader", "CairnNodeReachesNoLeader", "CairnNodeNotReady", *one_dies, seconds=180)


def test_leaders_that_change_and_change(make_cluster, tmp_path):
    cluster = make_cluster(3)
    with Prometheus(tmp_path / "prometheus", cluster.nodes, longest=60) as p:
        p.clears("CairnLeaderChanges")

        def frozen():
            leader = cluster.leader()
            others = cluster.others(leader)
            number = cluster.status(leader)["self"]
            leader.process.send_signal(signal.SIGSTOP)
            try:
                eventually(lambda: cluster.status(others[0])["leader"] not in (number, None), 30, what="another leader")
            finally:
                leader.process.send_signal(signal.SIGCONT)
        p.fires("CairnLeaderChanges", seconds=120, meanwhile=frozen)
        p.clears("CairnLeaderChanges", seconds=120)


def test_a_certificate_that_ends_and_is_renewed(make_cluster, tmp_path):
    cluster = make_cluster(0)

    def issue(node, days):
        cairn("cluster", "certs", "issue", "--dir", cluster.folder / "ca", "--data-dir", node.folder / "data", "--days", days, "127.0.0.1")
    node = cluster.add(prepare=lambda n: issue(n, 20))
    with Prometheus(tmp_path / "prometheus", [node]) as p:
        p.fires("CairnCertificateExpires", instance=instance(node), use="cluster")
        issue(node, 3650)
        node.process.send_signal(signal.SIGHUP)
        p.clears("CairnCertificateExpires")


def test_chunks_that_are_lost_and_given_up(make_cluster, tmp_path):
    cluster = make_cluster(1, cluster_replicas=1)
    node = cluster.nodes[0]
    assert node.put("/files/k", os.urandom(3 * MIB)).status == 200
    with Prometheus(tmp_path / "prometheus", [node]) as p:
        p.clears("CairnChunksLost")
        node.stop()
        shutil.rmtree(node.folder / "data/disk0")
        node.start(seconds=60)
        p.fires("CairnChunksLost")
        cluster.command("forget-lost")
        p.clears("CairnChunksLost")


def test_bytes_that_rot(start_node, tmp_path):
    node = start_node()
    body = os.urandom(3 * MIB)
    rows = fill(node, 20)
    assert node.put("/files/k", body).status == 200
    with Prometheus(tmp_path / "prometheus", [node]) as p:
        p.clears("CairnDamagedChunks", "CairnDownloadsBroken", "CairnMetadataDamaged")
        flip_bit(node, body[2 * MIB + 1000:2 * MIB + 1064])

        def read():
            with contextlib.suppress(http.client.IncompleteRead):
                assert node.get("/files/k").status == 500
        p.fires("CairnDamagedChunks", meanwhile=read)
        p.fires("CairnDownloadsBroken", meanwhile=read)
        p.clears("CairnDamagedChunks", "CairnDownloadsBroken")
        key = sorted(rows)[0]
        node.stop()
        flip(state_file(node), places_of(state_file(node), rows[key][:60], offset=30))
        node.start()
        p.fires("CairnMetadataDamaged", meanwhile=lambda: node.get(key))
        p.clears("CairnMetadataDamaged")


def small_node(folder, metadata, chunks, **settings):
    return Node(folder, node_data_dir=str(metadata / "data"), storage_disks=[str(chunks / "disk")], storage_reserve="8MiB",
                storage_segment_size="16MiB", **settings)


@pytest.fixture
def disks(tmp_path):
    """Two small file systems, for the metadata and for chunks."""
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(small_file_system(tmp_path / f"fs-{name}", "tmpfs", 160)) for name in ("metadata", "chunks")]


def test_disks_that_fill_up(disks, tmp_path):
    node = small_node(tmp_path / "node", *disks).start()
    statuses = set()

    def put():
        statuses.add(node.put("/files/k", os.urandom(MIB)).status)
    try:
        with Prometheus(tmp_path / "prometheus", [node]) as p:
            p.clears("CairnDiskNearlyFull", "CairnDiskFull", "CairnMetadataDiskNearlyFull", "CairnServerErrors", meanwhile=put)
            metadata, chunks = (Ballast(d) for d in disks)
            metadata.fill(leave=14 * MIB)
            p.fires("CairnMetadataDiskNearlyFull")
            metadata.remove()
            p.clears("CairnMetadataDiskNearlyFull")
            assert statuses == {200}
            chunks.fill()
            p.fires("CairnDiskNearlyFull", meanwhile=put, disk=str(disks[1] / "disk"))  # writes look at the room
            p.fires("CairnDiskFull", meanwhile=put, disk=str(disks[1] / "disk"))
            p.fires("CairnServerErrors", meanwhile=put)
            assert statuses == {200, 507}
            chunks.remove()
            p.clears("CairnDiskNearlyFull", "CairnDiskFull", "CairnServerErrors", meanwhile=put)
        node.stop()
    finally:
        if node.process:
            node.kill()


@pytest.mark.parametrize("which", ["metadata", "chunks"])
def test_a_disk_that_breaks(disks, tmp_path, which):
    node = small_node(tmp_path / "node", *disks)
    faults = DiskFaults(node, disks[which == "chunks"])
    alert = "CairnMetadataFailed" if which == "metadata" else "CairnDiskFailed"
    node.start()
    try:
        with Prometheus(tmp_path / "prometheus", [node]) as p:
            p.clears(alert)
            faults.set("EIO")
            p.fires(alert, meanwhile=lambda: node.put("/files/k", os.urandom(2 * MIB)))
            faults.clear()
            node.kill()
            node.start()
            p.clears(alert)
        node.stop()
    finally:
        if node.process:
            node.kill()


def test_an_audit_log_whose_disk_is_full(tmp_path):
    with small_file_system(tmp_path / "small", "tmpfs", 4) as small:
        node = Node(tmp_path / "node", audit_file=str(small / "audit.log")).start()
        try:
            with Prometheus(tmp_path / "prometheus", [node]) as p:
                p.clears("CairnAuditLogFailed")
                ballast = Ballast(small)
                ballast.fill()
                p.fires("CairnAuditLogFailed", meanwhile=lambda: node.put("/files/k", b"x"))
                ballast.remove()
                p.clears("CairnAuditLogFailed", meanwhile=lambda: node.put("/files/k", b"x"))
        finally:
            node.kill()


def test_clients_that_ask_for_more_than_the_limits(start_node, tmp_path):
    node = start_node(limits_memory="32MiB", limits_connections=16, limits_transfer_rate_min="0")
    with Prometheus(tmp_path / "prometheus", [node]) as p:
        p.clears("CairnSlowDown", "CairnConnectionsRefused")
        busy, stop = [Wire(node) for _ in range(14)], threading.Event()
        for i, w in enumerate(busy):
            w.send(request_bytes("PUT", f"/files/busy-{i}", [("Content-Length", 10 * MIB)], b"x" * 1000))

        def trickle():
            while not stop.wait(0.2):
                for w in busy:
                    with contextlib.suppress(OSError):
                        w.send(b"x" * 1000)
        sender = threading.Thread(target=trickle)
        sender.start()

        def ask():
            def one(i):
                with contextlib.suppress(OSError, http.client.HTTPException):
                    node.request("PUT", f"/files/k{i}", os.urandom(4 * MIB), timeout=20)
            in_threads(6, one)
        try:
            p.fires("CairnConnectionsRefused", meanwhile=ask)
            p.fires("CairnSlowDown", meanwhile=ask)
        finally:
            stop.set()
            sender.join()
            for w in busy:
                w.close()
        p.clears("CairnSlowDown", "CairnConnectionsRefused")
