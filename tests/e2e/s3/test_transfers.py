"""Large, many, slow and broken transfers; memory stays bounded and nothing leaks."""
import hashlib
import os
import selectors
import subprocess
import threading
import time

import pytest

from cairn_node import KIB, MIB, eventually, in_threads
from wire import Wire, request_bytes


def idle(node):
    """Nothing under way and every buffer given back."""
    return all(node.metric(m) == 0 for m in ("cairn_active_downloads", "cairn_active_uploads", "cairn_buffer_bytes", "cairn_buffer_waiters"))


class Pattern:
    """Endless bytes in which every MiB differs, cheap to make and to compare at any offset."""

    def __init__(self):
        self.block = os.urandom(MIB - 8)

    def piece(self, number):
        return number.to_bytes(8, "big") + self.block

    def matches(self, stream, size):
        left, number = size, 0
        while left:
            wanted = memoryview(self.piece(number))[:min(left, MIB)]
            got = stream.read(len(wanted))
            if got != wanted:
                return False
            left -= len(wanted)
            number += 1
        return stream.read(1) == b""


def test_a_large_object_goes_in_and_out_exactly_in_bounded_memory(start_node, tmp_path):
    size = (3072 if os.environ.get("CAIRN_LONG") else 768) * MIB
    node = start_node(limits_memory="128MiB", limits_cache="64MiB", storage_segment_size=f"{size // MIB // 3}MiB")
    pattern = Pattern()
    source = tmp_path / "big"
    digest = hashlib.md5()
    with open(source, "wb") as f:
        for number in range(size // MIB):
            piece = pattern.piece(number)
            digest.update(piece)
            f.write(piece)
    url = node.url("/files/big")
    up = subprocess.run(["curl", "-sSf", "-D", "-", "-o", "/dev/null", "-T", str(source), url], capture_output=True, timeout=240)
    assert up.returncode == 0, up.stderr
    source.unlink()
    assert digest.hexdigest().encode() in up.stdout
    down = subprocess.Popen(["curl", "-sSf", url], stdout=subprocess.PIPE, bufsize=0)
    with os.fdopen(os.dup(down.stdout.fileno()), "rb", buffering=MIB) as stream:
        assert pattern.matches(stream, size)
    down.stdout.close()
    assert down.wait(10) == 0
    middle = size // MIB * 2 // 3  # of three gibibytes: where 31 bits end
    ranged = node.get("/files/big", Range=f"bytes={middle * MIB - 3}-{middle * MIB + 5}")
    assert ranged.body == pattern.piece(middle - 1)[-3:] + pattern.piece(middle)[:6]
    assert node.memory("VmHWM") <= 128 * MIB + 64 * MIB + 64 * MIB
    eventually(lambda: idle(node), what="idle after the transfers")
    node.delete("/files/big")
    eventually(lambda: node.disk_bytes() <= size // 3 + 76 * MIB, 10, what="space comes back within 10 s")


def test_two_hundred_parallel_transfers_are_exact(start_node):
    node = start_node(limits_memory="64MiB", limits_cache="64MiB")

    def work(i):
        body = hashlib.sha256(b"%d" % i).digest() * (3 * MIB // 32) + b"%d" % i

        def retried(call):  # 503 SlowDown is an honest answer when 200 uploads want memory at once
            for _ in range(100):
                answer = call()
                if answer.status != 503:
                    return answer
                assert answer.header("retry-after")
                time.sleep(0.2)
            return answer

        stored = retried(lambda: node.request("PUT", f"/files/p{i}", body, timeout=120))
        assert stored.status == 200, stored
        fetched = retried(lambda: node.request("GET", f"/files/p{i}", timeout=120))
        assert fetched.status == 200 and fetched.body == body, i

    in_threads(200, work)
    assert len(node.keys("files")) == 200
    assert node.memory("VmHWM") <= 64 * MIB + 64 * MIB + 64 * MIB
    eventually(lambda: idle(node), what="idle after the transfers")


def read_slowly(wire, total, seconds):
    got, pause = [], seconds / max(1, total // (256 * KIB))
    left = total
    while left:
        piece = wire.body(min(left, 256 * KIB))
        assert piece, f"cut off with {left} bytes to come"
        got.append(piece)
        left -= len(piece)
        time.sleep(pause)
    return b"".join(got)


@pytest.mark.parametrize("change", ["overwrite", "delete", "churn"])
def test_a_download_ends_whole_and_exact_whatever_happens_to_its_object(start_node, change):
    node = start_node(limits_memory="64MiB")
    body = os.urandom(24 * MIB)
    node.put("/files/k", body)
    with Wire(node, timeout=30, receive_buffer=64 * KIB) as w:
        w.send(request_bytes("GET", "/files/k"))
        answer = w.head()
        first = w.body(MIB)
        if change == "overwrite":
            assert node.put("/files/k", os.urandom(24 * MIB)).status == 200
        elif change == "delete":
            assert node.delete("/files/k").status == 204
            assert node.get("/files/k").status == 404
        else:
            for _ in range(8):
                assert node.put("/files/k", os.urandom(8 * MIB)).status == 200
                assert node.delete("/files/k").status == 204
        rest = read_slowly(w, int(answer.header("content-length")) - len(first), 4)
        assert first + rest == body
    if change != "overwrite":
        eventually(lambda: node.metric("cairn_disk_chunks") == 0, 20, what="the chunks are deleted once nobody reads them")


def test_aborted_downloads_give_everything_back(start_node):
    node = start_node(limits_memory="64MiB")
    node.put("/files/k", os.urandom(32 * MIB))
    for close_early in range(60):
        with Wire(node, receive_buffer=16 * KIB) as w:
            w.send(request_bytes("GET", "/files/k"))
            if close_early % 3:
                w.head()
            if close_early % 3 == 2:
                w.body(MIB)
    eventually(lambda: idle(node), what="idle after the clients went away")
    assert node.metric("cairn_downloads_cancelled_total") >= 20
    assert len(node.get("/files/k").body) == 32 * MIB


def test_aborted_uploads_give_everything_back_and_leave_no_chunks(start_node):
    node = start_node(limits_memory="64MiB")
    for i in range(30):
        with Wire(node) as w:
            headers = [("Content-Length", 50 * MIB)] if i % 2 else [("Transfer-Encoding", "chunked")]
            data = os.urandom(i % 4 * MIB + 100)
            w.send(request_bytes("PUT", f"/files/k{i}", headers, data if i % 2 else b"%x\r\n" % len(data) + data))
            if i % 5 == 0:
                time.sleep(0.05)
    eventually(lambda: idle(node), what="idle after the clients went away")
    assert node.keys("files") == []
    eventually(lambda: node.metric("cairn_disk_chunks") == 0, 20, what="the leftovers are deleted")
    eventually(lambda: node.metric("cairn_disk_to_punch") == 0, 20, what="their space is given back")
    assert node.disk_bytes() <= 64 * MIB  # the segment that is being filled


class SlowReaders:
    """Many downloads of one object, each read a little at a time by one thread."""

    def __init__(self, node, count, target, body, receive_buffer):
        self.body, self.progress = body, [0] * count
        self.selector = selectors.DefaultSelector()
        self.failures = []
        for i in range(count):
            s = node.socket(receive_buffer=receive_buffer)
            s.sendall(request_bytes("GET", target))
            s.setblocking(False)
            self.selector.register(s, selectors.EVENT_READ, {"i": i, "head": b"", "started": False})

    def run(self, seconds, bytes_a_turn, pause):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            for key, _ in self.selector.select(0.1):
                self.read(key, bytes_a_turn)
            time.sleep(pause)

    def read(self, key, count):
        state = key.data
        data = key.fileobj.recv(count)
        if not data:
            self.failures.append((state["i"], "closed", state["head"]))
            self.selector.unregister(key.fileobj)
            return
        if not state["started"]:
            state["head"] += data
            if b"\r\n\r\n" not in state["head"]:
                return
            head, data = state["head"].split(b"\r\n\r\n", 1)
            state["started"] = True
            if not head.startswith(b"HTTP/1.1 200"):
                self.failures.append((state["i"], head, data))
        at = self.progress[state["i"]]
        if self.body[at:at + len(data)] != data:
            self.failures.append((state["i"], "wrong bytes at", at))
        self.progress[state["i"]] = at + len(data)

    def close(self):
        for key in list(self.selector.get_map().values()):
            key.fileobj.close()
        self.selector.close()


def test_two_hundred_slow_clients_all_progress_in_little_memory(start_node):
    node = start_node(limits_memory="32MiB", limits_cache="0")
    body = os.urandom(32 * MIB)
    node.put("/files/k", body)
    readers = SlowReaders(node, 200, "/files/k", body, 16 * KIB)
    seen = []
    try:
        for _ in range(3):
            before = list(readers.progress)
            readers.run(3, 64 * KIB, 0.02)
            assert not readers.failures, readers.failures[:3]
            stuck = [i for i, (a, b) in enumerate(zip(before, readers.progress)) if a == b]
            assert not stuck, f"{len(stuck)} of 200 made no progress"
            seen.append(node.metric("cairn_buffer_bytes"))
        assert max(seen) <= 32 * MIB
        assert node.memory("VmHWM") <= 32 * MIB + 64 * MIB
        fast = node.get("/files/k")  # and a fast client is still served beside them
        assert fast.status == 200 and fast.body == body
    finally:
        readers.close()
    eventually(lambda: idle(node), what="idle after the clients went away")


def test_uploads_that_stall_with_all_the_memory_are_ended_and_the_others_go_on(start_node):
    node = start_node(limits_memory="32MiB", http_idle_timeout="3s")
    stalled = [Wire(node) for _ in range(40)]
    for w in stalled:
        w.send(request_bytes("PUT", "/files/stalled", [("Content-Length", 10 * MIB)], b"x" * 1000))
    try:
        def patient(i):
            deadline = time.monotonic() + 20
            while (answer := node.put(f"/files/k{i}", os.urandom(2 * MIB))).status != 200:
                assert answer.status == 503 and answer.header("retry-after"), answer
                assert time.monotonic() < deadline, "the memory of stalled uploads does not come back"
                time.sleep(0.2)
        in_threads(4, patient)
        assert node.head("/files").status == 200
    finally:
        for w in stalled:
            w.close()
    eventually(lambda: idle(node), what="idle after the clients went away")
    assert node.keys("files") == [f"k{i}" for i in range(4)]


def test_readers_and_writers_of_the_same_keys_see_whole_objects_only(start_node):
    node = start_node()
    bodies = {size: hashlib.sha256(b"%d" % size).digest() * (size // 32) for size in (32, 3200, 320000, 3200000)}
    wholes = {hashlib.md5(b).hexdigest() for b in bodies.values()}
    node.put("/files/k", bodies[32])
    stop = threading.Event()

    def work(i):
        if i < 3:
            for n in range(60):
                assert node.put("/files/k", bodies[(32, 3200, 320000, 3200000)[(n + i) % 4]]).status == 200
            stop.set()
        else:
            while not stop.is_set():
                answer = node.get("/files/k")
                assert answer.status == 200
                assert hashlib.md5(answer.body).hexdigest() in wholes
                assert answer.header("etag").strip('"') == hashlib.md5(answer.body).hexdigest()

    in_threads(7, work)
