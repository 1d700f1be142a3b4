"""Bits that rot in the metadata's files: what was not stored is never answered, no process ends, and in a cluster the
member fetches the metadata from another one."""
import hashlib
import http.client
import os
import random
import shutil
import threading
import time

import pytest

from cairn_node import eventually, in_threads
from damage import fill, flip, places_of, small, state_file

PAGE = 4096


def random_places(path, count, seed):
    """Not in the two pages that say where everything begins."""
    rng, size = random.Random(seed), path.stat().st_size
    return [rng.randrange(2 * PAGE, size) for _ in range(count)]


def look(node, written, tally):
    """Every object once. What is answered with 200 must be right."""
    for key, body in written.items():
        try:
            answer = node.get(key)
        except (OSError, http.client.HTTPException):
            tally["broken"] = tally.get("broken", 0) + 1
            continue
        tally[answer.status] = tally.get(answer.status, 0) + 1
        if answer.status == 200:
            assert answer.body == body, (key, len(body), len(answer.body))
        else:
            assert answer.status in (500, 503), (key, answer)
    return tally


def test_a_standalone_node_answers_damaged_rows_with_500_and_serves_the_others(start_node):
    node = start_node()
    written = fill(node, 60)
    node.stop()
    damaged = sorted(written)[::7]
    for key in damaged[:5]:
        flip(state_file(node), places_of(state_file(node), written[key][:60], offset=30))
    for key in damaged[5:]:  # the row that the key leads to
        flip(state_file(node), places_of(state_file(node), key.removeprefix("/files/").encode(), offset=10))
    node.start()
    for turn in range(2):
        for key, body in written.items():
            answer = node.get(key)
            if key in damaged:
                assert answer.status == 500, (key, answer)
            elif answer.status == 200:
                assert answer.body == body
            else:  # beside a damaged key it can't be told which one is meant
                assert answer.status == 500 and turn >= 0
    good = sum(node.get(k).status == 200 for k in written)
    assert good >= len(written) - 3 * len(damaged)
    assert node.request("GET", "/files?list-type=2").status == 500, "a listing meets the damaged keys"
    assert node.metric("cairn_metadata_damaged_rows_total") >= len(damaged)
    assert "damaged on the disk" in node.log()
    assert node.put("/files/another", b"new").status == 200
    assert node.get("/files/another").body == b"new"
    node.stop()
    check = node.cairn("storage", "check", "--config", node.config)
    assert check.returncode != 0 and b"metadata" in check.stdout + check.stderr
    backup = node.cairn("cluster", "backup", "--config", node.config, node.folder / "backup")
    assert backup.returncode != 0 and not (node.folder / "backup").exists()


def test_lifecycle_rules_act_on_the_objects_beside_a_damaged_row(start_node):
    from s3_client import client_of
    node = start_node(debug_lifecycle_day="1s")
    written = fill(node, 30)
    node.stop()
    for i in (7, 8, 20):
        digest = hashlib.md5(small(i)).digest()
        flip(state_file(node), places_of(state_file(node), digest, offset=3))
    node.start()
    rule = {"ID": "all", "Status": "Enabled", "Filter": {"Prefix": ""}, "Expiration": {"Days": 1}}
    client_of(node).put_bucket_lifecycle_configuration(Bucket="files", LifecycleConfiguration={"Rules": [rule]})
    eventually(lambda: node.metric("cairn_lifecycle_done_total") == len(written) - 3, what="all but the damaged ones")
    assert node.metric("cairn_lifecycle_failures_total") > 0
    assert "lifecycle rules do not act on damaged rows" in node.log()
    for i in (7, 8, 20):
        assert node.get(f"/files/small-{i:04d}").status == 500


def test_a_standalone_node_without_its_metadata_does_not_take_its_chunks_for_garbage(start_node):
    node = start_node()
    body = os.urandom(200_000)
    assert node.put("/files/large", body).status == 200
    node.stop()
    metadata = state_file(node).parent
    metadata.rename(metadata.with_name("elsewhere"))
    for _ in range(2):  # also when the first start has made a new one
        node.refuses_to_start("is missing, but the disks have data", 30)
    shutil.rmtree(metadata)
    metadata.with_name("elsewhere").rename(metadata)
    node.start()
    assert node.get("/files/large").body == body


@pytest.mark.parametrize("flips", [3, 40, 400, 4000])
def test_a_standalone_node_lives_through_bits_that_flip_while_it_serves(start_node, flips):
    node = start_node()
    written = fill(node, 150)
    tally, stop = {}, threading.Event()

    def write():
        n = 0
        while not stop.is_set():
            n += 1
            try:
                assert node.put(f"/files/load-{n % 50}", small(n)).status in (200, 500, 503, 507)
            except (OSError, http.client.HTTPException):
                time.sleep(0.05)
    load = threading.Thread(target=write)
    load.start()
    try:
        for turn in range(4):
            flip(state_file(node), random_places(state_file(node), flips // 4 + 1, seed=flips + turn))
            look(node, written, tally)
            assert node.running(), node.log()[-3000:]
    finally:
        stop.set()
        load.join()
    # Nothing is remembered of what was read before.
    node.kill()
    node.spawn()
    time.sleep(1.5)
    if node.running():
        look(node, written, tally)
    else:
        assert "corrupt" in node.log()[-3000:], "it says why it does not start"
        node.process = None
    assert "broken" not in tally or flips > 40, tally


def repairs(node):
    try:
        return node.metric("cairn_metadata_repaired_total")
    except OSError:
        return 0


def whole(node, written):
    for key, body in written.items():
        answer = node.get(key)
        assert answer.status == 200 and answer.body == body, (key, answer)


@pytest.mark.parametrize("leads", [False, True])
def test_a_member_whose_metadata_rots_fetches_it_from_another_and_never_serves_it(make_cluster, leads):
    cluster = make_cluster(3)
    written = fill(cluster.nodes[0], 200)
    leader = cluster.leader()
    victim = leader if leads else cluster.others(leader)[0]
    others = cluster.others(victim)
    tallies, stop = [{}, {}, {}], threading.Event()

    def read(i):
        while not stop.is_set():
            look([victim, *others][i], written, tallies[i])
    readers = [threading.Thread(target=read, args=(i,)) for i in range(3)]
    for r in readers:
        r.start()
    try:
        flip(state_file(victim), random_places(state_file(victim), 300, seed=7))
        eventually(lambda: repairs(victim) >= 1, seconds=60, what="the state is fetched")
        eventually(victim.ready, seconds=60, what="the member is back")
        time.sleep(2)
    finally:
        stop.set()
        for r in readers:
            r.join()
    assert tallies[0][200] > 0
    if not leads:  # nobody else noticed
        for t in tallies[1:]:
            assert set(t) == {200}, tallies
    cluster.settled(3)
    whole(victim, written)
    victim.stop()
    check = victim.cairn("storage", "check", "--config", victim.config)
    assert check.returncode == 0, check.stdout.decode() + check.stderr.decode()
    victim.start(seconds=60)
    whole(victim, written)
    assert repairs(victim) == 0, "nothing was left to repair"


@pytest.mark.parametrize("which, damage", [(0, "rubbish"), (2, "rubbish"), (2, "zeros"), (2, "meta"), (2, "page size")])
def test_a_member_whose_metadata_can_not_be_opened_starts_and_fetches_it(make_cluster, which, damage):
    cluster = make_cluster(3)
    written = fill(cluster.nodes[1], 50)
    victim, other = cluster.nodes[which], cluster.nodes[1]  # the first one founded the cluster, and knew nobody then
    victim.stop()
    path = state_file(victim)
    size = path.stat().st_size
    if damage == "meta":
        flip(path, [p * PAGE + b for p in range(2) for b in range(16, 160)])
    elif damage == "page size":  # 4096 becomes 0: a single bit
        flip(path, [p * PAGE + 41 for p in range(2)])
    else:
        path.write_bytes(random.Random(1).randbytes(size) if damage == "rubbish" else bytes(size))
    assert eventually(lambda: other.put("/files/meanwhile", b"written").status == 200, seconds=30, what="a leader")
    victim.start(seconds=60)
    assert repairs(victim) == 1
    whole(victim, {**written, "/files/meanwhile": b"written"})
    assert victim.put("/files/after", b"it writes, too").status == 200
    assert other.get("/files/after").body == b"it writes, too"
    cluster.settled(3)


def test_a_founder_that_is_alone_says_how_its_metadata_is_restored(make_cluster):
    cluster = make_cluster(1)
    node = cluster.nodes[0]
    written = fill(node, 20)
    backup = node.folder / "backup"
    made = node.cairn("cluster", "backup", "--config", node.config, backup)
    assert made.returncode == 0, made.stderr
    for _ in range(2):  # it stays alone through a restart
        node.stop()
        state_file(node).write_bytes(random.Random(1).randbytes(state_file(node).stat().st_size))
        node.spawn()
        assert node.process.wait(timeout=30) == 1
        node.process = None
        said = node.log().rsplit("cairn: cannot start", 1)[-1]
        assert "cairn cluster rejoin" in said and "cairn cluster restore" in said, node.log()[-3000:]
        for command in (["rejoin"], ["restore", backup]):
            done = node.cairn("cluster", command[0], "--config", node.config, *command[1:])
            assert done.returncode == 0, (command, done.stdout, done.stderr)
        node.start(seconds=60)
        whole(node, written)


def test_a_state_that_is_damaged_is_not_given_to_a_newcomer(make_cluster):
    cluster = make_cluster(3)
    written = fill(cluster.nodes[0], 100)
    for n in cluster.nodes[1:]:
        n.stop()
    lone = cluster.nodes[0]
    key = sorted(written)[50]
    flip(state_file(lone), places_of(state_file(lone), written[key][:40], offset=20))
    # Those that come back take over and repair it.
    for n in cluster.nodes[1:]:
        n.start(seconds=60)
    in_threads(3, lambda i: look(cluster.nodes[i], written, {}))
    eventually(lambda: repairs(lone) >= 1, seconds=60, what="the state is fetched")
    eventually(lone.ready, seconds=60, what="the member is back")
    newcomer = cluster.add()
    for n in (lone, newcomer):
        whole(n, written)


def log_segments(node):
    return sorted((node.folder / "data/metadata/log").glob("*.seg"))


def middle_of_log(node):
    """A place in the records of a log whose end is behind it."""
    path = log_segments(node)[0]
    used = len(path.read_bytes().rstrip(b"\0"))
    return path, used // PAGE // 2 * PAGE + 60


def test_a_member_whose_log_has_a_flipped_bit_in_its_middle_never_starts_with_a_part_of_it(make_cluster):
    cluster = make_cluster(3)
    written = fill(cluster.nodes[0], 100)
    leader = cluster.leader()
    victim = cluster.others(leader)[0]
    victim.kill()
    path, place = middle_of_log(victim)
    flip(path, [place])
    before = path.read_bytes()
    check = victim.cairn("storage", "check", "--config", victim.config)
    assert check.returncode == 1 and b"consensus log" in check.stdout, check
    victim.spawn()
    assert victim.process.wait(30) == 1
    victim.process = None
    assert "consensus log" in victim.log() and "damaged" in victim.log(), victim.log()[-3000:]
    assert "Otherwise remove this node" in victim.log()
    assert path.read_bytes() == before, "nothing was cut off"
    for n in cluster.others(victim):
        whole(n, written)
    assert leader.put("/files/meanwhile", b"x").status == 200
    # Nothing was lost: with the bit as it was, the member is what it was.
    flip(path, [place])
    victim.start(seconds=60)
    whole(victim, {**written, "/files/meanwhile": b"x"})
    cluster.settled(3)


@pytest.mark.parametrize("damage", ["flipped", "empty"])
def test_a_member_starts_when_only_the_marker_of_its_log_is_damaged(make_cluster, damage):
    cluster = make_cluster(3)
    written = fill(cluster.nodes[0], 20)
    victim = cluster.nodes[1]
    victim.stop()
    marker = victim.folder / "data/metadata/log/data.mdb"
    before = marker.read_bytes()
    if damage == "flipped":
        flip(marker, [600])
    else:
        marker.write_bytes(b"")
    victim.start(seconds=60)
    assert marker.read_bytes() == before
    whole(victim, written)


def test_a_member_whose_log_rots_while_it_runs_leaves_and_nothing_is_lost(make_cluster):
    cluster = make_cluster(3, storage_scrub_period="1min")
    written = fill(cluster.nodes[0], 100)
    victim = cluster.leader()
    others = cluster.others(victim)
    path, place = middle_of_log(victim)
    flip(path, [place])
    eventually(lambda: not victim.ready(), seconds=150, what="it leaves")
    assert "damaged on the disk" in victim.log(), victim.log()[-3000:]
    assert eventually(lambda: others[0].put("/files/meanwhile", b"x").status == 200, seconds=30, what="another leader")
    for n in others:
        whole(n, {**written, "/files/meanwhile": b"x"})
    victim.stop()
    victim.spawn()
    assert victim.process.wait(30) == 1, "what it acknowledged is not known"
    victim.process = None
