"""kill -9 under load: what was acknowledged is there and exact, what was not is absent or whole."""
import hashlib
import http.client
import random
import threading
import time

from cairn_node import MIB, eventually

KILLS = 50
WRITERS, KEYS_EACH = 4, 6
SIZES = (0, 100, 4096, 5000, 70000, MIB, 2 * MIB + 77)
ABSENT = None


def content(version, size):
    return hashlib.sha256(b"%d" % version).digest() * (size // 32 + 1) if size else b""


class Key:
    """What the checker knows of one key. Each is written by one thread, one request at a time."""

    def __init__(self, name):
        self.name = name
        self.acknowledged = ABSENT  # (version, size)
        self.pending = []           # sent and not answered: [value]
        self.answers = self.cut_off = 0

    def allowed(self):
        return [self.acknowledged, *self.pending]


def write_until_killed(node, keys, seed, stopped):
    rng = random.Random(seed)
    connection = node.connect(timeout=20)
    while not stopped.is_set():
        key = rng.choice(keys)
        value = ABSENT if rng.random() < 0.25 else (rng.getrandbits(40), rng.choice(SIZES))
        key.pending = [value]
        try:
            if value is ABSENT:
                connection.request("DELETE", f"/files/{key.name}")
            else:
                connection.request("PUT", f"/files/{key.name}", content(*value)[:value[1]])
            answer = connection.getresponse()
            answer.read()
        except (OSError, http.client.HTTPException):
            return
        assert answer.status in (200, 204), (key.name, answer.status)
        key.acknowledged, key.pending = value, []
        key.answers += 1


def read_until_killed(node, keys, seed, stopped):
    rng = random.Random(seed)
    connection = node.connect(timeout=20)
    while not stopped.is_set():
        try:
            connection.request("GET", f"/files/{rng.choice(keys).name}")
            connection.getresponse().read()
        except (OSError, http.client.HTTPException):
            return


def check(node, keys):
    listed = set(node.keys("files"))
    connection = node.connect()
    for key in keys:
        key.cut_off += len(key.pending)
        answer = node.request("GET", f"/files/{key.name}", connection=connection)
        assert answer.status in (200, 404), (key.name, answer)
        for value in key.allowed():
            if value is ABSENT:
                holds = answer.status == 404
            else:
                holds = answer.status == 200 and answer.body == content(*value)[:value[1]]
            if holds:
                key.acknowledged, key.pending = value, []
                break
        else:
            size = len(answer.body) if answer.status == 200 else "none"
            raise AssertionError(f"{key.name}: {answer.status}, {size} bytes, allowed {key.allowed()}")
        assert (key.name in listed) == (key.acknowledged is not ABSENT), key.name
    connection.close()
    assert listed <= {k.name for k in keys}


def test_fifty_kills_under_load_lose_and_invent_nothing(start_node):
    node = start_node(storage_segment_size="16MiB")
    rng = random.Random(20)
    keys = [Key(f"w{w}-{k}") for w in range(WRITERS) for k in range(KEYS_EACH)]
    failures = []
    for kill in range(KILLS):
        stopped = threading.Event()

        def guarded(work, *arguments):
            try:
                work(*arguments)
            except BaseException as failure:  # noqa: BLE001 (raised below)
                failures.append(failure)

        threads = [threading.Thread(target=guarded, args=(write_until_killed, node, keys[w * KEYS_EACH:(w + 1) * KEYS_EACH], kill * 10 + w, stopped))
                   for w in range(WRITERS)]
        threads.append(threading.Thread(target=guarded, args=(read_until_killed, node, keys, kill, stopped)))
        for t in threads:
            t.start()
        time.sleep(rng.uniform(0.02, 0.5))
        node.kill()
        stopped.set()
        for t in threads:
            t.join()
        assert not failures, failures[0]
        if rng.random() < 0.2:  # killed again while it recovers
            node.spawn()
            time.sleep(rng.uniform(0.005, 0.1))
            node.kill()
        node.start()
        check(node, keys)
    answers, cut_off = sum(k.answers for k in keys), sum(k.cut_off for k in keys)
    assert answers > 500 and cut_off > KILLS, f"too little was going on: {answers} answers, {cut_off} requests cut off"
    for key in keys:
        assert node.delete(f"/files/{key.name}").status == 204
    # Leftovers of interrupted uploads are collected by the log's word: in the end nothing is left.
    eventually(lambda: node.metric("cairn_disk_chunks") == 0, 60, what="the leftovers of killed uploads are deleted")
    eventually(lambda: node.disk_bytes() <= 32 * MIB, 20, what="their space is given back")
    node.stop()
    checked = node.cairn("storage", "check", "--config", node.config, "--deep")
    assert checked.returncode == 0, checked.stdout + checked.stderr
