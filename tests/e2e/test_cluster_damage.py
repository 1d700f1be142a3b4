"""Bytes that rot on one node of three: never served, found, and made good from the other copies."""
import random

from cairn_node import KIB, MIB, eventually, in_threads
from cluster_load import content


def fill(cluster, count, size):
    written = {}
    for i in range(count):
        key, body = f"/files/rot-{i}", content(f"rot{i}", size + i)
        assert cluster.nodes[i % len(cluster.nodes)].put(key, body).status == 200
        written[key] = body
    cluster.settled(len(cluster.nodes))
    return written


def damage(node, places, seed=1):
    """Flips a byte every so often in what the node's segments hold; the page cache sees it as well."""
    rng, done = random.Random(seed), 0
    for path in node.segments():
        allocated = path.stat().st_blocks * 512
        with open(path, "r+b") as f:
            for _ in range(places):
                at = rng.randrange(max(1, min(allocated, path.stat().st_size)))
                f.seek(at)
                old = f.read(1)
                if not old:
                    continue
                f.seek(at)
                f.write(bytes([old[0] ^ 0x40]))
                done += 1
    assert done > 0
    return done


def damaged_chunks(node):
    """By a check of the stopped node's disk."""
    done = node.cairn("storage", "check", "--deep", "--config", node.config, timeout=300)
    return done.returncode, done.stdout.decode() + done.stderr.decode()


def read_all(nodes, written, rounds=1):
    def read(i):
        for _ in range(rounds):
            for key, body in written.items():
                answer = nodes[i].get(key)
                assert answer.status == 200 and answer.body == body, (nodes[i].folder.name, key, answer.status)
    in_threads(len(nodes), read)


def repaired(cluster, victim, written):
    """The victim's copies are whole again: it is read alone, and its disk is checked."""
    victim.stop()
    code, said = damaged_chunks(victim)
    victim.start(seconds=60)
    cluster.settled(len(cluster.nodes))
    return code == 0, said


def test_a_segment_that_was_damaged_while_its_node_was_down_is_repaired(make_cluster):
    cluster = make_cluster(3)
    written = fill(cluster, 8, 2 * MIB)
    victim = cluster.nodes[2]
    victim.stop()
    damage(victim, 12)
    assert damaged_chunks(victim)[0] != 0, "the check finds what was flipped"
    victim.start(seconds=60)
    cluster.settled(3)
    read_all(cluster.nodes, written)
    cluster.command("repair")
    eventually(lambda: victim.metric("cairn_chunks_backfilled_total") > 0, seconds=60, what="damaged chunks fetched again")
    eventually(lambda: victim.metric("cairn_scrubbed_bytes_total") > 3 * 8 * 2 * MIB, seconds=120, what="all was verified")
    whole, said = repaired(cluster, victim, written)
    assert whole, said
    for node in cluster.nodes[:2]:
        node.process.kill()
        node.kill()
    # What it holds now is its own.
    cluster.nodes[0].spawn()
    eventually(lambda: victim.get(next(iter(written))).status == 200, seconds=60, what="a majority")
    read_all([victim], written)


def test_a_segment_that_is_damaged_while_clients_read_is_never_served_and_repaired(make_cluster):
    cluster = make_cluster(3)
    written = fill(cluster, 8, 2 * MIB)
    victim = cluster.nodes[1]
    before = victim.metric("cairn_chunks_corrupt_total")
    for turn in range(3):
        damage(victim, 6, seed=turn)
        read_all(cluster.nodes, written)
    eventually(lambda: victim.metric("cairn_chunks_corrupt_total") > before, seconds=60, what="damage is counted")
    eventually(lambda: victim.metric("cairn_chunks_backfilled_total") > 0, seconds=60, what="it is fetched again by itself")

    def whole():
        before = victim.metric("cairn_chunks_corrupt_total")
        read_all([victim], written)
        return victim.metric("cairn_chunks_corrupt_total") == before
    eventually(whole, seconds=120, every=1, what="reads find no more damage")
    assert sum(n.metric("cairn_chunks_unrecoverable_total") for n in cluster.nodes) == 0
