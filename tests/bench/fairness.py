"""One client beside another: how much later somebody's requests are answered while a crowd of another's connections holds,
trickles, or does not read."""
import pathlib
import shutil
import statistics
import sys

from measure import percentile

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "e2e/support"))
from cairn_node import MIB, Node  # noqa: E402
from crowd import CROWDS, FLOODS, Crowd, Flood, HandshakeCrowd, Victim  # noqa: E402
from signing import ACCESS, SECRET  # noqa: E402


def fairness(context, report):
    """The others' failures and 99th percentile beside each crowd, against the same node without one."""
    seconds = 4 if context.quick else 15
    folder = pathlib.Path(context.folder) / "fairness"
    rows, tables = [], []

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

        for name, crowd in crowds.items():
            before = use()
            with crowd(node):
                beside = use()
            alone = before.times + use().times
            ratio = percentile(beside.times, 0.99) / percentile(alone, 0.99)
            rows.append([name, len(beside.times), len(beside.failures), f"{statistics.median(alone) * 1e3:.1f}",
                         f"{statistics.median(beside.times) * 1e3:.1f}", f"{percentile(alone, 0.99) * 1e3:.1f}",
                         f"{percentile(beside.times, 0.99) * 1e3:.1f}", f"{ratio:.2f}"])

    plain = {name: lambda node, crowd=crowd: Crowd(node, **crowd(node)) for name, crowd in CROWDS.items()}
    floods = {name: lambda node, flood=flood: Flood(node, *flood) for name, flood in FLOODS.items()}
    nodes = ((node_at("plain"), plain), (node_at("tls").encrypt(), {"TLS handshakes again and again": HandshakeCrowd}),
             (node_at("flooded"), floods))
    try:
        for node, crowds in nodes:
            node.start()
            measure(node, crowds)
            node.stop()
            tables.append(rows.copy())
            rows.clear()
    finally:
        for node, _ in nodes:
            if node.running():
                node.kill()
        shutil.rmtree(folder, ignore_errors=True)
    report.section("Fairness: a client beside a crowd of another's connections",
                   "A node with `limits.memory` of 64 MiB, without a cache, and 512 connections; the crowd keeps 600 open, and opens them again when "
                   "they are closed; handshakes are 400 at a time, from another address. The client, with a key of its own, gets and puts "
                   "1 MiB, lists, deletes, each time on a new connection; alone before and after each crowd.")
    columns = ["requests", "failed", "median alone, ms", "beside it", "p99 alone, ms", "beside it", "ratio"]

    def show(what, lines):
        report.table([what, *columns], lines)
        report.require(f"requests that failed beside a {what}", sum(line[2] for line in lines), at_most=0)
        report.require(f"p99 beside a {what} to p99 alone, the worst", max(float(line[-1]) for line in lines), at_most=2)

    show("crowd", tables[0] + tables[1])
    report.section("Fairness: a client beside another who sends or fetches all that he can",
                   "The same node and the same client; 64 connections of somebody without a key. Both clients' own use of the "
                   "processors counts against the node here.")
    show("flood", tables[2])
