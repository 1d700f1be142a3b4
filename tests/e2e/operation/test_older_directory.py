"""Data directories of older builds (tests/e2e/support/directories) open and go on."""
from cairn_node import eventually
from older_directories import content, ready, stored


def whole(node, objects):
    for key, body in objects.items():
        answer = node.get(key)
        assert answer.status == 200 and answer.body == body, (key, answer)
    assert sorted(node.keys("files")) == sorted(k.removeprefix("/files/") for k in objects)


def log_files(node):
    return sorted(p.name for p in (node.folder / "data/metadata/log").iterdir())


def test_a_standalone_directory_opens_and_goes_on(older_node):
    node, objects = older_node, stored()
    for turn in range(2):
        whole(node, objects)
        objects[f"/files/new-{turn}"] = content(turn)
        assert node.put(f"/files/new-{turn}", content(turn)).status == 200
        node.kill()
        node.start()
    whole(node, objects)


def test_the_directories_of_a_cluster_open_and_go_on(older_cluster):
    cluster = older_cluster
    objects = stored()
    for turn in range(2):
        for n in cluster.nodes:
            assert ("data.mdb" in log_files(n)) and (turn == 0) == (not any(f.endswith(".seg") for f in log_files(n)))
            n.spawn()
        for n in cluster.nodes:
            eventually(lambda n=n: ready(n), seconds=60, what="the member is back")
        cluster.settled(3)
        for i, n in enumerate(cluster.nodes):
            whole(n, objects)
        for i, n in enumerate(cluster.nodes):
            key = f"/files/new-{turn}-{i}"
            objects[key] = content(turn + i)
            assert n.put(key, objects[key]).status == 200
        for n in cluster.nodes:
            n.kill()
    for n in cluster.nodes:
        check = n.cairn("storage", "check", "--config", n.config)
        assert check.returncode == 0, check.stdout.decode() + check.stderr.decode()
        assert "records of the log" in check.stdout.decode()


def test_a_directory_that_was_not_converted_is_checked_and_recovered(older_cluster):
    node = older_cluster.nodes[0]
    check = node.cairn("storage", "check", "--config", node.config)
    assert check.returncode == 0, check.stdout.decode() + check.stderr.decode()
    assert not any(f.endswith(".seg") for f in log_files(node)), "a check converts nothing"
    done = node.cairn("cluster", "recover", "--config", node.config, "--majority-lost")
    assert done.returncode == 0, done.stdout.decode() + done.stderr.decode()
    node.start(seconds=60)
    small = {key: body for key, body in stored().items() if "small" in key}
    for key, body in small.items():
        assert node.get(key).body == body
    assert node.put("/files/after", b"x").status == 200
