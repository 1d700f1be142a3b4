"""The cache of chunks: hot bytes without reads, one read for all that ask, bounded memory, damage on disks."""
import os
import random
import signal
import subprocess

import pytest

from cairn_node import MIB, eventually, in_threads
from wire import Wire, request_bytes


def reads(node):
    return node.metric("cairn_chunk_reads_total")


def test_a_second_download_reads_nothing_and_a_range_of_it_neither(start_node):
    node = start_node(limits_cache="128MiB")
    body = os.urandom(20 * MIB + 12345)
    node.put("/files/hot", body)
    assert node.get("/files/hot").body == body
    before = reads(node)
    assert before == 21
    assert node.metric("cairn_cache_misses_total") == 21
    assert node.get("/files/hot").body == body
    for _ in range(20):
        first = random.randrange(len(body))
        last = random.randrange(first, len(body))
        assert node.get("/files/hot", Range=f"bytes={first}-{last}").body == body[first:last + 1]
    assert reads(node) == before
    assert node.metric("cairn_cache_hits_total") >= 21 + 20
    assert 20 * MIB <= node.metric("cairn_cache_bytes") <= node.metric("cairn_cache_limit_bytes") == 128 * MIB


def test_sixty_four_downloads_of_a_cold_object_read_its_chunks_once(start_node, tmp_path):
    size = 256
    node = start_node(limits_cache="512MiB", storage_segment_size="512MiB")
    source = tmp_path / "source"
    source.write_bytes(os.urandom(size * MIB))
    up = subprocess.run(["curl", "-sSf", "-T", str(source), node.url("/files/cold")], capture_output=True, timeout=120)
    assert up.returncode == 0, up.stderr
    source.unlink()
    assert reads(node) == 0

    def download(_):
        out = subprocess.run(["curl", "-sSf", "-o", "/dev/null", "-w", "%{size_download}", node.url("/files/cold")],
                             capture_output=True, timeout=240)
        assert out.returncode == 0 and int(out.stdout) == size * MIB, out
    in_threads(64, download)
    assert reads(node) <= 1.02 * size
    hits, joined = node.metric("cairn_cache_hits_total"), node.metric("cairn_cache_joined_total")
    assert joined > 0 and hits + joined + node.metric("cairn_cache_misses_total") == 64 * size


def test_downloads_go_on_when_the_one_that_reads_for_them_is_cut_off(start_node):
    node = start_node(limits_cache="64MiB", debug_read_delay="100ms")
    body = os.urandom(8 * MIB)
    node.put("/files/slow", body)

    def work(i):
        if i % 2 == 0:
            with Wire(node) as w:  # asks, and leaves in the middle of the first reads
                w.send(request_bytes("GET", "/files/slow"))
                w.head()
            return
        assert node.get("/files/slow").body == body
    in_threads(12, work)
    eventually(lambda: node.metric("cairn_active_downloads") == 0, what="the downloads end")
    assert reads(node) <= 8 + 6 * 2, "each that leaves costs its window at most"


def test_memory_is_bounded_by_both_limits_and_a_reload_gives_the_cache_back(start_node, tmp_path):
    cache, memory, size = 192 * MIB, 64 * MIB, 768
    node = start_node(limits_cache="192MiB", limits_memory="64MiB", storage_segment_size="512MiB")
    source = tmp_path / "source"
    source.write_bytes(os.urandom(size * MIB))
    for key in ("one", "two"):
        up = subprocess.run(["curl", "-sSf", "-T", str(source), node.url(f"/files/{key}")], capture_output=True, timeout=120)
        assert up.returncode == 0, up.stderr
    source.unlink()
    small = {f"small{i}": os.urandom(1000 + 137 * i) for i in range(300)}
    for key, body in small.items():
        node.put(f"/files/{key}", body)

    def download(i):
        out = subprocess.run(["curl", "-sSf", "-o", "/dev/null", "-r", f"{i * 1000000}-", node.url(f"/files/{['one', 'two'][i % 2]}")],
                             capture_output=True, timeout=240)
        assert out.returncode == 0, out
    in_threads(4, download)
    for key, body in small.items():
        assert node.get(f"/files/{key}").body == body
    assert node.metric("cairn_cache_evictions_total") > 0
    used = node.metric("cairn_cache_bytes")
    assert cache / 2 < used <= cache
    assert node.memory("VmHWM") <= memory + cache + 64 * MIB
    full = node.memory()
    assert full > cache / 2

    node.settings["limits.cache"] = "0"
    node.write_config()
    node.process.send_signal(signal.SIGHUP)
    eventually(lambda: node.metric("cairn_cache_bytes") == 0, what="the cache is emptied")
    assert node.metric("cairn_cache_limit_bytes") == 0
    eventually(lambda: node.memory() < full - used / 2, what="its memory goes back to the system")
    before = reads(node)
    download(0)
    assert reads(node) > before
    assert node.metric("cairn_cache_bytes") == 0


@pytest.mark.parametrize("cache", ["0", "64MiB"])
def test_slow_clients_that_hold_the_whole_cache_do_not_keep_others_from_reading(start_node, cache):
    node = start_node(limits_cache=cache, limits_memory="32MiB")
    bodies = [os.urandom(8 * MIB) for _ in range(24)]
    for i, body in enumerate(bodies):
        node.put(f"/files/{i}", body)
    held = []
    for i in range(24):
        s = node.socket(receive_buffer=16384)
        s.sendall(request_bytes("GET", f"/files/{i}"))
        held.append(s)
    for i, body in enumerate(bodies):
        assert node.get(f"/files/{i}").body == body
    for s in held:
        s.close()
    eventually(lambda: node.metric("cairn_buffer_bytes") == 0, what="buffers are given back")


def test_what_is_cached_is_served_after_its_disk_has_damaged_it_and_the_scrub_finds_that(start_node):
    node = start_node(limits_cache="64MiB")
    body = os.urandom(3 * MIB)
    node.put("/files/k", body)
    assert node.get("/files/k").body == body
    for path in node.segments():
        data = path.read_bytes()
        at = data.find(body[1000:1064])
        if at >= 0:
            with open(path, "r+b") as f:
                f.seek(at)
                f.write(bytes(64))
                f.flush()
                os.fsync(f.fileno())
    assert node.get("/files/k").body == body, "these bytes were verified when they were read"
    node.stop()
    node.start()
    assert node.get("/files/k").status == 500
    eventually(lambda: node.metric("cairn_scrub_damaged_total") > 0, seconds=60, what="the scrub finds it")


def test_a_node_without_chunks_serves_hot_objects_without_asking_the_others(make_cluster):
    cluster = make_cluster(3, cluster_replicas=1, limits_cache="64MiB")
    node = cluster.nodes[0]
    body = os.urandom(16 * MIB)
    node.put("/files/hot", body)
    assert node.get("/files/hot").body == body
    before = node.metric("cairn_remote_reads_total")
    assert before > 0, "some of its chunks are on other nodes"
    assert node.get("/files/hot").body == body
    assert node.metric("cairn_remote_reads_total") == before
