"""A cluster that is asked for more than it has: too little memory, too much load. It refuses cleanly, never hangs, and is back
at once."""
import http.client
import random
import threading
import time

import pytest

from cairn_node import MIB, eventually
from cluster_load import content


class Clients:
    """Threads that put and get; what is answered is exact or a clean refusal."""

    def __init__(self, cluster, size):
        self.cluster, self.size = cluster, size
        self.bodies = [content(f"body{i}", size) for i in range(8)]
        self.stored = []  # (key, number of its body)
        self.lock = threading.Lock()
        self.wrong = []
        self.served, self.refused = [], []  # moments

    def fill(self, count):
        for i in range(count):
            key = f"/files/base-{i}"
            node = self.cluster.nodes[i % len(self.cluster.nodes)]
            eventually(lambda: node.put(key, self.bodies[i % 8]).status == 200, seconds=60, every=0.2, what="an upload")
            self.stored.append((key, i % 8))

    def note(self, what, *details):
        with self.lock:
            self.wrong.append((what, *details))

    def one(self, node, rng, connection=None):
        """One request; True when it was served."""
        if rng.random() < 0.5:
            key, number = rng.choice(self.stored)
            answer = self.ask(node, "GET", key, None, connection)
            good = answer is not None and answer.status == 200
            if good and answer.body != self.bodies[number]:
                self.note("wrong bytes", key, len(answer.body))
        else:
            number = rng.randrange(8)
            key = f"/files/new-{rng.getrandbits(48):x}"
            answer = self.ask(node, "PUT", key, self.bodies[number], connection)
            good = answer is not None and answer.status == 200
            if good:
                with self.lock:
                    self.stored.append((key, number))
        with self.lock:
            (self.served if good else self.refused).append(time.monotonic())
        return good

    def ask(self, node, method, key, body, connection):
        try:
            answer = node.request(method, key, body, connection=connection, timeout=60)
        except (OSError, http.client.HTTPException) as failure:
            self.note("broken", method, repr(failure))
            return None
        if answer.status == 503:
            if not answer.header("retry-after"):
                self.note("no Retry-After", method, answer)
        elif answer.status != 200:
            self.note("refused as", method, answer)
        return answer

    def rate(self, seconds):
        """Requests a second that were served in the last seconds."""
        now = time.monotonic()
        return sum(1 for t in self.served if t > now - seconds) / seconds

    def steadily(self, threads, until):
        """A closed loop: each client asks again when it was answered, and waits after a refusal."""
        def work(number):
            rng = random.Random(number)
            nodes = self.cluster.nodes
            while not until.is_set():
                if not self.one(nodes[rng.randrange(len(nodes))], rng):
                    until.wait(0.2)
        started = [threading.Thread(target=work, args=(n,), daemon=True) for n in range(threads)]
        for t in started:
            t.start()
        return started

    def check(self, node):
        assert not self.wrong, (len(self.wrong), self.wrong[:3])
        for key, number in self.stored:
            answer = node.get(key)
            assert answer.status == 200 and answer.body == self.bodies[number], (key, answer.status)


def join(threads):
    for t in threads:
        t.join(120)
        assert not t.is_alive(), "a client hangs"


def idle(cluster):
    """All memory went home."""
    for n in cluster.nodes:
        eventually(lambda: n.metric("cairn_buffer_bytes") == 0 and n.metric("cairn_buffer_waiters") == 0 and
                   n.metric("cairn_active_uploads") == 0 and n.metric("cairn_active_downloads") == 0,
                   seconds=60, what="no memory is held")


@pytest.mark.parametrize("chunk", [1, 8])
def test_all_upload_through_all_with_the_least_memory_there_can_be(make_cluster, chunk):
    cluster = make_cluster(3, limits_memory="32MiB", limits_cache="0", storage_chunk_size=f"{chunk}MiB", storage_segment_size="128MiB")
    clients = Clients(cluster, 2 * chunk * MIB + 77)
    clients.fill(6)
    done = []

    def work(number):
        rng = random.Random(number)
        for _ in range(6):  # each of them must get through in the end
            deadline = time.monotonic() + 120
            while not clients.one(cluster.nodes[number % 3], rng):
                if time.monotonic() > deadline:
                    return
                time.sleep(0.1 + rng.random() / 2)
        done.append(number)

    threads = [threading.Thread(target=work, args=(n,), daemon=True) for n in range(36)]
    for t in threads:
        t.start()
    for t in threads:
        t.join(300)
    assert not clients.wrong, (len(clients.wrong), clients.wrong[:3])
    assert len(done) == 36, f"{36 - len(done)} clients did not get through; {len(clients.refused)} were refused"
    idle(cluster)
    cluster.settled(3)
    clients.check(cluster.nodes[0])


def test_three_times_the_load_and_then_one(make_cluster):
    cluster = make_cluster(3, limits_memory="32MiB")
    clients = Clients(cluster, MIB)
    clients.fill(24)
    over = threading.Event()
    steady = clients.steadily(6, over)
    time.sleep(6)
    holds = clients.rate(4)
    over.set()
    join(steady)
    assert not clients.wrong, clients.wrong[:3]
    assert len(clients.refused) < len(clients.served) / 20, "what it holds is not refused"

    # Requests come three times as often as they were served, whether or not earlier ones were answered.
    flood, rng, begun = [], random.Random(7), time.monotonic()
    for i in range(int(holds * 3 * 8)):
        wait = begun + i / (holds * 3) - time.monotonic()
        if wait > 0:
            time.sleep(wait)
        flood = [t for t in flood if t.is_alive()] if i % 64 == 0 else flood
        if len(flood) >= 600:
            continue  # as many as this client can have
        t = threading.Thread(target=clients.one, args=(cluster.nodes[i % 3], random.Random(rng.getrandbits(32))), daemon=True)
        t.start()
        flood.append(t)
    under = clients.rate(4)
    refused = len(clients.refused)

    # One again: the flood's requests that wait are part of what it has to get over.
    over, ended = threading.Event(), time.monotonic()
    steady = clients.steadily(6, over)
    best = 0
    while time.monotonic() < ended + 10 and best < 0.6 * holds:
        time.sleep(0.5)
        if time.monotonic() > ended + 2:
            best = max(best, clients.rate(2))
    over.set()
    join(steady + flood)
    print(f"holds {holds:.0f}/s; three times that: {under:.0f}/s served, {refused} refused; after it {best:.0f}/s "
          f"{time.monotonic() - ended:.1f} s")
    assert best >= 0.6 * holds, f"{best:.0f}/s after it, {holds:.0f}/s before"
    idle(cluster)
    cluster.settled(3)
    clients.check(cluster.nodes[1])
