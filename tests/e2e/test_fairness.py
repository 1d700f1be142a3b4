"""One client beside another: whatever a client holds, trickles, or does not read, with or without a key, the others' requests
succeed, and within a time that no wait for memory, no deadline and no refusal fits into."""
import http.client
import os
import socket
import ssl
import subprocess
import threading
import time

import pytest

from cairn_node import BINARY, KIB, MIB, Node, eventually, in_threads
from signing import ACCESS, SECRET, Signer, sha256
from test_tls import certificate

CROWD = 600  # more than the connections of the node
LONGEST = 2.0  # seconds a request of the victim may take: a machine under test is busy, a wait for memory takes longer


class Victim:
    """Somebody with a key of his own who uses the node as one does."""

    def __init__(self, node):
        self.node, self.host = node, f"127.0.0.1:{node.http_port}"
        self.object = os.urandom(MIB)
        self.failures, self.times = [], []

    def ask(self, method, path, body=b"", timeout=30):
        headers = Signer().headers(method, self.host, path, sha256(body))
        return self.node.request(method, path, body, headers, timeout=timeout)

    def prepare(self):
        assert self.ask("PUT", "/victim").status == 200
        assert self.ask("PUT", "/victim/o", self.object).status == 200
        for i in range(20):
            assert self.ask("PUT", f"/victim/small{i}", b"x").status == 200

    def once(self, n):
        calls = (("GET", "/victim/o", b""), ("PUT", f"/victim/n{n % 5}", self.object), ("GET", "/victim?list-type=2", b""),
                 ("GET", "/", b""), ("PUT", f"/victim/s{n % 5}", b"small"), ("GET", "/victim/small3", b""),
                 ("POST", "/victim?delete=", b"<Delete><Object><Key>gone</Key></Object></Delete>"),
                 ("HEAD", "/victim/o", b""))
        method, path, body = calls[n % len(calls)]
        begun = time.monotonic()
        try:
            answer = self.ask(method, path, body)
            if answer.status != 200:
                self.failures.append((method, path, answer))
            elif path == "/victim/o" and method == "GET" and answer.body != self.object:
                self.failures.append((method, path, "other bytes"))
        except (OSError, http.client.HTTPException) as failure:
            self.failures.append((method, path, repr(failure)))
        self.times.append(time.monotonic() - begun)

    def use(self, seconds, pause=0.02):
        until, n = time.monotonic() + seconds, 0
        while time.monotonic() < until:
            self.once(n)
            n += 1
            time.sleep(pause)

    def check(self):
        assert not self.failures, (len(self.failures), len(self.times), self.failures[:3])
        assert len(self.times) >= 16
        assert max(self.times) < LONGEST, sorted(self.times)[-5:]


class Crowd:
    """Connections that somebody else opens, again when they are closed, and keeps as they are."""

    def __init__(self, node, first, count=CROWD, drip=None, receive_buffer=4096, wrap=None):
        self.node, self.first, self.count, self.drip = node, first, count, drip
        self.receive_buffer, self.wrap = receive_buffer, wrap
        self.over, self.opened = threading.Event(), 0
        self.thread = threading.Thread(target=self.run)

    def open(self, i):
        s = self.node.socket(timeout=5, receive_buffer=self.receive_buffer)
        self.opened += 1
        data = self.first(i)
        if data:
            s.sendall(data)
        s.setblocking(False)
        return s

    def dead(self, s):
        """Whether the node has closed it; what it sent stays unread."""
        try:
            return s.recv(1, socket.MSG_PEEK) == b""
        except BlockingIOError:
            return False
        except OSError:
            return True

    def run(self):
        held = []
        while not self.over.is_set():
            for _ in range(50):
                if len(held) < self.count:
                    try:
                        held.append(self.open(len(held)))
                    except OSError:
                        break
            kept = []
            for s in held:
                if self.dead(s):
                    s.close()
                    continue
                if self.drip:
                    try:
                        s.send(self.drip)
                    except BlockingIOError:
                        pass
                    except OSError:
                        s.close()
                        continue
                kept.append(s)
            held = kept
            self.over.wait(0.1)
        for s in held:
            s.close()

    def __enter__(self):
        self.thread.start()
        eventually(lambda: self.opened >= min(self.count, 300), 20, what="the crowd is there")
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()


@pytest.fixture
def crowded(start_node):
    node = start_node(limits_memory="64MiB", limits_connections=512, auth_root_access_key=ACCESS, auth_root_secret_key=SECRET)
    victim = Victim(node)
    victim.prepare()
    assert node.request("PUT", "/files/o", os.urandom(4 * MIB)).status == 200
    yield node, victim
    victim.check()
    eventually(lambda: node.metric("cairn_buffer_bytes") == 0, 20, what="all memory is back")


def head(node, method, path, length=None, headers=()):
    lines = [f"{method} {path} HTTP/1.1", f"Host: 127.0.0.1:{node.http_port}", *headers]
    if length is not None:
        lines.append(f"Content-Length: {length}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


CROWDS = {
    "silent": lambda node: dict(first=lambda i: b""),
    "half a head": lambda node: dict(first=lambda i: b"GET /files", drip=b"x"),
    "idle after a request": lambda node: dict(first=lambda i: head(node, "GET", "/files/none")),
    "an upload's first byte": lambda node: dict(first=lambda i: head(node, "PUT", f"/files/u{i}", MIB * 64) + b"x"),
    "uploads that stop": lambda node: dict(first=lambda i: head(node, "PUT", f"/files/u{i}", MIB * 64) + b"x" * 9000),
    "uploads that trickle": lambda node: dict(first=lambda i: head(node, "PUT", f"/files/u{i}", MIB * 64) + b"x" * 9000, drip=b"x"),
    "chunked uploads that stop": lambda node: dict(
        first=lambda i: head(node, "PUT", f"/files/u{i}", headers=["Transfer-Encoding: chunked"]) + b"ffff\r\n" + b"x" * 5000),
    "downloads that nobody reads": lambda node: dict(first=lambda i: head(node, "GET", "/files/o")),
    "listings that nobody reads": lambda node: dict(first=lambda i: head(node, "GET", "/files?list-type=2") * 40),
    "multi-deletes that trickle": lambda node: dict(first=lambda i: head(node, "POST", "/files?delete", 900_000) + b"<Delete>", drip=b" "),
    "settings that stop": lambda node: dict(first=lambda i: head(node, "PUT", "/files?lifecycle", 200_000) + b"<" + b" " * 30_000),
}


@pytest.mark.parametrize("crowd", CROWDS)
def test_a_crowd_of_connections_fails_none_of_anothers_requests(crowded, crowd):
    node, victim = crowded
    with Crowd(node, **CROWDS[crowd](node)):
        victim.use(4)
        assert node.admin("/health/live").status == 200


def ready(node):
    def asked():
        try:
            return node.admin("/health/ready").status == 200
        except OSError:
            return False
    eventually(asked, 20, what="ready")


@pytest.fixture
def secure(tmp_path):
    cert, key = certificate(tmp_path, "node")
    node = Node(tmp_path / "node", limits_connections=512)
    node.config.write_text(node.config.read_text() + f'\n[http.tls]\ncert = "{cert}"\nkey = "{key}"\n')
    ready(node.spawn())
    yield node
    node.stop()


def test_half_done_handshakes_fail_none_of_anothers_requests(secure):
    node = secure
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    hello = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"  # of a longer record
    times = []
    with Crowd(node, first=lambda i: hello if i % 2 else b""):
        until = time.monotonic() + 4
        while time.monotonic() < until:
            begun = time.monotonic()
            c = http.client.HTTPSConnection("127.0.0.1", node.http_port, timeout=20, context=context)
            c.request("GET", "/")
            assert c.getresponse().status == 200
            c.close()
            times.append(time.monotonic() - begun)
    assert len(times) > 10 and max(times) < LONGEST, sorted(times)[-5:]


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


def test_connections_fit_the_descriptors(tmp_path):
    """1,024 of them, which is all that the process may have; strangers open more."""
    node = Node(tmp_path / "node")
    with open(node.log_path, "ab") as log:
        node.process = subprocess.Popen(["/bin/sh", "-c", 'ulimit -n 1024; exec "$@"', "x", BINARY, "serve", "--config",
                                         str(node.config)],
                                        stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=node.folder)
    ready(node)
    assert "limits.connections lowered" in node.log()
    assert node.request("PUT", "/files").status == 200
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
    assert asked(",".join(f"x{i}" for i in range(3000))).status == 400
    assert asked("x-amz-date, authorization").status == 200
