"""Five real nodes: two may go at once, or restart one after the other, and nothing that was acknowledged is lost."""
import itertools

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
            read_exactly([n for n in cluster.nodes if n.running()], load, allowed=(200, 500, 503))
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
    for number in numbers:
        cluster.command("drain", number)

    def copied():
        nodes = {n["number"]: n for n in cluster.status()["nodes"]}
        if any(nodes[n]["partitions_owned"] + nodes[n]["partitions_incoming"] > 0 for n in numbers):
            return False
        return all(n["partitions_incoming"] == 0 for n in nodes.values()) and cluster.status()["repairs_waiting"] == 0
    eventually(copied, seconds=120, every=0.5, what="three nodes hold everything")
    for number in numbers:
        cluster.command("remove", number)
    rest = cluster.nodes[:3]
    eventually(lambda: all(any(f"node={n} change=remove" in r.log() for r in rest) for n in numbers), seconds=30,
               what="the removed ones have no vote any more")
    read_exactly(rest, load)
    rest[0].kill()  # a third failure: the copies are real
    eventually(lambda: rest[1].put("/files/after", b"x").status == 200, seconds=30, what="two of three go on")
    read_exactly(rest[1:], load)


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
