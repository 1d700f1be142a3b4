"""An upgrade of three nodes, one after the other, while clients read and write: none of their requests fails. Requests go only to nodes
whose /health/ready said 200 a moment ago, as a load balancer sends them, and none is sent a second time."""
import http.client
import os
import random
import select
import subprocess
import threading
import time

from cairn_node import BINARY, KIB, MIB
from cluster_load import content

CHECK_EVERY = 0.25
SIZES = (100, 20 * KIB, 300 * KIB, 2 * MIB + 17)


class Balancer:
    """Asks each node every CHECK_EVERY seconds whether it is ready."""

    def __init__(self, nodes):
        self.nodes, self.ready = nodes, set()
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._check, args=(n,), daemon=True) for n in nodes]

    def _check(self, node):
        while not self._stop.wait(CHECK_EVERY):
            if node.running() and node.ready():
                self.ready.add(node)
            else:
                self.ready.discard(node)

    def __enter__(self):
        self.ready.update(self.nodes)
        for t in self._threads:
            t.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        for t in self._threads:
            t.join()


class Clients:
    """Threads that keep a connection to each node and store, read, list and delete objects."""

    def __init__(self, balancer, threads=6):
        self.balancer, self.failures, self.done, self.stored = balancer, [], 0, {}
        self._stop, self._lock = threading.Event(), threading.Lock()
        self._threads = [threading.Thread(target=self._work, args=(n,), daemon=True) for n in range(threads)]

    def __enter__(self):
        for t in self._threads:
            t.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        for t in self._threads:
            t.join(60)

    def _work(self, number):
        rng, connections, own = random.Random(number), {}, []
        while not self._stop.is_set():
            node = rng.choice(list(self.balancer.ready))
            method, key, body = self._next(rng, number, own)
            connection = connections.setdefault(node, node.connect())
            # As clients with a pool do: what the server has closed meanwhile is not used.
            if connection.sock is not None and select.select([connection.sock], [], [], 0)[0]:
                connection.close()
            began = time.monotonic()
            try:
                answer = node.request(method, key, body, connection=connection)
                said = self._wrong(method, key, answer)
            except (OSError, http.client.HTTPException) as failure:
                said = repr(failure)
            with self._lock:
                self.done += 1
                if said:
                    self.failures.append((method, key, node.folder.name, f"{time.monotonic() - began:.2f} s", said))
            if said:
                connection.close()
            elif method == "PUT":
                own.append(key)
            elif method == "DELETE":
                own.remove(key)

    def _next(self, rng, number, own):
        turn = rng.random()
        if not own or turn < 0.3:
            size = rng.choice(SIZES)
            key = f"/files/up-{number}-{rng.getrandbits(40):x}"
            self.stored[key] = size
            return "PUT", key, content(key, size)
        if turn < 0.4:
            return "DELETE", rng.choice(own), None
        return ("GET", "/files?list-type=2&max-keys=10", None) if turn < 0.5 else ("GET", rng.choice(own), None)

    def _wrong(self, method, key, answer):
        if answer.status != (204 if method == "DELETE" else 200):
            return str(answer)
        if method == "GET" and "?" not in key and answer.body != content(key, self.stored[key]):
            return "other bytes"
        return None


def previous_program(folder):
    """Of the package in CAIRN_PREVIOUS_PACKAGE. Without one the nodes are restarted with the program that they had."""
    package = os.environ.get("CAIRN_PREVIOUS_PACKAGE")
    if not package:
        return BINARY
    subprocess.run(["dpkg-deb", "-x", package, folder], check=True)
    return str(folder / "usr/bin/cairn")


def test_an_upgrade_of_three_nodes_fails_no_request(make_cluster, tmp_path):
    cluster = make_cluster(3, node_stop_delay="2s", program=previous_program(tmp_path / "previous"))
    with Balancer(cluster.nodes) as balancer, Clients(balancer) as clients:
        time.sleep(3)
        for node in cluster.nodes:
            node.stop()
            node.program = BINARY
            node.start(seconds=60)
            cluster.settled(3)
        time.sleep(3)
    assert not clients.failures, (len(clients.failures), clients.done, clients.failures[:10])
    print(f"{clients.done} requests, none failed")
    assert clients.done > 300
