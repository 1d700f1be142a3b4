"""A cluster of real processes under load while nodes die, freeze, fill up, come and go: nothing acknowledged is lost."""
import os
import shutil
import signal
import socket
import time

import pytest

from cairn_node import KIB, MIB, eventually
from cluster_load import Load, content
from crowd import HandshakeCrowd


def test_any_of_three_is_killed_under_load(make_cluster):
    cluster = make_cluster(3)
    with Load(cluster) as load:
        load.more()
        for victim in list(cluster.nodes):
            victim.kill()
            load.more(10)
            victim.start(seconds=60)
            cluster.settled(3)
            load.more(10)
    load.check(cluster.nodes)
    cluster.nodes[0].kill()  # the copies that were made up for are real ones
    load.check(cluster.nodes[1:])
    assert load.count() > 60


def test_a_rolling_restart_under_load(make_cluster):
    cluster = make_cluster(3)
    with Load(cluster) as load:
        load.more()
        for node in list(cluster.nodes):
            node.stop()
            load.more(10)
            node.start(seconds=60)
            cluster.settled(3)
    load.check(cluster.nodes)


def test_a_leader_that_stops_hands_over_at_once(make_cluster):
    cluster = make_cluster(3)
    leader = cluster.leader()
    other = cluster.others(leader)[0]
    connection, gap, last, i = other.connect(), 0.0, time.monotonic(), 0
    leader.process.send_signal(signal.SIGTERM)
    end = time.monotonic() + 3
    while time.monotonic() < end:
        answer = other.request("PUT", f"/files/after-{i}", b"x", connection=connection)
        assert answer.status == 200, answer
        gap, last, i = max(gap, time.monotonic() - last), time.monotonic(), i + 1
    leader.ended()
    assert gap < 0.5, f"nothing was written for {gap:.2f} s"


def test_a_full_disk_takes_its_node_out_of_writes_and_is_made_up_for(make_cluster):
    cluster = make_cluster(3)
    full = next(n for n in cluster.nodes if n is not cluster.leader())
    others = cluster.others(full)
    before = {k: full.settings.get(k) for k in ("storage.reserve",)}
    free = shutil.disk_usage(full.folder).free
    full.stop()
    full.settings["storage.reserve"] = str(free * 2 // MIB) + "MiB"  # more than there is: the disk counts as full
    full.write_config()
    full.spawn()
    eventually(lambda: "serving" in full.log().rsplit("stopped", 1)[-1], seconds=60, what="the full node serves")
    with Load(cluster, nodes=others) as load:
        load.more(40)
    assert load.refused < load.count() / 10
    assert full.get(next(iter(load.acknowledged))).status == 200, "it still serves what others have"
    eventually(lambda: cluster.status(others[0])["repairs_waiting"] > 0, seconds=20, what="what it lacks is on the list")
    full.stop()
    full.settings.update(before)
    full.write_config()
    full.start(seconds=60)
    cluster.settled(3)
    load.check(cluster.nodes)
    others[0].kill()
    load.check([full, others[1]])


def test_a_frozen_leader_answers_nothing_that_is_over(make_cluster):
    cluster = make_cluster(3)
    leader = cluster.leader()
    a, b = cluster.others(leader)
    assert a.put("/files/row", b"one").status == 200
    old = a.head("/files/row").header("etag")
    leader.process.send_signal(signal.SIGSTOP)
    try:
        eventually(lambda: a.put("/files/row", b"two").status == 200, seconds=30, every=0.1, what="a new leader")
    finally:
        leader.process.send_signal(signal.SIGCONT)
    # It still believes that it leads, for a moment.
    stale = leader.request("PUT", "/files/row", b"three", {"If-Match": old}, timeout=60)
    assert stale.status in (412, 503), stale
    read = leader.get("/files/row")
    assert read.status == 503 or read.body == b"two", read
    absent = leader.request("PUT", "/files/row", b"four", {"If-None-Match": "*"}, timeout=60)
    assert absent.status in (412, 503), absent
    eventually(lambda: leader.get("/files/row").body == b"two", seconds=30, what="it follows the new leader")
    assert b.get("/files/row").body == b"two"


def test_a_minority_takes_no_writes_whatever_they_ask(make_cluster):
    cluster = make_cluster(3)
    alone, *others = cluster.nodes
    assert alone.put("/files/row", b"one").status == 200
    etag = alone.head("/files/row").header("etag")
    for node in others:
        node.kill()
    for headers in ({}, {"If-Match": etag}, {"If-None-Match": "*"}):
        answer = alone.request("PUT", "/files/row", b"two", headers, timeout=60)
        assert answer.status == 503, (headers, answer)
    assert alone.request("DELETE", "/files/row", timeout=60).status == 503
    eventually(lambda: alone.admin("/health/ready").status == 503, seconds=20, what="it is not ready")
    for node in others:
        node.start(seconds=60)
    eventually(lambda: alone.get("/files/row").status == 200, seconds=30, what="the majority is back")
    body = alone.get("/files/row").body
    assert body in (b"one", b"two"), "a write that was answered 503 may come true, but whole"


def test_a_newcomer_keeps_its_session_however_long_the_leader_has_led(make_cluster):
    cluster = make_cluster(3)
    time.sleep(62)  # after 60 s without a report a member's session is ended
    newcomer = cluster.add()
    assert newcomer.put("/files/k", b"x").status == 200
    time.sleep(3)
    assert "ended this node's writer session" not in newcomer.log()


def test_nodes_join_and_leave_under_load(make_cluster):
    cluster = make_cluster(3)
    with Load(cluster) as load:
        load.more()
        for _ in range(2):
            cluster.add()
            load.more(10)
        cluster.settled(5, seconds=240)
        number = cluster.status(cluster.nodes[1])["self"]
        cluster.command("drain", number, node=cluster.nodes[2])

        def empty():
            s = cluster.status(cluster.nodes[2])
            mine = next(n for n in s["nodes"] if n["number"] == number)
            return mine["partitions_owned"] == 0 and mine["partitions_incoming"] == 0
        eventually(empty, seconds=240, every=0.3, what="the drained node is empty")
        cluster.command("remove", number, node=cluster.nodes[2])
        gone = cluster.nodes.pop(1)
        gone.kill()
        shutil.rmtree(gone.folder / "data")
        load.more()
    load.check(cluster.nodes)


@pytest.mark.parametrize("asked", ["another", "itself"])
def test_the_leader_itself_is_drained_and_removed(make_cluster, asked):
    cluster = make_cluster(3)
    leader = cluster.leader()
    others = cluster.others(leader)
    bodies = {f"/files/k{i}": content(i, 200 * KIB) for i in range(20)}
    for key, body in bodies.items():
        assert others[0].put(key, body).status == 200
    number = cluster.status(leader)["self"]
    cluster.command("drain", number, node=others[0])
    eventually(lambda: all(n["partitions_owned"] == 0 for n in cluster.status(others[0])["nodes"] if n["number"] == number),
               seconds=120, every=0.3, what="the drained leader is empty")
    said = cluster.command("remove", number, node=leader if asked == "itself" else others[0]).stdout
    assert "is removed, for good" in said, said
    if "on another one" in said:  # it was cut off before it could hear of the vote
        assert asked == "itself", said
        eventually(lambda: number not in cluster.status(others[0])["voters"], seconds=20, what="its vote is gone")
    assert sorted(cluster.status(others[0])["voters"]) == sorted(cluster.status(n)["self"] for n in others)
    leader.kill()
    cluster.nodes.remove(leader)
    for key, body in bodies.items():
        assert others[1].get(key).body == body
    eventually(lambda: others[1].put("/files/after", b"x").status == 200, seconds=30, what="writes go on")


def test_garbage_on_the_peer_port_affects_no_client(make_cluster):
    cluster = make_cluster(3)
    ports = [int(n.settings["cluster.listen"].rpartition(":")[2]) for n in cluster.nodes]
    with Load(cluster) as load:
        load.more()
        for i in range(150):
            with socket.create_connection(("127.0.0.1", ports[i % 3]), timeout=5) as s:
                junk = os.urandom(1 + i * 97 % 5000)
                if i % 3 == 1:
                    junk = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
                if i % 3 == 2:
                    junk = b"\x00" * 64
                try:
                    s.sendall(junk)
                    if i % 2:
                        s.recv(64)
                except OSError:
                    pass
        held = [socket.create_connection(("127.0.0.1", p)) for p in ports for _ in range(50)]  # that say nothing
        load.more()
        for s in held:
            s.close()
    assert all(n.running() for n in cluster.nodes)
    cluster.settled(3)
    load.check(cluster.nodes)


def test_repeated_handshakes_on_the_peer_port_affect_no_client(make_cluster):
    cluster = make_cluster(3)
    ports = [int(n.settings["cluster.listen"].rpartition(":")[2]) for n in cluster.nodes]
    with Load(cluster) as load, HandshakeCrowd(None, port=ports[0]) as one, HandshakeCrowd(None, port=ports[1]) as other:
        time.sleep(3)
        load.more(40)
    for crowd in (one, other):
        crowd.check_pace()
    load.check(cluster.nodes)


def test_a_command_that_waits_for_a_leader_is_answered(make_cluster):
    cluster = make_cluster(3)
    leader = cluster.leader()
    frozen = cluster.others(leader)
    for n in frozen:
        n.process.send_signal(signal.SIGSTOP)
    done = cluster.command("weight", "0", "200", node=leader, check=False)
    for n in frozen:
        n.process.send_signal(signal.SIGCONT)
    assert done.returncode == 1 and ("leader" in done.stderr or "did not say in time" in done.stderr), done


@pytest.mark.parametrize("gone", (1, 2))
def test_a_node_comes_back_to_a_cluster_that_others_lead(make_cluster, gone):
    """One or all of those that it knew were replaced while it was away; in the second case its cluster.join says by whom."""
    cluster = make_cluster(3)
    away = cluster.nodes[2]
    assert cluster.nodes[0].put("/files/before", content(1, 200 * KIB)).status == 200
    away_number = cluster.status(away)["self"]
    away.kill()
    joined = [cluster.add(), cluster.add()]
    cluster.command("drain", away_number, node=joined[0])  # else the others' shares wait for it
    for old in cluster.nodes[:gone]:
        number = cluster.status(old)["self"]
        cluster.command("drain", number, node=joined[0])

        def mine():
            return next(n for n in cluster.status(joined[0])["nodes"] if n["number"] == number)
        eventually(lambda: mine()["partitions_owned"] == 0, seconds=200, every=0.3, what="a drained node is empty")
        cluster.command("remove", number, node=joined[0])
        old.kill()
    del cluster.nodes[:gone]
    while (leader := cluster.leader()) not in joined:
        leader.stop()
        leader.start(seconds=60)
    assert joined[0].put("/files/meanwhile", content(2, 200 * KIB)).status == 200
    if gone == 2:
        away.settings["cluster.join"] = [joined[1].settings["cluster.listen"]]
        away.write_config()
    away.start(seconds=60)
    cluster.command("activate", away_number, node=joined[0])
    assert away.get("/files/meanwhile").body == content(2, 200 * KIB)
    assert away.put("/files/after", content(3, 200 * KIB)).status == 200
    cluster.settled(5 - gone)
    for i, key in enumerate(("before", "meanwhile", "after")):
        assert away.get(f"/files/{key}").body == content(i + 1, 200 * KIB)
