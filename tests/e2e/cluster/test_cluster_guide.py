"""What docs/operations.md tells to type, typed: one node becomes three, and certificates are renewed."""
import tomllib

from cairn_cluster import NAME, cairn
from cairn_node import KIB, MIB, Node, eventually, free_port
from cluster_load import Load, content


def flat(printed):
    """What `cairn cluster certs issue` prints for the configuration, as settings."""
    return {f"cluster.tls.{k}": v for k, v in tomllib.loads(printed)["cluster"]["tls"].items()}


def issue(cluster, node):
    return flat(cairn("cluster", "certs", "issue", "--dir", cluster.folder / "ca", "--data-dir", node.folder / "data",
                      "127.0.0.1").stdout)


def test_one_node_becomes_three_and_each_has_the_old_files(make_cluster):
    cluster = make_cluster(0)
    alone = Node(cluster.folder / "node-1", node_stop_timeout="5s").start()
    cluster.nodes.append(alone)
    old = {f"/files/old-{i}": content(f"old{i}", size) for i, size in enumerate((100, 20 * KIB, 3 * MIB + 7, 9 * MIB))}
    for key, body in old.items():
        assert alone.put(key, body).status == 200
    # "Give it a certificate and the [cluster] section without join, and restart it."
    alone.settings |= issue(cluster, alone) | {"cluster.listen": f"127.0.0.1:{free_port()}", "cluster.name": NAME}
    alone.write_config()
    alone.stop()
    alone.start(seconds=60)
    assert [n["state"] for n in cluster.status()["nodes"]] == ["active"]
    chunks = alone.metric("cairn_disk_chunks")
    # "Start two more that join it."
    cluster.grow(3)
    for node in cluster.nodes:
        assert node.metric("cairn_disk_chunks") == chunks, "a copy of everything on each"
        for key, body in old.items():
            assert node.get(key).body == body
    alone.kill()  # the disk that had the only copies
    for node in cluster.nodes[1:]:
        eventually(lambda n=node: n.get("/files/old-0").status == 200, seconds=30, what="two of three")
        for key, body in old.items():
            assert node.get(key).body == body
    alone.start(seconds=60)
    cluster.settled(3)


def test_certificates_are_renewed_one_after_the_other(make_cluster):
    cluster = make_cluster(3)
    with Load(cluster) as load:
        load.more(10)
        for node in cluster.nodes:
            files = {name: (node.folder / "data" / name) for name in ("node.crt", "node.key", "ca.crt")}
            before = {name: path.read_bytes() for name, path in files.items()}
            settings = issue(cluster, node)  # while it runs
            assert settings.items() <= {k: str(v) for k, v in node.settings.items()}.items(), "the same places"
            assert files["node.crt"].read_bytes() != before["node.crt"] and files["node.key"].read_bytes() != before["node.key"]
            assert files["ca.crt"].read_bytes() == before["ca.crt"]
            node.stop()
            node.start(seconds=60)
            cluster.settled(3)
            load.more(10)
    load.check(cluster.nodes)
    # Each pair of nodes knows each other by the new ones alone.
    for node in cluster.nodes:
        key = f"/files/from-{cluster.status(node)['self']}"
        assert node.put(key, content(key, MIB)).status == 200
        for other in cluster.nodes:
            assert other.get(key).body == content(key, MIB)
