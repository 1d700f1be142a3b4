"""Data directories that older builds left (in directories/)."""
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


def ready(node):
    assert node.running(), node.log()[-3000:]
    return node.ready()
