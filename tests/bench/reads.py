"""Downloads: hot, uncached, cold, encrypted, small, through a node without chunks, and the first byte."""
import os

from clients import GIB, cairn_bench, curl, curl_and_cpu, curl_first_bytes, curl_put, wrk
from measure import interleaved, median, percentile
from servers import MIB, Cairn, Cluster, Nginx, Proxy

CACHE = "2GiB"


def store(context, size, *servers):
    """The same random object with each of them."""
    source = context.folder / "object"
    with open(source, "wb") as f:
        for _ in range(size // MIB):
            f.write(os.urandom(MIB))
    for server in servers:
        curl_put(server, "/files/object", source)
    source.unlink()


def remove(*servers):
    for server in servers:
        server.remove()


def speeds(context, size, clients, *servers):
    """Downloads from each server in turn: [MiB/s], [the servers' CPU s/GiB]. Many clients read a part each."""
    part = size // 8 if clients > 8 else None

    def measure(server):
        return lambda: curl_and_cpu(server, "/files/object", size, clients, part and [i % 8 * part for i in range(clients)], part)
    sides = interleaved(context.runs, *map(measure, servers))
    return [median([v[0] for v in side]) for side in sides], [median([v[1] for v in side]) for side in sides]


def object_size(context):
    return 256 * MIB if context.quick else GIB


def get(context, report):
    """GET of 1 GiB whose bytes are in memory."""
    size = object_size(context)
    servers = [Cairn(context.folder / "cairn", context.binary, limits_cache=CACHE),
               Cairn(context.folder / "uncached", context.binary, limits_cache="0"), Nginx(context.folder / "nginx")]
    if context.before:
        servers.append(Cairn(context.folder / "before", context.before))
    try:
        store(context, size, *servers)
        report.section(f"GET of {size // MIB} MiB, hot",
                       f"Client: a curl process each (64: a part of {size // 8 // MIB} MiB each). Cairn from its cache of verified chunks; without a cache "
                       "it reads each chunk from the page cache and verifies it; nginx uses sendfile.")
        table = []
        for clients in (1, 8, 64):
            speed, cpu = speeds(context, size, clients, *servers)
            table.append([clients, *(f"{v:.0f}" for v in speed), f"{speed[0] / speed[2]:.2f}", f"{speed[1] / speed[2]:.2f}", *(f"{v:.2f}" for v in cpu)])
            report.require(f"GET, hot, {clients} clients: throughput to nginx's", speed[0] / speed[2], at_least=1.0)
            report.require(f"GET, hot, {clients} clients: server's CPU a GiB to nginx's", cpu[0] / cpu[2], at_most=1.3)
            report.require(f"GET, no cache, {clients} clients: throughput to nginx's", speed[1] / speed[2], at_least=0.8)
        names = ["cairn", "no cache", "nginx"] + ["before"] * (len(servers) - 3)
        report.table(["clients", *(f"{n} MiB/s" for n in names), "ratio", "ratio, no cache", *(f"{n} CPU s/GiB" for n in names)], table)
        table = []
        for clients in (1, 8):
            def sink(server):
                got = cairn_bench(context.binary, "sink", server.url("/files/object"), "--clients", clients, "--requests", 1)
                assert got["bytes"] == size * got["requests"]
                return got["bytes"] / MIB / got["seconds"]
            sides = [median(v) for v in interleaved(context.runs, *(lambda s=s: sink(s) for s in servers))]
            table.append([clients, *(f"{v:.0f}" for v in sides), f"{sides[0] / sides[2]:.2f}"])
        report.say("\nThe same with `cairn bench sink`, a client that only counts:\n")
        report.table(["clients", *(f"{n} MiB/s" for n in names), "ratio"], table)
    finally:
        remove(*servers)


def https(context, report):
    """GET of 1 GiB over HTTPS, the same cipher with both."""
    size = object_size(context)
    servers = [Cairn(context.folder / "cairn", context.binary, tls=True, limits_cache=CACHE), Nginx(context.folder / "nginx", tls=True)]
    if context.before:
        servers.append(Cairn(context.folder / "before", context.before, tls=True))
    try:
        store(context, size, *servers)
        report.section(f"HTTPS: GET of {size // MIB} MiB, hot", "curl, TLS 1.3 with AES-256-GCM.")
        table = []
        for clients in (1, 8):
            speed, cpu = speeds(context, size, clients, *servers)
            table.append([clients, *(f"{v:.0f}" for v in speed), f"{speed[0] / speed[1]:.2f}", *(f"{v:.2f}" for v in cpu)])
            report.require(f"HTTPS GET, {clients} clients: throughput to nginx's", speed[0] / speed[1], at_least=1.0)
        names = ["cairn", "nginx"] + ["before"] * (len(servers) - 2)
        report.table(["clients", *(f"{n} MiB/s" for n in names), "ratio", *(f"{n} CPU s/GiB" for n in names)], table)
    finally:
        remove(*servers)


def cold(context, report):
    """64 clients at one object that nobody has read yet."""
    size = object_size(context)
    cairn = Cairn(context.folder / "cairn", context.binary, limits_cache=CACHE)
    try:
        store(context, size, cairn)
        cairn.stop()
        cairn.restart()
        speed, _ = curl(cairn, "/files/object", 64)
        reads, chunks = cairn.metric("cairn_cache_misses_total"), size // MIB
        report.section(f"64 clients at one cold object of {size // MIB} MiB", "Each chunk should be read once, whoever asks first.")
        report.table(["chunks", "chunk reads", "reads to chunks", "all together, MiB/s"], [[chunks, f"{reads:.0f}", f"{reads / chunks:.3f}", f"{speed:.0f}"]])
        report.require("64 clients at a cold object: chunk reads to chunks", reads / chunks, at_most=1.02)
    finally:
        cairn.remove()


class Through:
    """A server that others work behind: all their CPU counts."""

    def __init__(self, server, whole):
        self.server, self.whole, self.name = server, whole, server.name

    def url(self, path):
        return self.server.url(path)

    def trust(self):
        return self.server.trust()

    def cpu(self):
        return self.whole.cpu()


def gateway_speeds(context, report, tls):
    """One round with the links' TLS on or off; answers the speeds without a cache by number of clients."""
    size = object_size(context)
    clusters = [Cluster(context.folder / f"cluster-{cache}", context.binary, tls=tls, limits_cache=cache) for cache in (CACHE, "0")]
    nginx = Nginx(context.folder / "nginx")
    behind = Nginx(context.folder / "behind", tls=tls)
    proxy = Proxy(context.folder / "proxy", behind)
    gateways = [Through(c.nodes[3], c) for c in clusters]
    rows, uncached = [], {}
    try:
        store(context, size, *gateways, nginx, behind)
        for clients in (1, 8):
            speed, cpu = speeds(context, size, clients, *gateways, nginx, proxy)
            rows.append(["on" if tls else "off", clients, *(f"{v:.0f}" for v in speed), f"{speed[0] / speed[2]:.2f}", f"{speed[1] / speed[3]:.2f}",
                         *(f"{v:.2f}" for v in cpu)])
            uncached[clients] = speed[1]
            if not tls:
                report.require(f"GET through a node without chunks, hot, {clients} clients: to nginx", speed[0] / speed[2], at_least=0.95)
                report.require(f"GET through a node without chunks, no cache, {clients} clients: to nginx → nginx", speed[1] / speed[3], at_least=0.85)
        for c in clusters:
            c.report_memory(report, f"downloads with link TLS {'on' if tls else 'off'}")
    finally:
        remove(proxy, nginx, behind, *clusters)
    return rows, uncached


def gateway(context, report):
    """Downloads in a cluster through a node that has no chunks."""
    rows, plain = gateway_speeds(context, report, tls=False)
    more, encrypted = gateway_speeds(context, report, tls=True)
    report.section(f"GET of {object_size(context) // MIB} MiB through a node without chunks, three replicas",
                   "curl. With a cache the node serves from it after the first download; without one every byte crosses a node link. nginx serves the "
                   "file itself, and as a proxy of another nginx (16 buffers of 128 KiB, no temporary files). Link TLS: of the node links, and between the two "
                   "nginx. CPU: of all servers that took part.")
    report.table(["link TLS", "clients", "hot MiB/s", "no cache MiB/s", "nginx MiB/s", "nginx → nginx MiB/s", "hot to nginx", "no cache to nginx → nginx",
                  "hot CPU s/GiB", "no cache", "nginx", "nginx → nginx"], rows + more)
    for clients in plain:
        report.require(f"no cache, {clients} clients: links with TLS to links without", encrypted[clients] / plain[clients], at_least=0.8)


def small_get(context, report):
    """4 KiB objects, 32 connections."""
    seconds = 2 if context.quick else 5
    cairn, nginx = Cairn(context.folder / "cairn", context.binary), Nginx(context.folder / "nginx")
    cluster = Cluster(context.folder / "cluster", context.binary, weights=(1, 1, 1))
    servers = [cairn, cluster.follower(), nginx]
    if context.before:
        servers.append(Cairn(context.folder / "before", context.before))
    try:
        for server in servers:
            assert server.request("PUT", "/files/object", os.urandom(4096))[0] in (200, 201)
        sides = [median(v) for v in interleaved(context.runs, *(lambda s=s: wrk(s, seconds, "/files/object") for s in servers))]
        report.section("GET of 4 KiB, 32 connections", f"wrk, two threads, {seconds} s a run. A cluster's GETs are linearizable: each waits for a round to a "
                       "majority that it shares with others.")
        report.table(["", "cairn req/s", "through a follower of three", "nginx", *["before"] * (len(servers) - 3), "ratio", "follower to one node"],
                     [["GET", *(f"{v:,.0f}" for v in sides), f"{sides[0] / sides[2]:.2f}", f"{sides[1] / sides[0]:.2f}"]])
        report.require("4 KiB GET, 32 connections: to nginx", sides[0] / sides[2], at_least=1.1)
        report.require("4 KiB GET, 32 connections, through a follower: to one node", sides[1] / sides[0], at_least=0.8)
    finally:
        remove(cluster, *(s for s in servers if s not in cluster.nodes))


def first_byte(context, report):
    """Time to the first byte of a 1 MiB GET."""
    cairn, nginx = Cairn(context.folder / "cairn", context.binary), Nginx(context.folder / "nginx")
    requests = 500 if context.quick else 2000
    try:
        for server in (cairn, nginx):
            assert server.request("PUT", "/files/object", os.urandom(MIB))[0] in (200, 201)
        report.section("First byte of a 1 MiB GET", f"One client on one connection, {requests:,} requests a run.")

        def by_curl(server):
            times = curl_first_bytes(server, "/files/object", requests, context.folder)
            return percentile(times, 0.5), percentile(times, 0.99)

        def by_sink(server):
            got = cairn_bench(context.binary, "sink", server.url("/files/object"), "--requests", requests)
            return got["first_byte_p50_ms"], got["first_byte_p99_ms"]
        table = []
        for name, measure in (("curl", by_curl), ("cairn bench sink", by_sink)):
            sides = interleaved(context.runs, lambda: measure(cairn), lambda: measure(nginx))
            for i, which in enumerate(("p50", "p99")):
                a, b = (median([v[i] for v in side]) for side in sides)
                table.append([name, which, f"{a:.3f}", f"{b:.3f}", f"{a / b:.2f}"])
                if name == "curl":
                    report.require(f"first byte of a 1 MiB GET, {which}: to nginx's", a / b, at_most=2.0)
        report.table(["client", "", "cairn ms", "nginx ms", "ratio"], table)
    finally:
        remove(cairn, nginx)


ALL = {f.__name__.replace("_", "-"): f for f in (get, https, cold, gateway, small_get, first_byte)}
