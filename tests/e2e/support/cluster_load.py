"""Clients that write to a cluster while something happens to it, and know what was acknowledged."""
import http.client
import random
import threading
import time

from cairn_node import KIB, MIB, eventually

SIZES = (100, 20 * KIB, 20 * KIB, 300 * KIB, 2 * MIB + 17)


def content(seed, size):
    return random.Random(seed).randbytes(size)


class Load:
    """Threads that put objects through the running nodes in turn. What was answered 200 must be there at the end, byte by
    byte; what was not may be there, but then as it was sent."""

    def __init__(self, cluster, threads=4, prefix="load", nodes=None):
        self.cluster, self.prefix, self.nodes = cluster, prefix, nodes
        self.acknowledged, self.uncertain, self.refused = {}, {}, 0
        self.gap, self._last = 0.0, None  # the longest time without an acknowledgement
        self.surprises = []
        self._stop, self._lock = threading.Event(), threading.Lock()
        self._threads = [threading.Thread(target=self._write, args=(n,), daemon=True) for n in range(threads)]

    def __enter__(self):
        for t in self._threads:
            t.start()
        return self

    def __exit__(self, failed, *_):
        self._stop.set()
        if not failed:
            self.stop()

    def stop(self):
        self._stop.set()
        for t in self._threads:
            t.join(120)
            assert not t.is_alive(), "a client hangs"
        assert not self.surprises, self.surprises[:5]

    def count(self):
        return len(self.acknowledged)

    def more(self, count=20, seconds=60):
        """Waits until so many more were acknowledged."""
        goal = self.count() + count
        eventually(lambda: self.count() >= goal, seconds=seconds, what=f"{count} more writes")

    def _write(self, number):
        i = 0
        while not self._stop.is_set():
            nodes = [n for n in self.nodes or self.cluster.nodes if n.running()]
            if not nodes:
                time.sleep(0.05)
                continue
            node = nodes[(i + number) % len(nodes)]
            key, size = f"/files/{self.prefix}-{number}-{i}", SIZES[(i + number) % len(SIZES)]
            i += 1
            try:
                status = node.request("PUT", key, content(key, size), timeout=30).status
            except (OSError, http.client.HTTPException):
                status = None
            with self._lock:
                if status == 200:
                    self.acknowledged[key] = size
                    now = time.monotonic()
                    if self._last is not None:
                        self.gap = max(self.gap, now - self._last)
                    self._last = now
                elif status is None:
                    self.uncertain[key] = size
                else:
                    self.refused += 1
                    if status not in (503, 507):
                        self.surprises.append((key, status))
            if status != 200:
                time.sleep(0.02)

    def check(self, nodes):
        """Each acknowledged object through one of the nodes in turn."""
        connections = [n.connect(timeout=60) for n in nodes]
        for i, (key, size) in enumerate(sorted(self.acknowledged.items())):
            node, connection = nodes[i % len(nodes)], connections[i % len(nodes)]
            answer = node.request("GET", key, connection=connection)
            assert answer.status == 200, (node.folder.name, key, answer)
            assert answer.body == content(key, size), (node.folder.name, key, len(answer.body), size)
        for i, (key, size) in enumerate(sorted(self.uncertain.items())):
            answer = nodes[i % len(nodes)].request("GET", key)
            assert answer.status == 404 or (answer.status == 200 and answer.body == content(key, size)), (key, answer.status)
        for c in connections:
            c.close()
