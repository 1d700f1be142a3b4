"""A client who uses a node as one does, and crowds of connections that somebody else keeps open beside him."""
import http.client
import os
import selectors
import signal
import socket
import ssl
import struct
import subprocess
import sys
import threading
import time

from cairn_node import BINARY, MIB, eventually
from signing import Signer, content_md5, sha256

CROWD = 600  # more than the connections of the node
class Victim:
    """Somebody with a key of his own who uses the node as one does."""

    def __init__(self, node):
        self.node, self.host = node, f"127.0.0.1:{node.http_port}"
        self.object = os.urandom(MIB)
        self.failures, self.times = [], []

    def ask(self, method, path, body=b"", timeout=30):
        more = content_md5(body) if method == "POST" else {}
        headers = Signer().headers(method, self.host, path, sha256(body), **more)
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

    def use(self, seconds, pause=0.02, at_least=24):
        until, n = time.monotonic() + seconds, 0
        while n < at_least or time.monotonic() < until:
            self.once(n)
            n += 1
            time.sleep(pause)

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
            for _ in range(50 if self.opened < self.count else 10):
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


class HandshakeCrowd:
    """TLS handshakes of somebody at 127.0.0.2: a client's hello, the node's answer with its signature, the end, and again. They
    cost him next to nothing. A process of its own, which yields to others: elsewhere it would not take the node's processors."""

    def __init__(self, node, count=400, port=None):
        self.command = [sys.executable, __file__, str(port or node.http_port), str(count)]
        self.answered = 0

    def __enter__(self):
        self.begun = time.monotonic()
        self.process = subprocess.Popen(self.command, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout.readline() == "begun\n"
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        self.answered = int(self.process.communicate(timeout=30)[0])
        self.seconds = time.monotonic() - self.begun

    def check_pace(self):
        """The node computed a bounded number of signatures for it: 64, then 32 a second."""
        assert 50 < self.answered < 100 + 32 * self.seconds, (self.answered, self.seconds)


class Flood:
    """Somebody whose 64 connections send or fetch all that the node takes or gives. A process that yields to others: elsewhere it
    would not take the node's processors."""

    def __init__(self, node, command, path, *arguments):
        self.command = ["nice", "-n", "19", BINARY, "bench", command, node.url(path), "--clients", "64", "--requests", "1000000", *arguments]

    def __enter__(self):
        self.process = subprocess.Popen(self.command, stdout=subprocess.DEVNULL)
        time.sleep(1)
        assert self.process.poll() is None
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()


def shake_hands(port, count):
    over = []
    signal.signal(signal.SIGTERM, lambda *_: over.append(True))
    os.nice(10)
    sent = ssl.MemoryBIO()
    context = ssl.create_default_context()
    try:
        context.wrap_bio(ssl.MemoryBIO(), sent, server_hostname="localhost").do_handshake()
    except ssl.SSLWantReadError:
        pass
    hello, answered, waiting, begun = sent.read(), 0, selectors.DefaultSelector(), False

    def begin():
        try:
            s = socket.create_connection(("127.0.0.1", port), timeout=5, source_address=("127.0.0.2", 0))
            s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # closing leaves no TIME_WAIT
            s.sendall(hello)
            waiting.register(s, selectors.EVENT_READ)
        except OSError:
            pass

    while not over:
        for _ in range(min(50, count - len(waiting.get_map()))):
            begin()
        if not begun:
            begun = True
            print("begun", flush=True)
        for key, _ in waiting.select(0.1):
            try:
                answered += bool(key.fileobj.recv(65536))
            except OSError:
                pass
            waiting.unregister(key.fileobj)
            key.fileobj.close()
    print(answered)


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
    "multi-deletes that trickle": lambda node: dict(first=lambda i: head(
        node, "POST", "/files?delete", 900_000, ["Content-MD5: 1B2M2Y8AsgTpgAmY7PhCfg=="]) + b"<Delete>", drip=b" "),
    "settings that stop": lambda node: dict(first=lambda i: head(node, "PUT", "/files?lifecycle", 200_000) + b"<" + b" " * 30_000),
}

FLOODS = {
    "uploads of 4 MiB": ("source", "/files/flood", "--size", "4MiB"),
    "uploads of 64 KiB": ("source", "/files/flood", "--size", "64KiB"),
    "uploads of 1 KiB": ("source", "/files/flood", "--size", "1KiB"),
    "downloads of 4 MiB": ("sink", "/files/o"),
}

if __name__ == "__main__":
    shake_hands(int(sys.argv[1]), int(sys.argv[2]))
