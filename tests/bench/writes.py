"""Uploads: large ones, and small durable ones on one node and on three."""
import os
import pathlib
import re
import subprocess

from clients import cairn_bench, wrk
from measure import interleaved, median
from servers import MIB, Cairn, Cluster, Nginx

HERE = pathlib.Path(__file__).parent


def openssl_md5():
    """MiB/s of one thread over 1 MiB blocks."""
    text = subprocess.run(["openssl", "speed", "-mr", "-seconds", "1", "-bytes", str(MIB), "md5"], capture_output=True, text=True).stdout
    return float(re.search(r"^\+F:\d+:md5:([\d.]+)", text, re.M).group(1)) / MIB


def put_and_delete(context, server, name, size, clients):
    """MiB/s; after nginx's PUT the client calls fsync."""
    extra = ["--sync-dir", str(server.root / "files")] if isinstance(server, Nginx) else []
    got = cairn_bench(context.binary, "source", server.url(f"/files/{name}"), "--clients", clients, "--requests", 1,
                      "--size", f"{size // MIB}MiB", *extra)
    for i in range(clients):
        assert server.request("DELETE", f"/files/{name}-{i}-0")[0] == 204
    return got["bytes"] / MIB / got["seconds"]


def put(context, report):
    """PUT of 256 MiB, durable before the answer, on one node and with three replicas."""
    size = (64 if context.quick else 256) * MIB
    cairn, nginx = Cairn(context.folder / "cairn", context.binary), Nginx(context.folder / "nginx")
    cluster = Cluster(context.folder / "cluster", context.binary)
    before = Cluster(context.folder / "before", context.before) if context.before else None
    (nginx.root / "files").mkdir()
    numbers = iter(range(10 ** 9))
    try:
        def measure(server, whole):
            def run(clients):
                speed = put_and_delete(context, server, f"o{next(numbers)}", size, clients)
                whole.wait_until_clean()
                return speed
            return run
        sides = [measure(cairn, cairn), measure(nginx, cairn), measure(cluster.nodes[0], cluster)] + ([measure(before.nodes[0], before)] if before else [])
        table = []
        for clients in (1, 4):
            *figures, digest = [median(v) for v in interleaved(context.runs, *(lambda s=s: s(clients) for s in sides), openssl_md5)]
            table.append([clients, *(f"{v:.0f}" for v in figures), f"{figures[0] / figures[1]:.2f}", f"{figures[2] / figures[1]:.2f}", f"{digest:.0f}"])
            if clients == 1:
                report.require("PUT, 1 client: throughput to `openssl speed md5`", figures[0] / digest, at_least=0.85)
            else:
                report.require("PUT, 4 clients: throughput to nginx's PUT and fsync", figures[0] / figures[1], at_least=0.6)
            report.require(f"PUT, three replicas, {clients} clients: to nginx's PUT of one copy + fsync", figures[2] / figures[1], at_least=0.35)
            if before:
                report.require(f"PUT, three replicas, {clients} clients: to the build before", figures[2] / figures[3], at_least=1.0)
        report.section(f"PUT of {size // MIB} MiB objects, durable",
                       "Cairn flushes before it answers and computes the MD5 for the ETag; three replicas are durable on two of three nodes before the answer "
                       "(all disks are this machine's one). After nginx's WebDAV PUT the client calls fsync on the file.")
        report.table(["clients", "cairn MiB/s", "nginx + fsync MiB/s", "three replicas MiB/s", *(["before, three replicas"] if before else []),
                      "ratio", "three replicas to nginx", "openssl md5 MiB/s, 1 thread"], table)
        cluster.report_memory(report, "uploads")
    finally:
        for server in (cairn, nginx, cluster, before):
            if server:
                server.remove()


def small_put(context, report):
    """PUT of 4 KiB, durable, on one node and through a follower of three."""
    seconds = 2 if context.quick else 5
    cairn, nginx = Cairn(context.folder / "cairn", context.binary), Nginx(context.folder / "nginx")
    clusters = [Cluster(context.folder / "cluster", context.binary, weights=(1, 1, 1))]
    olders = []
    if context.before:
        olders = [Cairn(context.folder / "before", context.before)]
        clusters.append(Cluster(context.folder / "clusters-before", context.before, weights=(1, 1, 1)))
    single = [cairn, *olders, nginx]
    try:
        for server in [*single, *(c.nodes[0] for c in clusters)]:
            assert server.request("PUT", "/files/object", os.urandom(4096))[0] in (200, 201)
        table = []
        for connections in (32, 256):
            servers = [cairn, nginx, *(c.follower() for c in clusters), *olders]
            v = [median(x) for x in interleaved(context.runs, *(
                lambda s=s: wrk(s, seconds, "/", HERE / "put_unique.lua", connections=connections) for s in servers))]
            table.append([connections, *(f"{x:,.0f}" for x in v), f"{v[0] / v[1]:.2f}", f"{v[2] / v[0]:.2f}"])
            if connections == 32:
                report.require("4 KiB PUT, durable, 32 connections: to nginx's, which is not", v[0] / v[1], at_least=1.0)
            report.require(f"4 KiB PUT, {connections} connections, three nodes through a follower: to one node", v[2] / v[0], at_least=0.5)
            if olders:
                if connections == 32:
                    report.require("4 KiB PUT, 32 connections: to the build before", v[0] / v[4], at_least=2.0)
                report.require(f"4 KiB PUT, {connections} connections, through a follower: to the build before", v[2] / v[3], at_least=3.0)
        report.section("PUT of 4 KiB", f"wrk, two threads, {seconds} s a run, each object under a key of its own. Cairn's PUTs are durable (three nodes: on a "
                       "majority; all disks are this machine's one); nginx's are not.")
        report.table(["connections", "cairn req/s", "nginx", "three nodes, through a follower", *(["before, three nodes", "before"] if olders else []),
                      "ratio", "three nodes to one"], table)
    finally:
        for server in [*single, *clusters]:
            server.remove()


ALL = {"put": put, "small-put": small_put}
