"""What a cluster does when nodes fail: late reads, gaps between writes, replicas that are made again."""
import os
import signal
import subprocess
import threading
import time

from clients import GIB, cairn_bench
from measure import median
from servers import MIB, Cluster, wait_for


def failures(context, report):
    cluster = Cluster(context.folder / "cluster", context.binary)
    try:
        gateway = cluster.nodes[3]
        assert gateway.request("PUT", "/files/object", os.urandom(MIB))[0] == 200
        requests = 200 if context.quick else 1000

        def latencies():
            got = cairn_bench(context.binary, "sink", gateway.url("/files/object"), "--requests", requests)
            return got["first_byte_p50_ms"], got["first_byte_p99_ms"]
        normal = latencies()
        frozen = next(n for n in cluster.nodes[:3] if n is not cluster.leader())
        frozen.process.send_signal(signal.SIGSTOP)
        try:
            time.sleep(1)
            late = latencies()
        finally:
            frozen.process.send_signal(signal.SIGCONT)
        report.section("Cluster: chunk reads while one of three replicas is frozen",
                       f"GET of 1 MiB through a node without chunks, {requests} requests, one client; SIGSTOP one second before.")
        report.table(["", "p50 ms", "p99 ms"], [["normal", *(f"{v:.2f}" for v in normal)], ["one frozen", *(f"{v:.2f}" for v in late)]])
        report.require("cluster: first byte's p99 with a frozen replica, to normal", late[1] / normal[1], at_most=2)
        wait_for(cluster.settled, 120, "the cluster has settled")

        gaps, stops = [], []
        for kill in [True, False] * (1 if context.quick else 3):
            gaps_of = gaps if kill else stops
            gaps_of.append(gap(cluster, kill))
        report.section("Cluster: writes while the leader goes", "4 KiB PUTs one after the other through a node that stays; the longest "
                       "time without one that succeeded.")
        report.table(["the leader is", "median s", "longest s"],
                     [["killed (SIGKILL)", f"{median(gaps):.2f}", f"{max(gaps):.2f}"], ["stopped (SIGTERM)", f"{median(stops):.2f}", f"{max(stops):.2f}"]])
        report.require("cluster: write gap when the leader is killed, s", max(gaps), at_most=2)
        report.require("cluster: write gap when the leader is stopped, s", max(stops), at_most=0.2)
    finally:
        cluster.remove()


def loss(context, report):
    size, count = (GIB // 4, 2) if context.quick else (GIB, 10)
    cluster = Cluster(context.folder / "cluster", context.binary, weights=(1, 1, 1, 1), cluster_move_bandwidth="1GiB", limits_cache="2GiB")
    try:
        for i in range(count):
            cairn_bench(context.binary, "source", cluster.nodes[0].url(f"/files/o{i}"), "--requests", 1, "--size", f"{size // MIB}MiB")
        stored = 3 * size * count
        wait_for(lambda: sum(n["data_bytes"] for n in cluster.status()["nodes"]) >= stored and cluster.settled(), 600, "three copies are made")
        dead = next(n for n in cluster.nodes if n is not cluster.leader())
        number = cluster.status(dead)["self"]

        def reported():
            return next(n for n in cluster.status()["nodes"] if n["number"] == number)
        lost = reported()["data_bytes"]
        dead.process.kill()
        dead.process.wait()
        dead.process = None
        cluster.nodes.remove(dead)
        time.sleep(65)  # its session ends, as it has in real life long before cluster.down_out_after is over
        began = time.monotonic()
        admin = f"http://127.0.0.1:{cluster.nodes[0].admin_port}"
        subprocess.run([context.binary, "cluster", "drain", str(number), "--admin", admin], check=True, stdout=subprocess.DEVNULL)
        wait_for(lambda: reported()["partitions_owned"] == 0, 1800, "others own what the dead node had")
        wait_for(cluster.settled, 1800, "all chunks have three copies again")
        seconds = time.monotonic() - began
        report.section("Cluster: a node is lost for good", f"Four nodes with {count * size / GIB:.1f} GiB of objects in three replicas; one is "
                       "killed. From the moment its share is given to the others (a minute later, by `cairn cluster drain`) until every "
                       "chunk has three copies again, `cluster.move_bandwidth` 1 GiB. All disks are this machine's one.")
        report.table(["lost GiB", "seconds", "MiB/s", "10 GiB would take, s"],
                     [[f"{lost / GIB:.2f}", f"{seconds:.0f}", f"{lost / MIB / seconds:.0f}", f"{seconds * 10 * GIB / lost:.0f}"]])
        cluster.report_memory(report, "uploads, then a lost node")
        dead.remove()
    finally:
        cluster.remove()


def gap(cluster, kill):
    """The longest pause between acknowledged writes."""
    leader = cluster.leader()
    through = cluster.nodes[3] if leader is not cluster.nodes[3] else cluster.nodes[0]
    longest, last, over = 0.0, time.monotonic(), threading.Event()
    seconds = 8

    def end():
        time.sleep(1)
        leader.process.send_signal(signal.SIGKILL if kill else signal.SIGTERM)
        time.sleep(seconds)
        over.set()
    ending = threading.Thread(target=end)
    ending.start()
    i = 0
    while not over.is_set():
        i += 1
        try:
            ok = through.request("PUT", f"/files/gap-{i}", b"x" * 4096)[0] == 200
        except OSError:
            ok = False
        now = time.monotonic()
        if ok:
            longest, last = max(longest, now - last), now
    longest = max(longest, time.monotonic() - last)
    ending.join()
    leader.process.wait()
    leader.restart()
    wait_for(cluster.settled, 120, "the cluster has settled")
    return longest


def cluster(context, report):
    """Failures in a cluster."""
    failures(context, report)
    loss(context, report)
