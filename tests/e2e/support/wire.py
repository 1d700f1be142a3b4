"""Raw sockets: bytes out, answers in, nothing corrected on the way."""
import re
import socket
import time

from cairn_node import Answer


class Wire:
    def __init__(self, node, timeout=20, receive_buffer=None):
        self.s = node.socket(timeout, receive_buffer)
        self.buffer = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.s.close()

    def send(self, data):
        self.s.sendall(data)
        return self

    def receive(self):
        """Empty at the end of the stream; a reset counts as one."""
        try:
            return self.s.recv(1 << 16)
        except ConnectionResetError:
            return b""

    def more(self):
        data = self.receive()
        self.buffer += data
        return bool(data)

    def head(self):
        """Status line and headers of the next answer; None when the connection ends instead."""
        while b"\r\n\r\n" not in self.buffer:
            if not self.more():
                assert not self.buffer, f"half a head: {self.buffer!r}"
                return None
        text, self.buffer = self.buffer.split(b"\r\n\r\n", 1)
        lines = text.decode("latin-1").split("\r\n")
        status = int(re.match(r"HTTP/1\.1 (\d{3}) ", lines[0] + " ").group(1))
        headers = {}
        for line in lines[1:]:
            name, value = line.split(":", 1)
            headers[name.lower()] = value.strip()
        return Answer(status, headers, b"")

    def body(self, length):
        pieces, have = [self.buffer], len(self.buffer)
        while have < length and (data := self.receive()):
            pieces.append(data)
            have += len(data)
        whole = b"".join(pieces)
        self.buffer = whole[length:]
        return whole[:length]

    def answer(self, head_only=False):
        answer = self.head()
        if answer is None:
            return None
        if answer.status >= 200 and answer.status not in (204, 304) and not head_only:
            answer.body = self.body(int(answer.header("content-length")))
        return answer

    def closed(self, within=10):
        """Whether the server ends the connection (without another byte) in this time."""
        self.s.settimeout(within)
        try:
            return not self.buffer and not self.more() and not self.buffer
        except socket.timeout:
            return False

    def silent(self, within=1):
        """Whether nothing more comes in this time; the end of the connection counts as nothing."""
        self.s.settimeout(within)
        try:
            return not self.buffer and not self.more()
        except socket.timeout:
            return True


def exchange(node, data, timeout=20):
    """One connection, these bytes, the first answer."""
    with Wire(node, timeout) as w:
        return w.send(data).answer()


def request_bytes(method, target, headers=(), body=b""):
    lines = [f"{method} {target} HTTP/1.1", "Host: 127.0.0.1"] + [f"{n}: {v}" for n, v in headers]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


def timed(call):
    start = time.monotonic()
    value = call()
    return value, time.monotonic() - start
