"""Who becomes a member: founders, nodes with a token, nodes that an operator lets in; and who does not, whatever it says."""
import hashlib
import hmac
import os
import re
import shutil
import socket
import ssl
import struct
import time
import uuid

import pytest

from cairn_cluster import NAME, cairn
from cairn_node import Node, eventually, free_port
from disk_faults import small_file_system

JOIN, REPORT, MEMBERS, SUBMIT = 5, 6, 8, 2
LEVEL = int(re.search(r"metadata level (\d+)", cairn("version").stdout)[1])  # of this build


def numbers(cluster):
    return [n["number"] for n in cluster.status()["nodes"]]


def newcomer(cluster, token=None, name=None, certificate=True, **settings):
    """A further node that is no business of the cluster's helper; not started."""
    folder = cluster.folder / (name or f"newcomer-{free_port()}")
    data = folder / "data"
    own = {"cluster_listen": f"127.0.0.1:{free_port()}", "cluster_name": NAME, "node_stop_timeout": "5s",
           "cluster_join": [n.settings["cluster.listen"] for n in cluster.nodes if n.running()]}
    if certificate:
        issued = cairn("cluster", "certs", "issue", "--dir", cluster.folder / "ca", "--data-dir", data, "127.0.0.1")
        own |= {"cluster_tls.ca": data / "ca.crt", "cluster_tls.cert": data / "node.crt", "cluster_tls.key": data / "node.key"}
    if token:
        own["cluster_join_token"] = token
    node = Node(folder, **own, **settings)
    if certificate:
        node.identity = re.search(r"Node ([0-9a-f-]{36})", issued.stdout).group(1)
    return node


def token_of(cluster, *arguments):
    token = cluster.command("add", "--token-only", *arguments).stdout.strip()
    assert re.fullmatch(r"cairn-join-[0-9a-f]{40}", token), token
    return token


# The link's protocol, as far as a liar needs it (actors/link/wire/frame.hpp, hello.hpp, actors/protocol/cluster_messages.hpp)

HEADER = ">IBBBBQIIIIII"


def varint(n):
    out = b""
    while n >= 128:
        out, n = out + bytes([n & 127 | 128]), n >> 7
    return out + bytes([n])


def text(t):
    return varint(len(t)) + t.encode()


def frame(kind, request=0, meta=b"", left=0):
    return struct.pack(HEADER, 0x43524E4C, 1, kind, 0, 0, request, len(meta), 0, 0, 0, left, 0) + meta


def hello(node, cluster=bytes(16), incarnation=1):
    return struct.pack(">HH", 1, 1) + cluster + text(NAME) + node + struct.pack(
        ">QIIBQQ", incarnation, LEVEL, 0, 0, int.from_bytes(os.urandom(8), "big"), 0)


def new_node(node, incarnation=1):
    return node + text("127.0.0.1:1") + text("") + varint(1000) + struct.pack(">Q", incarnation)


def read_frame(s):
    def exactly(n):
        data = b""
        while len(data) < n:
            piece = s.recv(n - len(data))
            if not piece:
                raise EOFError
            data += piece
        return data
    while True:
        head = struct.unpack(HEADER, exactly(40))
        meta = exactly(head[6])
        exactly(head[7])
        if head[2] != 4:  # no heartbeat
            return head[2], head[4], meta


class Liar:
    """Somebody who has the certificate of `node`, at the link of `to`."""

    def __init__(self, node, to):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        context.load_cert_chain(node.settings["cluster.tls.cert"], node.settings["cluster.tls.key"])
        port = int(to.settings["cluster.listen"].rpartition(":")[2])
        self.socket = context.wrap_socket(socket.create_connection(("127.0.0.1", port), 10))
        self.number = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def greet(self, node, **more):
        self.socket.sendall(frame(1, meta=hello(node, **more)))
        kind, _, meta = read_frame(self.socket)
        return kind == 2, meta

    def ask(self, kind, body):
        """(code, text): a code of 0 is success."""
        self.number += 1
        self.socket.sendall(frame(5, self.number, bytes([kind]) + body, 9000))
        _, code, meta = read_frame(self.socket)
        return code, meta


def tells(liar, *arguments, **more):
    try:
        return liar.greet(*arguments, **more)
    except (OSError, EOFError) as ended:
        return False, repr(ended).encode()


# Who gets in


def test_certificates_alone_found_a_cluster_together(make_cluster):
    cluster = make_cluster(0)
    for _ in range(3):
        n = newcomer(cluster).start(seconds=60)
        cluster.nodes.append(n)
    cluster.settled(3)
    assert numbers(cluster) == [0, 1, 2]
    token_of(cluster)  # the first invitation ends it
    late = newcomer(cluster).spawn()
    eventually(lambda: "waits for an operator" in late.log(), seconds=30, what="it waits")
    assert numbers(cluster) == [0, 1, 2]
    late.kill()


def test_without_a_founding_window_every_node_needs_a_token(make_cluster):
    cluster = make_cluster(1, cluster_founding_window="0s")
    late = newcomer(cluster).spawn()
    eventually(lambda: "waits for an operator" in late.log(), seconds=30, what="it waits")
    late.kill()


def test_a_token_lets_one_node_in_once(make_cluster):
    cluster = make_cluster(1)
    token = token_of(cluster)
    first = newcomer(cluster, token).start(seconds=60)
    cluster.nodes.append(first)
    assert numbers(cluster) == [0, 1]
    newcomer(cluster, token).refuses_to_start("is not known: it was used before")
    newcomer(cluster, "cairn-join-" + "0" * 40).refuses_to_start("is not known")
    assert numbers(cluster) == [0, 1]
    first.stop()  # a member needs no token to come back
    first.settings.pop("cluster.join_token")
    first.write_config()
    first.start(seconds=60)
    assert numbers(cluster) == [0, 1]
    for node in cluster.nodes:
        assert token not in node.log(), "secrets are not logged"


def test_tokens_end(make_cluster):
    cluster = make_cluster(1)
    token = token_of(cluster, "--expires", "1s")
    late = newcomer(cluster, token)
    time.sleep(1.5)
    late.refuses_to_start("has expired")
    assert cluster.command("add", "--token-only", "--expires", "0s", check=False).returncode == 2


def test_an_operator_lets_in_a_node_that_waits(make_cluster):
    cluster = make_cluster(2)
    waiting = newcomer(cluster).spawn()
    eventually(lambda: cluster.status(cluster.leader())["waiting"], seconds=30, what="it is shown")
    assert [w["id"] for w in cluster.status()["waiting"]] == [waiting.identity]
    shown = cluster.command("status").stdout
    assert f"`cairn cluster add {waiting.identity}` admits it" in shown, shown
    assert waiting.admin("/health/ready").status == 503
    assert numbers(cluster) == [0, 1], "no number before"
    said = cluster.command("add", waiting.identity).stdout
    assert "may join" in said
    eventually(lambda: waiting.admin("/health/ready").status == 200, seconds=60, what="it is let in")
    cluster.nodes.append(waiting)
    eventually(lambda: numbers(cluster) == [0, 1, 2] and not cluster.status()["waiting"], seconds=60, what="a member")


def test_an_approval_is_one_nodes_alone(make_cluster):
    cluster = make_cluster(1)
    meant = newcomer(cluster)
    cluster.command("add", meant.identity)
    other = newcomer(cluster).spawn()
    eventually(lambda: "waits for an operator" in other.log(), seconds=30, what="the other one waits")
    other.kill()
    cluster.nodes.append(meant.start(seconds=60))
    assert numbers(cluster) == [0, 1]


def test_plaintext_nodes_need_a_token(make_cluster):
    cluster = make_cluster(1, tls=False)
    token = token_of(cluster)
    newcomer(cluster, certificate=False).refuses_to_start("needs cluster.join_token")
    cluster.nodes.append(newcomer(cluster, token, certificate=False).start(seconds=60))
    newcomer(cluster, token, certificate=False).refuses_to_start("is not known")
    assert numbers(cluster) == [0, 1]


# Who does not


@pytest.fixture
def with_removed(make_cluster):
    """Three members; a fourth was drained and removed while it was away, so that it does not know."""
    cluster = make_cluster(4)
    gone = cluster.nodes[3]
    number = cluster.status(gone)["self"]
    cluster.command("drain", number)

    def empty():
        mine = next(n for n in cluster.status()["nodes"] if n["number"] == number)
        return mine["partitions_owned"] == 0
    eventually(empty, seconds=120, every=0.3, what="nothing left on the drained node")
    gone.identity = (gone.folder / "data/node").read_text().split()[2]
    gone.kill()
    cluster.command("remove", number)
    cluster.gone = gone
    return cluster


def test_a_removed_node_does_not_come_back_whatever_it_says(with_removed):
    cluster, gone = with_removed, with_removed.gone
    own, before = uuid.UUID(gone.identity).bytes, numbers(cluster)
    cluster_id = uuid.UUID(cluster.status()["id"]).bytes
    member = uuid.UUID(cluster.status()["nodes"][1]["id"]).bytes
    to = cluster.nodes[0]
    with Liar(gone, to) as liar:
        assert tells(liar, own)[0], "a stranger may ask to join"
        code, said = liar.ask(JOIN, bytes([1]) + new_node(own) + text(NAME))
        assert code != 0 and b"was removed" in said, said
        code, said = liar.ask(JOIN, bytes([1]) + new_node(os.urandom(16)) + text(NAME))
        assert code != 0 and b"claims to be node" in said, said
        code, said = liar.ask(JOIN, bytes([1]) + new_node(member) + text(NAME))
        assert code != 0 and b"claims to be node" in said, said
        for kind in (REPORT, MEMBERS, SUBMIT, 1, 3, 4, 7, 16, 17, 18):
            code, said = liar.ask(kind, b"\1")
            assert code != 0 and b"only members" in said, (kind, said)
    for claimed, home in ((member, bytes(16)), (member, cluster_id), (os.urandom(16), bytes(16))):
        with Liar(gone, to) as liar:
            taken, said = tells(liar, claimed, cluster=home)
            assert not taken, said
    def none_of_the_cluster(): # once the log has let go of it
        with Liar(gone, to) as liar:
            return not tells(liar, own, cluster=cluster_id)[0]
    eventually(none_of_the_cluster, seconds=30, what="its identity is refused")
    # With a token that it stole: its own identity is refused all the same, and nobody else's is its to use.
    token = token_of(cluster)
    shutil.rmtree(gone.folder / "data/metadata")
    for kept in ("cluster", "refused"):
        (gone.folder / "data" / kept).unlink(missing_ok=True)
    gone.settings["cluster.join_token"] = token
    gone.settings["cluster.join"] = [n.settings["cluster.listen"] for n in cluster.nodes[:3]]
    gone.write_config()
    gone.refuses_to_start("is missing, but this node is a member of a cluster")
    for left in (gone.folder / "data").iterdir():
        if left.name not in ("node", "incarnation", "ca.crt", "node.crt", "node.key"):
            shutil.rmtree(left) if left.is_dir() else left.unlink()
    gone.refuses_to_start("was removed from the cluster")
    # And with an empty data directory, of which it is somebody else: its certificate is still its own.
    saved = gone.folder / "saved"
    saved.mkdir()
    for name in ("ca.crt", "node.crt", "node.key"):
        shutil.copy(gone.folder / "data" / name, saved)
        gone.settings["cluster.tls." + {"ca.crt": "ca", "node.crt": "cert", "node.key": "key"}[name]] = saved / name
    shutil.rmtree(gone.folder / "data")
    gone.write_config()
    gone.refuses_to_start("was issued for node")
    assert numbers(cluster) == before
    assert cluster.command("add", gone.identity, check=False).returncode != 0, "nor may an operator let it in by mistake"
    # The token was not used up by that.
    late = newcomer(cluster, token).start(seconds=60)
    cluster.nodes[3] = late
    assert numbers(cluster) == before + [4]


def test_a_member_speaks_for_itself_only(make_cluster):
    cluster = make_cluster(3)
    leader = cluster.leader()
    liar_node = next(n for n in cluster.nodes if n is not leader)
    victim = next(n for n in cluster.nodes if n not in (leader, liar_node))
    by_id = {(n.folder / "data/node").read_text().split()[2]: n for n in cluster.nodes}
    ids = {n: uuid.UUID(i).bytes for i, n in by_id.items()}
    cluster_id = uuid.UUID(cluster.status()["id"]).bytes
    liar_node.stop()
    count = int((liar_node.folder / "data/incarnation").read_text().split()[2]) + 1
    with Liar(liar_node, leader) as liar:
        assert tells(liar, ids[liar_node], cluster=cluster_id, incarnation=count)[0]
        lie = new_node(ids[victim], incarnation=2**39) + struct.pack(">QQQQQQ", 0, 0, 0, 0, 1, 0) + b"\1" + bytes(8) + b"\0\0\0"
        code, said = liar.ask(REPORT, bytes([1]) + lie)
        assert code != 0 and b"claims to be node" in said, said
        session = bytes([1, 0]) + ids[victim] + struct.pack(">Q", 2**39)  # begin_session of the victim
        code, said = liar.ask(SUBMIT, bytes([1]) + varint(1) + varint(len(session)) + session)
        assert code == 0 and b"claims to be node" in said, said
    assert victim.put("/files/a", b"a").status == 200
    victim.stop()  # had one of the lies been believed, it could not come back
    victim.start(seconds=60)
    liar_node.start(seconds=60)
    cluster.settled(3)


def test_members_that_never_came_up_do_not_stop_repair(tmp_path, make_cluster):
    # On a file system of its own: nodes are not taken out either when the others' file systems are nearly full.
    with small_file_system(tmp_path / "cluster0", "tmpfs", 4096):
        cluster = make_cluster(4, cluster_down_out_after="10s")
        assert cluster.folder == tmp_path / "cluster0"
        ghosts = []
        for _ in range(2):
            ghost = newcomer(cluster, token_of(cluster))
            ghosts.append(ghost)
            with Liar(ghost, cluster.nodes[0]) as liar:
                own = uuid.UUID(ghost.identity).bytes
                assert tells(liar, own)[0]
                token = ghost.settings["cluster.join_token"]
                code, said = liar.ask(JOIN, bytes([2]) + new_node(own) + text(NAME) + proof(token, own))
                assert code == 0, said
        eventually(lambda: len(numbers(cluster)) == 6, what="both are in the leader's layout")
        victim = next(n for n in cluster.nodes if n is not cluster.leader())
        number = cluster.status(victim)["self"]
        victim.kill()

        def out():
            return next(n for n in cluster.status()["nodes"] if n["number"] == number)["state"] == "out"
        eventually(out, seconds=60, every=0.3, what="the dead one is out, though three of six are away")
        cluster.stop()


def proof(token, node):
    return hmac.new(hashlib.sha256(token.encode()).digest(), b"cairn join " + node, hashlib.sha256).digest()


def known_at_their_addresses(cluster):
    def known():
        return [n["address"] for n in cluster.status()["nodes"]] == [n.settings["cluster.listen"] for n in cluster.nodes]
    eventually(known, seconds=30, what="the new addresses")


def move(node, address):
    node.settings["cluster.listen"] = address
    node.write_config()


def test_members_are_reached_at_new_addresses(make_cluster):
    cluster = make_cluster(3)
    assert cluster.nodes[0].put("/files/a", b"before").status == 200
    for node in cluster.nodes:  # also the founder, and whoever leads
        node.stop()
        move(node, f"127.0.0.1:{free_port()}")
        node.start(seconds=60)
        known_at_their_addresses(cluster)
    cluster.settled(3)
    # Two of three swap theirs: the third has no majority without one of them.
    first, second = cluster.nodes[1:]
    was = [n.settings["cluster.listen"] for n in (first, second)]
    for node in (first, second):
        node.stop()
    move(first, was[1])
    move(second, was[0])
    for node in (first, second):
        node.spawn()
    for node in (first, second):
        eventually(node.ready, seconds=60, what="ready at the swapped addresses")
    known_at_their_addresses(cluster)
    cluster.settled(3)
    for node in cluster.nodes:
        assert node.get("/files/a").body == b"before"


def test_all_members_move_at_once_to_the_addresses_in_their_configuration(make_cluster):
    cluster = make_cluster(3)
    assert cluster.nodes[0].put("/files/a", b"before").status == 200
    cluster.stop()
    fresh = [f"127.0.0.1:{free_port()}" for _ in cluster.nodes]
    for node, address in zip(cluster.nodes, fresh):
        node.settings["cluster.join"] = fresh
        move(node, address)
        node.spawn()
    for node in cluster.nodes:
        eventually(node.ready, seconds=60, what="ready at the new addresses")
    known_at_their_addresses(cluster)
    cluster.settled(3)
    assert cluster.nodes[2].get("/files/a").body == b"before"


def test_the_printed_configuration_lets_a_node_in(make_cluster):
    cluster = make_cluster(1)
    printed = cluster.command("add", "127.0.0.1").stdout
    assert re.search(r'join_token = "cairn-join-[0-9a-f]{40}"', printed), printed
    assert 'advertise = "127.0.0.1:9100"' in printed
