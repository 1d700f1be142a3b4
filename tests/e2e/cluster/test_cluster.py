"""Several real nodes: any of them serves everything, one may die, freeze or be upgraded, a minority refuses."""
import hashlib
import http.client
import os
import random
import re
import shutil
import signal
import threading
import time

import pytest

from cairn_cluster import Cluster, cairn
from cairn_node import KIB, MIB, Node, eventually
from cluster_load import content

SIZES = (0, 100, 4096, 5000, 70000, MIB, 5 * MIB + 77)


def put_all(cluster, prefix):
    """One object of each size through each node in turn."""
    written = {}
    for i, size in enumerate(SIZES * 2):
        key, body = f"/files/{prefix}-{i}", content(f"{prefix}{i}", size)
        node = cluster.nodes[i % len(cluster.nodes)]
        if not node.running():
            node = cluster.any()
        answer = node.put(key, body)
        assert answer.status == 200, (key, answer)
        written[key] = body
    return written


def check_all(nodes, written):
    for node in nodes:
        for key, body in written.items():
            answer = node.get(key)
            assert answer.status == 200 and answer.body == body, (node.folder.name, key, answer.status, len(answer.body))


def put_until_taken(node, key, body, seconds=30):
    """A leader may just be being elected: 503 and a retry, as clients do."""
    eventually(lambda: node.put(key, body).status == 200, seconds=seconds, every=0.2, what=f"PUT {key}")


# One of three


def test_any_node_takes_and_serves_everything(make_cluster):
    cluster = make_cluster(3)
    written = put_all(cluster, "any")
    check_all(cluster.nodes, written)
    for node in cluster.nodes:
        assert set(node.keys("files")) == {k.removeprefix("/files/") for k in written}
    victim = next(iter(written))
    assert cluster.nodes[2].delete(victim).status == 204
    for node in cluster.nodes:
        assert node.get(victim).status == 404, "a delete is seen everywhere at once"
    status = cluster.status()
    assert status["name"] == "blue" and status["replicas"] == 3
    assert [n["role"] for n in status["nodes"]] == ["voter"] * 3
    assert all(n["partitions_owned"] == 16384 for n in status["nodes"])


def test_a_killed_node_is_not_missed_and_catches_up(make_cluster):
    cluster = make_cluster(3)
    before = put_all(cluster, "before")
    victim = cluster.nodes[1]
    victim.kill()
    check_all(cluster.others(victim), before)
    put_until_taken(cluster.nodes[0], "/files/probe", b"x")
    during = put_all(cluster, "during")
    check_all(cluster.others(victim), during)
    victim.start(seconds=60)
    cluster.settled(3)
    check_all([victim], before | during)
    # Now it must have its own copies: the others go.
    for node in cluster.others(victim)[:1]:
        node.kill()
    eventually(lambda: victim.get("/files/during-6").status == 200, seconds=30, what="a read after a second failure")
    check_all([victim], before | during)


def test_the_leader_is_killed_while_clients_write(make_cluster):
    cluster = make_cluster(3)
    leader = cluster.leader()
    acknowledged, stop = {}, threading.Event()

    def write(number):
        nodes = [n for n in cluster.nodes if n is not leader]
        i = 0
        while not stop.is_set():
            key, body = f"/files/w{number}-{i}", content(f"{number}-{i}", 20 * KIB)
            i += 1
            try:
                if nodes[number % 2].put(key, body).status == 200:
                    acknowledged[key] = body
            except (OSError, http.client.HTTPException):
                pass

    writers = [threading.Thread(target=write, args=(n,)) for n in range(4)]
    for w in writers:
        w.start()
    time.sleep(1)
    count = len(acknowledged)
    leader.kill()
    eventually(lambda: len(acknowledged) > count + 20, seconds=30, what="writes under a new leader")
    stop.set()
    for w in writers:
        w.join()
    check_all(cluster.others(leader), acknowledged)
    leader.start(seconds=60)
    check_all([leader], acknowledged)


def test_a_peer_that_freezes_in_the_middle_of_a_download_is_not_noticed(make_cluster):
    cluster = make_cluster(3)
    body = content("large", 200 * MIB)
    assert cluster.nodes[0].put("/files/large", body, timeout="120") .status == 200
    frozen = next(n for n in cluster.nodes[1:] if n is not cluster.leader())
    connection = cluster.nodes[0].connect(timeout=60)
    connection.request("GET", "/files/large")
    answer = connection.getresponse()
    digest, received = hashlib.sha256(), 0
    try:
        while received < len(body):
            piece = answer.read(MIB)
            assert piece, f"the download ended after {received} bytes"
            digest.update(piece)
            received += len(piece)
            if received == 20 * MIB:
                frozen.process.send_signal(signal.SIGSTOP)
        assert digest.digest() == hashlib.sha256(body).digest()
        put_until_taken(cluster.nodes[0], "/files/meanwhile", b"still writing")
    finally:
        frozen.process.send_signal(signal.SIGCONT)
    connection.close()
    eventually(lambda: frozen.get("/files/meanwhile").body == b"still writing", seconds=30, what="it catches up")


def test_nodes_restart_one_after_the_other_under_load(make_cluster):
    cluster = make_cluster(3)
    written = put_all(cluster, "rolling")
    refused, wrong, stop = [], [], threading.Event()

    def read():
        keys = list(written)
        rng = random.Random(1)
        while not stop.is_set():
            key, node = rng.choice(keys), rng.choice(cluster.nodes)
            try:
                answer = node.get(key)
            except (OSError, http.client.HTTPException):
                continue  # it is the one that restarts
            if answer.status == 503:
                refused.append(key)
            elif answer.status != 200 or answer.body != written[key]:
                wrong.append((key, answer.status))

    reader = threading.Thread(target=read)
    reader.start()
    try:
        for i, node in enumerate(cluster.nodes):
            node.stop()
            other = cluster.any()
            put_until_taken(other, f"/files/while-{i}", b"%d" % i)
            written_now = other.get(f"/files/while-{i}")
            assert written_now.body == b"%d" % i
            node.start(seconds=60)
            cluster.settled(3)
    finally:
        stop.set()
        reader.join()
    assert not wrong, wrong[:5]
    for i in range(3):
        for node in cluster.nodes:
            assert node.get(f"/files/while-{i}").body == b"%d" % i


def test_a_minority_refuses_and_recovers(make_cluster):
    cluster = make_cluster(3)
    written = put_all(cluster, "minority")
    alone, *others = cluster.nodes
    for node in others:
        node.kill()
    eventually(lambda: alone.put("/files/lonely", b"x").status == 503, seconds=30, what="a refusal")
    key = next(k for k, body in written.items() if len(body) > 4096)
    assert alone.request("GET", key, timeout=60).status == 503, "what it has may be over"
    assert alone.admin("/health/live").status == 200
    others[0].start(seconds=60)
    put_until_taken(alone, "/files/together", b"two of three")
    assert others[0].get("/files/together").body == b"two of three"
    check_all([alone, others[0]], written)


# Growing and shrinking


def test_a_cluster_grows_from_one_to_three_to_five(make_cluster):
    cluster = make_cluster(1)
    written = put_all(cluster, "one")
    cluster.grow(3)
    written |= put_all(cluster, "three")
    check_all(cluster.nodes, written)
    cluster.grow(5)
    written |= put_all(cluster, "five")
    check_all(cluster.nodes, written)
    owned = [n["partitions_owned"] for n in cluster.status()["nodes"]]
    assert sum(owned) == 3 * 16384 and max(owned) < 1.2 * min(owned), owned


def test_a_node_is_drained_and_removed_and_stays_out(make_cluster):
    cluster = make_cluster(4)
    written = put_all(cluster, "drain")
    leaving = cluster.nodes[3]
    number = cluster.status(leaving)["self"]
    refused = cluster.command("remove", number, check=False)
    assert refused.returncode == 1 and "partition" in refused.stderr, refused
    cluster.command("drain", number)

    def empty():
        mine = next(n for n in cluster.status()["nodes"] if n["number"] == number)
        return mine["partitions_owned"] == 0 and cluster.status()["bytes_to_move"] == 0
    eventually(empty, seconds=120, every=0.3, what="nothing left on the drained node")
    leaving.kill()  # so that it does not hear of it before it starts again
    cluster.command("remove", number)
    check_all(cluster.nodes[:3], written)
    leaving.spawn()
    assert leaving.process.wait(30) == 1, "it ends once it is refused"
    said = leaving.log().rsplit("serving", 1)[-1]
    assert "was removed from the cluster" in said and "start with an empty data directory, as a new node" in said, said
    leaving.refuses_to_start("was removed from the cluster")


# Who may not


def test_strangers_do_not_get_in(make_cluster, tmp_path):
    cluster = make_cluster(1)
    port = int(cluster.nodes[0].settings["cluster.listen"].rpartition(":")[2])
    foreign = Cluster(tmp_path / "foreign", cluster_join=[f"127.0.0.1:{port}"])
    try:
        outsider = foreign.add(wait=False)
        time.sleep(3)
        assert outsider.running(), "it keeps asking"
        assert outsider.admin("/health/ready").status == 503
        assert len(cluster.status()["nodes"]) == 1
    finally:
        outsider.kill()
    assert cluster.nodes[0].put("/files/a", b"a").status == 200


def test_a_restored_copy_of_a_data_directory_is_refused(make_cluster, tmp_path):
    cluster = make_cluster(3)
    old = cluster.nodes[2]
    old.stop()
    copy = tmp_path / "copy"
    shutil.copytree(old.folder / "data", copy)
    old.start(seconds=60)
    cluster.settled(3)
    old.kill()
    shutil.rmtree(old.folder / "data")
    shutil.copytree(copy, old.folder / "data")
    record = old.folder / "data/refused"
    for start in (1, 2):  # the second time as if it had been killed before the refusal was stored
        record.unlink(missing_ok=True)
        old.spawn()
        assert old.process.wait(30) == 1, "it ends once it is refused"
        assert old.log().count("the cluster refuses this node") == start and "restored disk" in old.log()
        assert record.exists()
    old.spawn()
    assert old.process.wait(30) == 1, "it does not try until it is believed"
    assert "was refused by its cluster" in old.log()
    old.process = None
    assert cluster.nodes[0].put("/files/after", b"x").status == 200


def test_a_member_that_lost_its_number_of_starts_is_not_refused_for_ever(make_cluster):
    cluster = make_cluster(3)
    node = cluster.nodes[2]
    node.stop()
    counter = node.folder / "data/incarnation"
    counter.unlink()
    for _ in range(2):
        node.refuses_to_start(f"{counter} is missing, but this node has started before")
        assert not counter.exists()
    line = re.search(r'write the line \\?"(cairn-incarnation 1 \d+)', node.log())[1]
    counter.write_text(line + "\n")
    node.start(seconds=60)
    cluster.settled(3)
    assert node.put("/files/after", b"x").status == 200


def test_a_copy_of_the_last_start_is_refused_when_its_log_lacks_what_it_acknowledged(make_cluster, tmp_path):
    cluster = make_cluster(3)
    old = next(n for n in cluster.nodes if n is not cluster.leader())
    others = cluster.others(old)
    os.kill(old.process.pid, signal.SIGSTOP)  # the image of a disk that is in use
    copy = tmp_path / "copy"
    shutil.copytree(old.folder / "data", copy)
    os.kill(old.process.pid, signal.SIGCONT)
    for i in range(20):
        assert others[0].put(f"/files/k{i}", b"x").status == 200
    eventually(lambda: old.get("/files/k19").status == 200, what="it has acknowledged them")
    leader = cluster.leader()
    old.kill()
    shutil.rmtree(old.folder / "data")
    shutil.copytree(copy, old.folder / "data")
    old.spawn()
    assert old.process.wait(30) == 1, "it ends once it is refused"
    assert "the cluster refuses this node" in old.log()
    assert "lost entries that it had acknowledged" in leader.log()
    (old.folder / "data/refused").unlink()  # as if it had been killed before the refusal was stored
    old.spawn()
    assert old.process.wait(30) == 1, "it learns it again"
    old.spawn()
    assert old.process.wait(30) == 1, "it does not start again"
    old.process = None
    assert others[0].put("/files/after", b"x").status == 200


def test_a_node_whose_metadata_alone_was_restored_does_not_start(make_cluster, tmp_path):
    cluster = make_cluster(3)
    victim = next(n for n in cluster.nodes if n is not cluster.leader())
    others = cluster.others(victim)
    victim.stop()
    copy = tmp_path / "copy"
    shutil.copytree(victim.folder / "data" / "metadata", copy)
    victim.start(seconds=60)
    for i in range(20):
        assert others[0].put(f"/files/k{i}", b"x").status == 200
    eventually(lambda: victim.get("/files/k19").status == 200, what="it has them")
    victim.stop()
    victim.start(seconds=60)  # it keeps how far it has come
    victim.stop()
    leader = cluster.leader()
    leader.stop()
    leader.start(seconds=60)  # the leader that knew what the node had is gone
    shutil.rmtree(victim.folder / "data" / "metadata")
    shutil.copytree(copy, victim.folder / "data" / "metadata")
    victim.spawn()
    assert victim.process.wait(30) == 1, "it does not take part"
    victim.process = None
    assert "restored from an older image" in victim.log() and "cairn cluster remove" in victim.log()
    cluster.command("drain", cluster.nodes.index(victim), node=others[0])
    assert others[0].put("/files/after", b"x").status == 200


def test_a_member_that_lost_its_metadata_does_not_start(make_cluster):
    cluster = make_cluster(3)
    victim = cluster.nodes[2]
    victim.stop()
    for log in (victim.folder / "data").glob("**/log"):
        shutil.rmtree(log)
    victim.spawn()
    assert victim.process.wait(30) == 1
    assert "may have voted" in victim.log()
    victim.process = None
    assert cluster.nodes[0].put("/files/after", b"x").status == 200


@pytest.mark.parametrize("lost", [["cluster"], ["cluster", "metadata"], ["cluster", "applied", "metadata"]])
@pytest.mark.parametrize("which", [0, 2])
def test_a_member_that_lost_its_cluster_file_neither_founds_nor_joins_again(make_cluster, which, lost):
    cluster = make_cluster(3)
    body = content("large", 300 * KIB)
    assert cluster.nodes[0].put("/files/large", body).status == 200
    cluster.settled(3)
    victim = cluster.nodes[which]  # the first one has an empty cluster.join
    victim.stop()
    data, aside = victim.folder / "data", victim.folder / "aside"
    aside.mkdir()
    for name in lost:
        (data / name).rename(aside / name)
    for turn in range(2):  # also over what the first start has made
        victim.spawn()
        assert victim.process.wait(30) == 1, turn
        assert not (data / "cluster").exists(), turn
    assert " is missing" in victim.log() or "has lost its data" in victim.log()
    victim.process = None
    if "metadata" in lost:
        shutil.rmtree(data / "metadata")
    for name in lost:
        (aside / name).replace(data / name)
    victim.start(seconds=60)
    assert victim.get("/files/large").body == body
    assert cluster.status(victim)["self"] == which


def test_changes_need_the_token(make_cluster):
    token = "a-token-of-some-length"
    cluster = make_cluster(1, admin_token=token)
    url = f"http://127.0.0.1:{cluster.any().admin_port}"
    refused = cairn("cluster", "zone", "0", "rack-1", "--admin", url, check=False)
    assert refused.returncode == 1 and "token" in refused.stderr, refused
    cairn("cluster", "zone", "0", "rack-1", "--admin", url, CAIRN_ADMIN_TOKEN=token)
    eventually(lambda: cluster.status()["nodes"][0]["zone"] == "rack-1", what="the zone")
    assert "rack-1" in cairn("cluster", "status", "--admin", url).stdout


def test_a_node_without_a_cluster_says_so(start_node):
    node: Node = start_node()
    done = cairn("cluster", "status", "--admin", f"http://127.0.0.1:{node.admin_port}", check=False)
    assert done.returncode == 1 and "cluster.listen" in done.stderr, done
