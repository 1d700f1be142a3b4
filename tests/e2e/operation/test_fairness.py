"""One client beside another: whatever a client holds, trickles, or does not read, with or without a key, the others' requests
succeed. How long they take is measured by `./dev bench fairness`."""
import os
import socket
import subprocess
import time

import pytest

from cairn_node import BINARY, KIB, MIB, Node, eventually, in_threads
from crowd import CROWDS, FLOODS, Crowd, Flood, HandshakeCrowd, Victim, head
from signing import ACCESS, SECRET

LONGEST = 10.0  # seconds a request of the victim may take: a machine under test is busy, a deadline takes longer


def check(victim):
    assert not victim.failures, (len(victim.failures), len(victim.times), victim.failures[:3])
    assert max(victim.times) < LONGEST, sorted(victim.times)[-5:]


@pytest.fixture
def crowded(start_node):
    node = start_node(limits_memory="64MiB", limits_cache="0", limits_connections=512, auth_root_access_key=ACCESS, auth_root_secret_key=SECRET)
    victim = Victim(node)
    victim.prepare()
    assert node.request("PUT", "/files/o", os.urandom(4 * MIB)).status == 200
    yield node, victim
    check(victim)
    eventually(lambda: node.metric("cairn_buffer_bytes") == 0, 20, what="all memory is back")


@pytest.mark.parametrize("crowd", CROWDS)
def test_a_crowd_of_connections_fails_none_of_anothers_requests(crowded, crowd):
    node, victim = crowded
    with Crowd(node, **CROWDS[crowd](node)):
        victim.use(4)
        assert node.admin("/health/live").status == 200


@pytest.mark.parametrize("flood", FLOODS)
def test_all_that_64_connections_send_or_fetch_fails_none_of_anothers_requests(crowded, flood):
    node, victim = crowded
    with Flood(node, *FLOODS[flood]):
        victim.use(2)
        assert node.admin("/health/live").status == 200


@pytest.fixture
def secure(tmp_path):
    node = Node(tmp_path / "node", limits_connections=512).encrypt().start()
    yield node
    node.stop()


def use(node, seconds):
    times, until = [], time.monotonic() + seconds
    while time.monotonic() < until:
        begun = time.monotonic()
        assert node.get("/files").status == 200
        times.append(time.monotonic() - begun)
    assert len(times) > 10 and max(times) < LONGEST, sorted(times)[-5:]


def test_half_done_handshakes_fail_none_of_anothers_requests(secure):
    hello = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"  # of a longer record
    with Crowd(secure, first=lambda i: hello if i % 2 else b""):
        use(secure, 4)


def test_handshakes_again_and_again_fail_none_of_anothers_requests(secure):
    with HandshakeCrowd(secure) as crowd:
        use(secure, 4)
    crowd.check_pace()


def test_silent_connections_do_not_block_the_admin_port(start_node):
    node = start_node()
    held = []
    for _ in range(200):
        s = socket.create_connection(("127.0.0.1", node.admin_port))
        held.append(s)
    for s in held[100:]:
        s.sendall(b"GET /met")
    for _ in range(20):
        assert node.admin("/health/live").status == 200
        assert node.admin("/metrics").status == 200
    for s in held:
        s.close()


def test_uploads_that_send_nothing_hold_no_memory(crowded):
    node, victim = crowded
    held = [node.socket() for _ in range(200)]
    for i, s in enumerate(held):
        s.sendall(head(node, "PUT", f"/files/u{i}", 64 * MIB) + b"x" * 100)
    eventually(lambda: node.metric("cairn_active_uploads") == 200, 10, what="all are under way")
    assert node.metric("cairn_buffer_bytes") == 0
    victim.use(1)
    for s in held:
        s.close()


def test_a_slow_reader_and_a_slow_sender_are_ended_by_the_minimum_rate(start_node):
    node = start_node(limits_transfer_rate_min="64KiB", limits_transfer_rate_window="1s")
    node.put("/files/o", os.urandom(16 * MIB))
    sender, reader, steady = node.socket(), node.socket(receive_buffer=4096), node.socket()
    sender.sendall(head(node, "PUT", "/files/slow", MIB))
    steady.sendall(head(node, "PUT", "/files/steady", 96 * 10 * KIB))
    reader.sendall(head(node, "GET", "/files/o"))
    sender.setblocking(False)
    answered = b""
    for i in range(96):
        steady.sendall(b"x" * 10 * KIB)
        try:
            if not answered:
                sender.send(b"x")
                answered = sender.recv(4096)
        except OSError:
            pass
        time.sleep(0.05)
    assert b" 408 " in answered and b"<Code>RequestTimeout</Code>" in answered, answered
    assert steady.recv(100).startswith(b"HTTP/1.1 200")  # 200 KiB a second
    eventually(lambda: node.metric("cairn_http_slow_transfers_closed_total") == 2, 10, what="the reader is cut off")
    for s in (sender, reader, steady):
        s.close()


@pytest.mark.parametrize("reads", [4 * KIB, 12 * KIB])
def test_a_slow_link_lives_while_memory_is_short(start_node, reads):
    """Beside clients of the same address that do not read. Its socket takes nothing for longer than they are given."""
    node = start_node(limits_memory="32MiB", limits_cache="0")
    content = os.urandom(8 * MIB)
    assert node.put("/files/o", content).status == 200
    slow = node.socket(receive_buffer=4096)
    slow.sendall(head(node, "GET", "/files/o"))
    got = b""
    with Crowd(node, first=lambda i: head(node, "GET", "/files/o")):
        until = time.monotonic() + 24
        while time.monotonic() < until:
            more = slow.recv(reads)
            assert more, "it was cut off"
            got += more
            time.sleep(0.25)
        assert node.metric("cairn_http_transfers_reclaimed_total") > 0, "memory was short, and the others were ended"
    while len(got.partition(b"\r\n\r\n")[2]) < len(content):
        more = slow.recv(MIB)
        assert more, "it was cut off"
        got += more
    assert got.partition(b"\r\n\r\n")[2] == content


def test_a_slow_reader_above_the_minimum_rate_outlives_the_idle_timeout(start_node):
    """Its socket takes nothing in the meantime: what it has taken lasts for minutes. 3 KiB a second."""
    node = start_node(http_idle_timeout="4s", limits_transfer_rate_window="12s")
    content = os.urandom(8 * MIB)
    assert node.put("/files/o", content).status == 200
    slow = node.socket(receive_buffer=4096)
    slow.sendall(head(node, "GET", "/files/o"))
    got, until = b"", time.monotonic() + 27
    while time.monotonic() < until:
        got += slow.recv(768)
        time.sleep(0.25)
    while more := slow.recv(MIB):
        got += more
        if len(got) > len(content) and len(got.partition(b"\r\n\r\n")[2]) == len(content):
            break
    assert got.partition(b"\r\n\r\n")[2] == content


def test_the_list_of_buckets_costs_no_more_than_their_names(start_node):
    node = start_node()
    rule = "<Rule><ID>%d</ID><Status>Enabled</Status><Prefix>" + "p" * 900 + "</Prefix><Expiration><Days>9</Days></Expiration></Rule>"
    rules = "<LifecycleConfiguration>" + "".join(rule % i for i in range(200)) + "</LifecycleConfiguration>"
    for i in range(60):
        assert node.request("PUT", f"/b{i:03}").status == 200
        assert node.request("PUT", f"/b{i:03}?lifecycle", rules).status == 200
    before = node.memory()

    def list_all(_):
        for _ in range(4):
            answer = node.get("/")
            assert answer.status == 200 and answer.body.count(b"<Bucket>") == 61
    in_threads(16, list_all)
    assert node.memory() - before < 48 * MIB


def ready(node):
    eventually(node.ready, 20, what="ready")


def test_connections_fit_the_descriptors(tmp_path):
    """1,024 of them, which is all that the process may have; strangers open more."""
    node = Node(tmp_path / "node")
    with open(node.log_path, "ab") as log:
        node.process = subprocess.Popen(["/bin/sh", "-c", 'ulimit -n 1024; exec "$@"', "x", BINARY, "serve", "--config",
                                         str(node.config)],
                                        stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=node.folder)
    ready(node)
    assert "limits.connections lowered" in node.log()
    assert node.request("PUT", "/files").status in (200, 409)
    assert node.put("/files/k", os.urandom(2 * MIB)).status == 200
    held = []
    for _ in range(1000):
        try:
            held.append(node.socket(timeout=2))
        except OSError:
            break
    for _ in range(10):
        assert node.admin("/health/live").status == 200
        assert node.get("/files/k").status == 200
    for s in held:
        s.close()
    node.stop()


def test_a_preflight_does_not_multiply_what_an_owner_stored(start_node):
    node = start_node()
    rule = "<AllowedHeader>b*</AllowedHeader>" * 1900
    document = ("<CORSConfiguration><CORSRule><AllowedOrigin>*</AllowedOrigin><AllowedMethod>GET</AllowedMethod>" + rule +
                "<AllowedHeader>*</AllowedHeader></CORSRule></CORSConfiguration>")
    assert node.request("PUT", "/files?cors", document).status == 200

    def asked(names):
        return node.request("OPTIONS", "/files/x", headers={"Origin": "http://e", "Access-Control-Request-Method": "GET",
                                                            "Access-Control-Request-Headers": names})
    assert asked("a," * 7000).status == 200
    assert asked(",".join(f"x{i}" for i in range(2000))).status == 400
    assert asked("x-amz-date, authorization").status == 200
