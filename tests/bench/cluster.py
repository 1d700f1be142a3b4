"""Three replicas on four local nodes: three hold the chunks, the fourth has the weight 0 and only serves clients."""
import json
import os
import signal
import subprocess
import threading
import time

from benchmarks import GIB, HERE, interleaved, median, put_and_delete
from servers import MIB, Cairn, Nginx, cairn_bench, free_port, wait_for, wrk


LIMIT_MIB = 512 + 2048  # limits.memory, where nothing else is set, and limits.cache


class Cluster:
    def __init__(self, folder, binary, weights=(1, 1, 1, 0), tls=False, **settings):
        self.folder, self.nodes = folder, []
        folder.mkdir(parents=True, exist_ok=True)
        certs = folder / "certs"
        if tls:
            subprocess.run([binary, "cluster", "certs", "init", "--dir", certs, "--name", "bench"], check=True, stdout=subprocess.DEVNULL)
        ports = [free_port() for _ in weights]
        for n, weight in enumerate(weights):
            join = json.dumps([f"127.0.0.1:{p}" for p in ports[:n]])
            member = {"cluster_listen": f"127.0.0.1:{ports[n]}", "cluster_name": "bench", "node_weight": weight, "cluster_join": join,
                      "limits_cache": "2GiB"}
            if n > 0:
                member["cluster_join_token"] = self.nodes[0].join_token()
            self.nodes.append(start_member(folder / f"node-{n}", binary, certs if tls else None, member | settings))
        wait_for(self.settled, 120, "the cluster has settled")

    def status(self, node=None):
        return json.loads((node or self.nodes[0]).admin("/cluster")[1])

    def settled(self):
        s = self.status()
        return len([n for n in s["nodes"] if n["up"]]) == len(self.nodes) and s["partitions_under_replicated"] == 0 and \
            s["repairs_waiting"] == 0 and all(n["partitions_incoming"] == 0 for n in s["nodes"]) and \
            all(n["partitions_owned"] > 0 for n in s["nodes"] if n["weight"] > 0 and n["state"] == "active")

    def leader(self):
        wait_for(lambda: self.status()["leader"] is not None, 30, "a leader")
        number = self.status()["leader"]
        return next(n for n in self.nodes if self.status(n)["self"] == number)

    def cpu(self):
        return sum(n.cpu() for n in self.nodes)

    def peak(self):
        """The most memory that any node ever had, in MiB."""
        return max(n.resident("VmHWM") for n in self.nodes) / MIB

    def wait_until_clean(self):
        for n in self.nodes:
            n.wait_until_clean()

    def remove(self):
        for n in self.nodes:
            if n.process is not None:
                n.process.send_signal(signal.SIGCONT)
                n.process.send_signal(signal.SIGTERM)
        for n in self.nodes:
            if n.process is not None:
                try:
                    n.process.wait(60)
                except subprocess.TimeoutExpired:
                    n.process.kill()
                n.process = None
            n.remove()


def start_member(folder, binary, certs, settings):
    issue = None
    if certs:
        settings |= {f"cluster_tls.{k}": folder / "data" / f for k, f in (("ca", "ca.crt"), ("cert", "node.crt"), ("key", "node.key"))}

        def issue():
            subprocess.run([binary, "cluster", "certs", "issue", "--dir", certs, "--data-dir", folder / "data", "127.0.0.1"],
                           check=True, stdout=subprocess.DEVNULL)
    return Cairn(folder, binary, prepare=issue, **settings)


class Proxy(Nginx):
    """nginx that hands everything to another nginx."""
    name = "nginx → nginx"

    def __init__(self, folder, behind, tls):
        self.behind, self.tls = behind, tls
        super().__init__(folder)

    def location(self):
        scheme = "https" if self.tls else "http"
        return f"""
      proxy_pass {scheme}://behind;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_buffers 16 64k;
      proxy_ssl_protocols TLSv1.3;
      proxy_ssl_session_reuse on;
"""

    def extra(self):
        port = self.behind.tls_port if self.tls else self.behind.port
        return f"upstream behind {{ server 127.0.0.1:{port}; keepalive 64; }}"

    def cpu(self):
        return super().cpu() + self.behind.cpu()


def store(server, source):
    subprocess.run(["curl", "-sSf", "-T", str(source), server.url("/files/object")], check=True, stdout=subprocess.DEVNULL)


def bounded(report, what, cluster):
    report.require(f"cluster, {what}: resident memory of the largest node over limits.memory and limits.cache, MiB", cluster.peak() - LIMIT_MIB, at_most=64)


def download(context, report, tls):
    size = 256 * MIB if context.quick else GIB
    cluster = Cluster(context.folder / "cluster", context.binary, tls=tls)
    nginx = Nginx(context.folder / "nginx", tls=tls)
    proxy = Proxy(context.folder / "proxy", nginx, tls)
    try:
        source = context.folder / "object"
        with open(source, "wb") as f:
            for _ in range(size // MIB):
                f.write(os.urandom(MIB))
        store(cluster.nodes[3], source)
        store(nginx, source)
        source.unlink()

        def measure(server, whole, clients):
            before = whole.cpu()
            got = cairn_bench(context.binary, "sink", server.url("/files/object"), "--clients", clients, "--requests", 1)
            assert got["bytes"] == size * got["requests"]
            gib = got["bytes"] / GIB
            return got["bytes"] / MIB / got["seconds"], (whole.cpu() - before + got["client_cpu_seconds"]) / gib
        rows = []
        for clients in (1, 8):
            sides = interleaved(context.runs, lambda: measure(cluster.nodes[3], cluster, clients),
                                lambda: measure(cluster.nodes[1], cluster, clients), lambda: measure(proxy, proxy, clients))
            speeds = [median([v[0] for v in side]) for side in sides]
            cpus = [median([v[1] for v in side]) for side in sides]
            rows.append(["on" if tls else "off", clients, *(f"{v:.0f}" for v in speeds), f"{speeds[0] / speeds[2]:.2f}",
                         *(f"{v:.2f}" for v in cpus)])
            if not tls:
                report.require(f"cluster GET through a node without chunks, {clients} clients: to nginx proxying nginx",
                               speeds[0] / speeds[2], at_least=1.0)
        bounded(report, f"downloads with link TLS {'on' if tls else 'off'}", cluster)
        return rows
    finally:
        proxy.remove()
        nginx.remove()
        cluster.remove()


def upload_and_small(context, report):
    size = (64 if context.quick else 256) * MIB
    seconds = 2 if context.quick else 5
    cluster, nginx = Cluster(context.folder / "cluster", context.binary), Nginx(context.folder / "nginx")
    (nginx.root / "files").mkdir()
    numbers = iter(range(10 ** 9))
    try:
        def put(server, clients):
            speed = put_and_delete(context, server, f"o{next(numbers)}", size, clients)
            cluster.wait_until_clean()
            return speed
        rows = []
        for clients in (1, 4):
            ours, theirs = interleaved(context.runs, lambda: put(cluster.nodes[0], clients), lambda: put(nginx, clients))
            a, b = median(ours), median(theirs)
            rows.append([clients, f"{a:.0f}", f"{b:.0f}", f"{a / b:.2f}"])
            report.require(f"cluster PUT, three replicas, {clients} clients: to nginx's PUT of one copy + fsync", a / b, at_least=0.35)
        report.section(f"Cluster: PUT of {size // MIB} MiB objects, three replicas",
                       "Durable on two of three nodes before the answer (all three disks are this machine's one); nginx writes one copy, "
                       "the client calls fsync.")
        report.table(["clients", "cairn, 3 replicas, MiB/s", "nginx + fsync MiB/s", "ratio"], rows)

        for server in (cluster.nodes[0], nginx):
            assert server.request("PUT", "/files/object", os.urandom(4096))[0] in (200, 201)
        rows = []
        for name, path, lua, wanted in (("GET", "/files/object", None, 20_000), ("PUT", "/", HERE / "put_unique.lua", 3_000)):
            sides = interleaved(context.runs, lambda: wrk(cluster.leader(), seconds, path, lua),
                                lambda: wrk(next(n for n in cluster.nodes[:3] if n is not cluster.leader()), seconds, path, lua),
                                lambda: wrk(nginx, seconds, path, lua))
            values = [median(side) for side in sides]
            rows.append([name, *(f"{v:,.0f}" for v in values), f"{values[1] / values[2]:.2f}"])
            report.require(f"cluster {name} of 4 KiB through a follower, 32 connections, req/s", values[1], at_least=wanted)
        report.section("Cluster: 4 KiB objects, 32 connections",
                       f"wrk, two threads, {seconds} s a run. GETs are linearizable: each waits for a round to a majority that it "
                       "shares with others. PUTs are durable on a majority; nginx's PUT is not flushed.")
        report.table(["", "through the leader, req/s", "through a follower, req/s", "nginx req/s", "follower to nginx"], rows)
        bounded(report, "uploads and small objects", cluster)
    finally:
        nginx.remove()
        cluster.remove()


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
        report.require("cluster: write gap when the leader is killed, s", max(gaps), at_most=3)
        report.require("cluster: write gap when the leader is stopped, s", max(stops), at_most=0.5)
    finally:
        cluster.remove()


def loss(context, report):
    size, count = (GIB // 4, 2) if context.quick else (GIB, 10)
    cluster = Cluster(context.folder / "cluster", context.binary, weights=(1, 1, 1, 1), cluster_move_bandwidth="1GiB")
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
        bounded(report, "uploads, then a lost node", cluster)
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
    """Downloads, uploads and failures in a cluster."""
    rows = download(context, report, tls=False) + download(context, report, tls=True)
    report.section(f"Cluster: GET of {256 if context.quick else 1024} MiB from the page cache, three replicas",
                   "Through a node that has no chunks (every byte crosses a node link), through one that has all of them, and nginx that "
                   "hands the request to another nginx. Link TLS: of the node links, and between the two nginx.")
    report.table(["link TLS", "clients", "without chunks MiB/s", "with chunks MiB/s", "nginx → nginx MiB/s", "ratio",
                  "CPU s/GiB without chunks", "with chunks", "nginx → nginx"], rows)
    upload_and_small(context, report)
    failures(context, report)
    loss(context, report)
