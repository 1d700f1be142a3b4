"""Five real nodes: two may go at once, or restart one after the other, and nothing that was acknowledged is lost."""
import itertools

from cairn_cluster import cairn
from cairn_node import KIB, MIB, eventually, in_threads
from cluster_load import Load, content


def read_exactly(nodes, load, allowed=(200,)):
    """Every acknowledged object through the nodes in turn: whole and exact, or one of the allowed refusals."""
    answers = {}
    objects = sorted(load.acknowledged.items())

    def read(number):
        node = nodes[number]
        connection = node.connect(timeout=60)
        for key, size in objects[number::len(nodes)]:
            answer = node.request("GET", key, connection=connection)
            assert answer.status in allowed, (node.folder.name, key, answer)
            assert answer.status != 200 or answer.body == content(key, size), (node.folder.name, key, "wrong bytes")
            answers[answer.status] = answers.get(answer.status, 0) + 1
        connection.close()

    in_threads(len(nodes), read)
    return answers


def test_two_of_five_are_killed_at_once_under_load(make_cluster):
    cluster = make_cluster(5)
    assert [n["role"] for n in cluster.status()["nodes"]] == ["voter"] * 5
    with Load(cluster) as load:
        load.more(40)
        for turn in range(2):
            leader = cluster.leader()
            victims = [leader, cluster.others(leader)[turn]]
            for v in victims:
                v.process.kill()  # both before either is gone
            for v in victims:
                v.kill()
            load.more(20)
            # A third copy may still have been on its way: then there is none until one of the two is back.
            read_exactly([n for n in cluster.nodes if n.running()], load, allowed=(200, 503))
            in_threads(2, lambda i: victims[i].start(seconds=60))
            cluster.settled(5)
            assert read_exactly(cluster.nodes, load).keys() == {200}
    load.check(cluster.nodes)
    assert load.count() > 100


def test_what_is_settled_is_read_while_any_two_of_five_are_away(make_cluster):
    cluster = make_cluster(5)
    load = Load(cluster)
    for i in range(12):
        key = f"/files/two-{i}"
        assert cluster.nodes[i % 5].put(key, content(key, 3 * MIB + i)).status == 200
        load.acknowledged[key] = 3 * MIB + i
    cluster.settled(5)
    for pair in list(itertools.combinations(cluster.nodes, 2))[::3]:
        for v in pair:
            v.kill()
        rest = [n for n in cluster.nodes if n.running()]
        eventually(lambda: rest[0].get("/files/two-0").status == 200, seconds=30, what="a leader among three")
        read_exactly(rest, load)
        for v in pair:
            v.start(seconds=60)
    cluster.settled(5)


def test_two_of_five_never_come_back_and_what_they_held_is_copied(make_cluster):
    cluster = make_cluster(5, cluster_down_out_after="10s")  # which pauses when so many are away: an operator drains them
    load = Load(cluster)
    for i in range(30):
        key, size = f"/files/gone-{i}", (100, 300 * KIB, 2 * MIB + i)[i % 3]
        assert cluster.nodes[i % 5].put(key, content(key, size)).status == 200
        load.acknowledged[key] = size
    cluster.settled(5)
    victims = cluster.nodes[3:]
    numbers = [cluster.status(v)["self"] for v in victims]
    for v in victims:
        v.kill()

    def paused():
        told = cluster.status()["auto_out"]
        return told["paused"] == "many_down" and told["waiting"] == told["because"] == sorted(numbers)
    eventually(paused, seconds=60, every=0.5, what="status says that nobody is taken out, and why")
    text = cluster.command("status").stdout
    assert "PAUSED: no new replicas are made of what nodes 3, 4 hold" in text and "2 of 5 nodes are down (3, 4)" in text, text
    leader = cluster.leader()
    eventually(lambda: leader.metric("cairn_cluster_auto_out_paused", reason="many_down") == 1, what="a metric says so too")
    assert leader.metric("cairn_cluster_auto_out_paused", reason="no_room") == 0
    for number in numbers:
        cluster.command("drain", number)

    def copied():
        nodes = {n["number"]: n for n in cluster.status()["nodes"]}
        if any(nodes[n]["partitions_owned"] + nodes[n]["partitions_incoming"] > 0 for n in numbers):
            return False
        return all(n["partitions_incoming"] == 0 for n in nodes.values()) and cluster.status()["repairs_waiting"] == 0
    eventually(copied, seconds=120, every=0.5, what="three nodes hold everything")
    for number in numbers:
        assert "is removed, for good" in cluster.command("remove", number).stdout
    rest = cluster.nodes[:3]
    status = cluster.status()  # the commands waited until the votes were gone
    assert len(status["voters"]) == 3 and status["voters_next"] == [] and status["auto_out"]["paused"] is None, status
    read_exactly(rest, load)
    rest[0].kill()  # a third failure: the copies are real
    eventually(lambda: rest[1].put("/files/after", b"x").status == 200, seconds=30, what="two of three go on")
    read_exactly(rest[1:], load)


def test_an_operator_says_who_votes(make_cluster):
    cluster = make_cluster(4)
    by_number = {cluster.status(n)["self"]: n for n in cluster.nodes}
    voters = cluster.status()["voters"]
    assert len(voters) == 3
    standby = next(n for n in by_number if n not in voters)
    leader = cluster.status(cluster.leader())["self"]

    def refused(*numbers):
        done = cluster.command("voters", *numbers, check=False)
        assert done.returncode != 0, done
        return done.stderr
    assert "has 3 voters: name 3 nodes, not 2" in refused(0, 1)
    assert 'no node "9"' in refused(0, 1, 9)
    assert "twice" in refused(0, 1, 1)
    with Load(cluster) as load:
        load.more()
        wanted = sorted([standby] + [n for n in voters if n != leader])  # without the one that leads now
        said = cluster.command("voters", *wanted, node=by_number[standby]).stdout
        assert "vote now" in said, said
        eventually(lambda: cluster.status()["voters"] == wanted, seconds=10, what="who votes")
        roles = {n["number"]: n["role"] for n in cluster.status()["nodes"]}
        assert roles[leader] == "standby" and roles[standby] == "voter"
        assert f"Voters: {', '.join(map(str, wanted))}; 2 of them must be up." in cluster.command("status").stdout
        load.more()
        # A voter dies: its vote goes to the one that has none.
        dead = next(n for n in wanted if n != standby)
        by_number[dead].kill()
        load.more()
        again = sorted(n for n in by_number if n != dead)
        cluster.command("voters", *again)
        eventually(lambda: cluster.status()["voters"] == again, seconds=10, what="who votes")
        by_number[standby].kill()  # a second one: two voters of three are left
        load.more()
    by_number[standby].start(seconds=60)
    by_number[dead].start(seconds=60)
    cluster.settled(4)
    load.check(cluster.nodes)


def test_the_printed_configuration_lets_a_new_node_join(make_cluster):
    cluster = make_cluster(1)
    printed = cluster.command("add", "node-2.example.org").stdout
    assert 'advertise = "node-2.example.org:9100"' in printed and f'name = "{cluster.status()["name"]}"' in printed
    assert f'join = ["{cluster.nodes[0].settings["cluster.listen"]}"]' in printed
    assert "cairn cluster certs issue --dir CERTS --data-dir /var/lib/cairn node-2.example.org" in printed
    check = cluster.folder / "printed.toml"
    check.write_text(printed)
    assert "listen" not in cairn("config", "check", check, check=False).stderr


def test_five_are_restarted_one_after_the_other_under_load(make_cluster):
    cluster = make_cluster(5)
    with Load(cluster) as load:
        load.more(20)
        for node in list(cluster.nodes):
            node.stop()
            load.more(10)
            node.start(seconds=60)
            cluster.settled(5)
    load.check(cluster.nodes)
