"""Bytes that rot on one node of three: never served, found, and made good from the other copies."""
import http.client
import random
import shutil
import time

from cairn_node import MIB, eventually, in_threads
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


def all_was_scrubbed(node, size):
    """Everything was read once; then the node rests until the period is over."""
    seen = [0]

    def rests():
        seen.append(node.metric("cairn_scrubbed_bytes_total"))
        return seen[-1] >= size and seen[-1] == seen[-2]
    eventually(rests, seconds=120, every=5, what="a pass of the scrub")


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
    all_was_scrubbed(victim, 8 * 2 * MIB)
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


def damage_at(node, piece):
    """Flips a bit of the chunk on this node's disk that has these bytes."""
    for path in node.segments():
        with open(path, "r+b") as f:
            at = f.read().find(piece)
            if at >= 0:
                f.seek(at)
                f.write(bytes([piece[0] ^ 0x40]))
                return
    raise AssertionError("these bytes are on no disk of the node")


def test_what_a_reader_finds_damaged_is_repaired_at_once_and_not_by_the_next_scrub(make_cluster):
    cluster = make_cluster(3)
    written = fill(cluster, 3, 2 * MIB)
    victim = cluster.nodes[1]
    for body in written.values():
        damage_at(victim, body[MIB + 70_000:MIB + 70_064])
    read_all([victim], written)
    eventually(lambda: victim.metric("cairn_damage_mended_total") == 3, seconds=20, what="the chunks are fetched again")
    before = victim.metric("cairn_chunks_corrupt_total")
    assert before >= 3
    read_all([victim], written)
    assert victim.metric("cairn_chunks_corrupt_total") == before
    assert victim.metric("cairn_scrub_damaged_total") == 0
    whole, said = repaired(cluster, victim, written)
    assert whole, said


def test_the_last_node_takes_what_has_rotted_from_the_one_that_is_drained(make_cluster):
    cluster = make_cluster(2)
    written = fill(cluster, 3, 2 * MIB)
    leaving, victim = cluster.nodes
    for body in written.values():
        damage_at(victim, body[MIB + 70_000:MIB + 70_064])
    number = cluster.status(leaving)["self"]
    cluster.command("drain", number, node=victim)

    def left():
        mine = next(n for n in cluster.status(victim)["nodes"] if n["number"] == number)
        return mine["partitions_owned"]
    eventually(lambda: left() == 0, seconds=60, what="the drain ends")
    assert victim.metric("cairn_chunks_backfilled_total") >= 3
    cluster.command("remove", number, node=victim)
    leaving.kill()
    read_all([victim], written)
    assert victim.metric("cairn_chunks_corrupt_total") == 0, "no reader met it"


# Chunks that nobody has


def wipe_chunks(node):
    """A new, empty disk in place of the one that died; the node's metadata lies elsewhere in its directory."""
    shutil.rmtree(node.folder / "data/disk0")


def test_chunks_that_no_disk_has_are_told_given_up_and_hold_up_nothing(make_cluster):
    cluster = make_cluster(4, cluster_replicas=2, cluster_write_quorum=2)
    written = fill(cluster, 12, 3 * MIB)
    first, second = cluster.nodes[2:]
    numbers = [cluster.status(n)["self"] for n in (first, second)]
    first.kill()
    second.kill()
    wipe_chunks(first)
    # While the second is only down, nothing counts as lost, even though its disk has the only copies.
    first.start(seconds=60)
    cluster.command("repair")
    time.sleep(6)
    assert cluster.status()["chunks_lost"] == 0
    assert "no chunk is known to be lost" in cluster.command("lost").stdout
    wipe_chunks(second)
    second.start(seconds=60)
    cluster.command("repair")
    lost = eventually(lambda: cluster.status()["chunks_lost"], seconds=60, what="the loss is seen")
    time.sleep(3)
    lost = cluster.status()["chunks_lost"]
    assert "LOST: no node has" in cluster.command("status").stdout
    broken = set()
    for node in cluster.nodes:
        for key, body in written.items():
            try:
                answer = node.get(key)
            except http.client.IncompleteRead as cut:  # the first chunk was there, a later one is not
                assert body.startswith(cut.partial)
                broken.add(key)
                continue
            assert answer.status in (200, 500), (key, answer)
            assert answer.status != 200 or answer.body == body
            if answer.status == 500:
                broken.add(key)
                assert b"Bytes of this object are lost" in answer.body, answer
    assert 0 < len(broken) < len(written), broken
    told = cluster.command("lost").stdout
    assert {k.removeprefix("/") for k in broken} == {line.strip() for line in told.splitlines() if line.startswith("  ")}, told

    # A drain waits for them …
    cluster.command("drain", numbers[0])

    def left():
        mine = next(n for n in cluster.status()["nodes"] if n["number"] == numbers[0])
        return mine["partitions_owned"]
    before = left()
    eventually(lambda: 0 < left() < before / 4, seconds=120, every=0.3, what="most of it moves")
    time.sleep(8)
    assert left() > 0, "a partition with a lost chunk does not move by itself"
    # … until they are given up.
    done = cluster.command("forget-lost").stdout
    assert f"{lost} chunk" in done, (lost, done)
    eventually(lambda: left() == 0, seconds=60, every=0.3, what="the drain ends")
    eventually(lambda: cluster.status()["chunks_lost"] == 0, seconds=30, what="nothing is reported any more")
    cluster.command("remove", numbers[0])
    first.kill()
    cluster.nodes.remove(first)
    for key, body in written.items():
        node = cluster.nodes[0]
        if key in broken:
            try:
                assert node.get(key).status == 500
            except http.client.IncompleteRead:
                pass
            assert node.delete(key).status == 204
        else:
            assert node.get(key).body == body
    assert cluster.nodes[0].put("/files/after", content("after", MIB)).status == 200
