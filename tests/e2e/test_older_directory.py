"""Data directories of older builds (tests/e2e/directories) open and go on."""
import pathlib
import re
import socket
import tarfile

from cairn_cluster import Cluster
from cairn_node import Node, eventually

DIRECTORIES = pathlib.Path(__file__).parent / "directories"


def content(i):
    return (f"object {i}\n" * (20 + i)).encode()


def stored():
    """What the directories hold: every fifth of 40 objects was deleted again."""
    objects = {f"/files/small-{i:02d}": content(i) for i in range(40) if i % 5 != 0}
    objects["/files/large"] = b"0123456789abcdef" * (300 << 6)
    return objects


def unpack(name, folder):
    with tarfile.open(DIRECTORIES / f"{name}.tar.xz") as archive:
        archive.extractall(folder)


def whole(node, objects):
    for key, body in objects.items():
        answer = node.get(key)
        assert answer.status == 200 and answer.body == body, (key, answer)
    assert sorted(node.keys("files")) == sorted(k.removeprefix("/files/") for k in objects)


def can_listen(port):
    with socket.socket() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            s.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def reopened_cluster(folder):
    """The members have the addresses of then, which their metadata names."""
    unpack("cluster", folder)
    cluster = Cluster(folder, tls=False)
    for i in range(3):
        data = folder / f"node-{i}" / "data"
        (folder / f"node-{i}").rename(folder / f"kept-{i}")
        data.parent.mkdir()
        (folder / f"kept-{i}").rename(data)
        address = re.search(rf"^member {i} \S+ (\S+)$", (data / "cluster").read_text(), re.M)[1]
        eventually(lambda: can_listen(int(address.split(":")[1])), 60, what=f"no connection uses {address}")
        cluster.nodes.append(Node(data.parent, cluster_listen=address, cluster_name="blue", cluster_insecure=True,
                                  node_stop_timeout="5s"))
    return cluster


def log_files(node):
    return sorted(p.name for p in (node.folder / "data/metadata/log").iterdir())


def test_a_standalone_directory_opens_and_goes_on(tmp_path):
    unpack("standalone", tmp_path)
    node = Node(tmp_path / "node")
    (tmp_path / "standalone").rename(node.folder / "data")
    objects = stored()
    for turn in range(2):
        node.start()
        whole(node, objects)
        objects[f"/files/new-{turn}"] = content(turn)
        assert node.put(f"/files/new-{turn}", content(turn)).status == 200
        node.kill()
    node.start()
    whole(node, objects)
    node.stop()


def test_the_directories_of_a_cluster_open_and_go_on(tmp_path):
    cluster = reopened_cluster(tmp_path)
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


def test_a_directory_that_was_not_converted_is_checked_and_recovered(tmp_path):
    cluster = reopened_cluster(tmp_path)
    node = cluster.nodes[0]
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
    node.stop()


def ready(node):
    assert node.running(), node.log()[-3000:]
    try:
        return node.admin("/health/ready").status == 200
    except OSError:
        return False
