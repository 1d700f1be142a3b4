"""One client beside another: how much later somebody's requests are answered while a crowd of another's connections holds,
trickles, does not read, or sends and fetches all that it can."""
import http.client
import pathlib
import shutil
import statistics
import sys
import time

from clients import curl_put
from measure import percentile
from servers import Cairn, Nginx

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "e2e/support"))
from cairn_node import MIB, Node  # noqa: E402
from crowd import CROWDS, FLOODS, Crowd, Flood, HandshakeCrowd, Victim  # noqa: E402
from signing import ACCESS, SECRET  # noqa: E402

COMPARED = ["requests", "median alone, ms", "beside it", "p99 alone, ms", "beside it", "ratio"]


def compared(alone, beside):
    """The cells of these columns, and the ratio."""
    (m, p), (m_beside, p_beside) = ((statistics.median(t), percentile(t, 0.99)) for t in (alone, beside))
    return [len(beside), *(f"{t * 1e3:.1f}" for t in (m, m_beside, p, p_beside)), f"{p_beside / p:.2f}"], p_beside / p


def fairness(context, report):
    """The others' failures and 99th percentile beside each crowd, against the same node without one."""
    seconds = 4 if context.quick else 15
    folder = pathlib.Path(context.folder) / "fairness"

    def node_at(name):
        return Node(folder / name, limits_memory="64MiB", limits_cache="0", limits_connections=512, auth_root_access_key=ACCESS, auth_root_secret_key=SECRET)

    def measure(node, crowds):
        seed = Victim(node)
        seed.prepare()
        assert node.request("PUT", "/files/o", b"x" * 4 * MIB).status == 200

        def use():
            victim = Victim(node)
            victim.object = seed.object
            victim.use(seconds, pause=0.002)
            return victim

        rows = []
        for name, crowd in crowds.items():
            before = use()
            with crowd(node):
                beside = use()
            alone = before.times + use().times
            rows.append((name, beside, alone))
        return rows

    plain = {name: lambda node, crowd=crowd: Crowd(node, **crowd(node)) for name, crowd in CROWDS.items()}
    floods = {name: lambda node, flood=flood: Flood(node, *flood) for name, flood in FLOODS.items()}
    measured = []
    nodes = ((node_at("plain"), plain), (node_at("tls").encrypt(), {"TLS handshakes again and again": HandshakeCrowd}),
             (node_at("flooded"), floods))
    try:
        for node, crowds in nodes:
            node.start()
            measured.append(measure(node, crowds))
            node.stop()
    finally:
        for node, _ in nodes:
            if node.running():
                node.kill()
        shutil.rmtree(folder, ignore_errors=True)
    report.section("Fairness: a client beside a crowd of another's connections",
                   "A node with `limits.memory` of 64 MiB, without a cache, and 512 connections; the crowd keeps 600 open, and opens them again when "
                   "they are closed; handshakes are 400 at a time, from another address. The client, with a key of its own, gets and puts "
                   "1 MiB, lists, deletes, each time on a new connection; alone before and after each crowd.")

    def show(what, rows):
        lines, ratios = [], []
        for name, beside, alone in rows:
            cells, ratio = compared(alone, beside.times)
            ratios.append(ratio)
            lines.append([name, cells[0], len(beside.failures), *cells[1:]])
        report.table([what, COMPARED[0], "failed", *COMPARED[1:]], lines)
        report.require(f"requests that failed beside a {what}", sum(len(beside.failures) for _, beside, _ in rows), at_most=0)
        report.require(f"p99 beside a {what} to p99 alone, the worst", max(ratios), at_most=2)

    show("crowd", measured[0] + measured[1])
    report.section("Fairness: a client beside another who sends or fetches all that he can",
                   "The same node and the same client; 64 connections of somebody without a key. Both clients' own use of the "
                   "processors counts against the node here.")
    show("flood", measured[2])


def downloads_of_another(context, report):
    """GETs of somebody beside 64 connections that fetch all that they can: a node without a cache, and nginx."""
    seconds = 4 if context.quick else 15
    files = {"/files/o": 4 * MIB, "/files/large": MIB, "/files/small": 1}
    servers = [Cairn(context.folder / "cairn", context.binary, limits_cache="0", limits_memory="64MiB"), Nginx(context.folder / "nginx")]
    report.section("Fairness: GETs beside somebody who fetches all that he can",
                   "64 connections fetch 4 MiB again and again, in processes that yield to others; a client at another address fetches 1 MiB and "
                   "1 byte in turns, each time on a new connection. nginx with two workers and sendfile.")
    try:
        source = context.folder / "object"
        for path, size in files.items():
            source.write_bytes(b"x" * size)
            for server in servers:
                curl_put(server, path, source)
        rows, worst = [], {}
        for server in servers:
            alone = fetch(server, ("/files/large", "/files/small"), seconds)
            with Flood(server, "sink", "/files/o"):
                beside = fetch(server, ("/files/large", "/files/small"), seconds)
            for size, before, after in zip(("1 MiB", "1 byte"), alone, beside):
                cells, ratio = compared(before, after)
                rows.append([server.name, size, *cells])
                worst[server.name] = max(worst.get(server.name, 0), ratio)
        report.table(["server", "object", *COMPARED], rows)
        report.require("p99 beside downloads to p99 alone, to nginx's ratio", worst["cairn"] / worst["nginx"], at_most=1)
    finally:
        for server in servers:
            server.remove()


def fetch(server, paths, seconds):
    """Seconds of GETs by a client at 127.0.0.2, a list for each path."""
    times, until = [[] for _ in paths], time.monotonic() + seconds
    while time.monotonic() < until:
        for path, taken in zip(paths, times):
            begun = time.monotonic()
            client = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30, source_address=("127.0.0.2", 0))
            client.request("GET", path)
            answer = client.getresponse()
            answer.read()
            client.close()
            assert answer.status == 200, (server.name, path, answer.status)
            taken.append(time.monotonic() - begun)
            time.sleep(0.002)
    return times
