"""Full disks, damaged files, lost indexes."""
import http.client
import itertools
import os
import shutil
import subprocess
import time

import pytest

from cairn_node import MIB, Node, eventually
from damage import flip_bit
from disk_faults import small_file_system
from wire import Wire, request_bytes


@pytest.mark.parametrize("kind", ["tmpfs", "ext4"])
def test_a_full_disk_refuses_writers_serves_readers_and_recovers_after_a_delete(tmp_path, kind):
    with small_file_system(tmp_path / "disk", kind, 300) as disk:
        node = Node(tmp_path / "node", node_data_dir=str(disk / "data"), storage_segment_size="32MiB", storage_reserve="40MiB").start()
        try:
            bodies = {}
            for i in range(200):
                body = os.urandom(4 * MIB)
                answer = node.put(f"/files/k{i}", body)
                if answer.status != 200:
                    break
                bodies[f"k{i}"] = body
            assert (answer.status, answer.code()) == (507, "InsufficientStorage")
            assert len(bodies) >= 30, "the disk counts as full too early"
            for _ in range(3):
                assert node.put("/files/another", os.urandom(4 * MIB)).status == 507
            for key, body in bodies.items():
                assert node.get(f"/files/{key}").body == body
            assert node.keys("files") == sorted(bodies)
            for key in list(bodies)[:20]:
                assert node.delete(f"/files/{key}").status == 204
                del bodies[key]
            start = time.monotonic()
            eventually(lambda: node.put("/files/after", b"x" * 20 * MIB).status == 200, 10, 0.2, "room after the delete")
            assert time.monotonic() - start < 10
            assert node.get("/files/after").body == b"x" * 20 * MIB
            for key, body in bodies.items():
                assert node.get(f"/files/{key}").body == body
            node.stop()
            node.start()
            assert node.keys("files") == sorted([*bodies, "after"])
            node.stop()
        finally:
            if node.process:
                node.kill()


def limit_inodes(disk, count=None):
    status = os.statvfs(disk)
    used = status.f_files - status.f_ffree
    subprocess.run(["mount", "-o", f"remount,nr_inodes={count or used}", disk], check=True)


@pytest.mark.parametrize("others", [0, 1])
def test_a_chunk_disk_without_inodes_is_treated_as_one_without_room(tmp_path, others):
    with small_file_system(tmp_path / "disk", "tmpfs", 300) as disk:
        folders = [str(disk / "chunks"), *(str(tmp_path / f"other{i}") for i in range(others))]
        node = Node(tmp_path / "node", storage_disks=folders, storage_reserve="8MiB", storage_segment_size="16MiB").start()
        numbers = itertools.count()

        def put():
            return node.put(f"/files/k{next(numbers)}", os.urandom(4 * MIB)).status

        def ready():
            return node.admin("/health/ready")
        try:
            assert put() == 200 and ready().status == 200
            limit_inodes(disk)
            statuses = set()
            eventually(lambda: statuses.add(put()) or node.metric("cairn_disk_full", disk=folders[0]) == 1, seconds=20,
                       what="no segment can be made")
            assert shutil.disk_usage(disk).free > 64 * MIB
            if others:
                assert statuses | {put() for _ in range(20)} == {200} and ready().status == 200
            else:
                assert statuses == {200, 507}
                eventually(lambda: ready().status == 503, what="it is not ready")
                assert b"no disk has room" in ready().body
                time.sleep(7)  # it tries in vain
                assert ready().status == 503 and put() == 507
            assert node.get("/files/k0").status == 200
            limit_inodes(disk, 100_000)
            eventually(lambda: node.metric("cairn_disk_full", disk=folders[0]) == 0, what="it has room again")
            assert ready().status == 200 and {put() for _ in range(5)} == {200}
            node.stop()
        finally:
            if node.process:
                node.kill()


def test_a_flipped_bit_in_the_first_chunk_is_a_500_with_metric_and_log_line(start_node):
    node = start_node()
    body = os.urandom(3 * MIB)
    node.put("/files/damaged.bin", body)
    node.put("/files/fine.bin", body[::-1])
    flip_bit(node, body[1000:1064])
    for _ in range(2):
        answer = node.get("/files/damaged.bin")
        assert (answer.status, answer.code()) == (500, "InternalError")
    assert node.metric("cairn_chunks_corrupt_total") >= 1
    line = next(l for l in node.log().splitlines() if "damaged.bin" in l)
    assert "files" in line and "chunk" in line
    assert node.get("/files/fine.bin").body == body[::-1]
    assert node.get("/files/damaged.bin", Range="bytes=2000000-2000009").body == body[2000000:2000010]
    assert node.put("/files/damaged.bin", body).status == 200
    assert node.get("/files/damaged.bin").body == body


def test_a_node_alone_finds_damage_before_a_reader_does(start_node):
    node = start_node()
    body = os.urandom(3 * MIB)
    node.put("/files/damaged.bin", body)
    node.put("/files/fine.bin", body[::-1])
    flip_bit(node, body[1000:1064])
    node.stop()
    node.start()  # begins to read what is there
    eventually(lambda: node.metric("cairn_scrub_damaged_total") > 0, seconds=60, what="the scrub finds it")
    assert "the scrub found a damaged chunk, and this node has no other copy" in node.log()
    assert node.metric("cairn_chunks_corrupt_total") == 0, "nobody has read it"
    answer = node.get("/files/damaged.bin")
    assert answer.status == 500 and b"damaged" in answer.body, answer
    # What nobody needs any more is no finding.
    assert node.delete("/files/damaged.bin").status == 204
    node.stop()
    node.start()
    eventually(lambda: node.metric("cairn_scrubbed_bytes_total") >= 3 * MIB, seconds=60, what="another pass")
    assert node.metric("cairn_scrub_damaged_total") == 0


@pytest.mark.parametrize("chunk", [1, 2])
def test_a_flipped_bit_in_a_later_chunk_breaks_the_transfer_and_never_gives_wrong_bytes(start_node, chunk):
    node = start_node()
    body = os.urandom(3 * MIB)
    node.put("/files/damaged.bin", body)
    flip_bit(node, body[chunk * MIB + 500000:chunk * MIB + 500064])
    with Wire(node) as w:
        w.send(request_bytes("GET", "/files/damaged.bin"))
        answer = w.head()
        if answer.status == 200:
            got = w.body(len(body))
            assert len(got) < len(body)
            assert body.startswith(got)
            assert w.closed()
        else:
            assert answer.status == 500
    assert "damaged.bin" in node.log()
    eventually(lambda: node.metric("cairn_buffer_bytes") == 0, what="buffers are given back")


def test_a_damaged_record_header_is_an_error_not_wrong_bytes(start_node):
    node = start_node()
    body = os.urandom(MIB)
    node.put("/files/k", body)
    path = node.segments()[0]
    data = path.read_bytes()
    payload = data.find(body[:64])
    with open(path, "r+b") as f:  # the page before the payload is the record's header
        f.seek(payload - 4096 + 16)
        f.write(bytes(b ^ 0xFF for b in data[payload - 4096 + 16:payload - 4096 + 24]))
    node.stop()
    node.start()
    assert node.get("/files/k").status == 500


def test_bytes_of_a_user_can_not_pass_for_a_record(start_node):
    """A body that is a copy of a segment file comes back as it is, and a rebuilt index does not contain it."""
    node = start_node()
    node.put("/files/a", os.urandom(MIB))
    node.stop()
    segment = node.segments()[0].read_bytes()[:3 * MIB]
    node.start()
    node.put("/files/b", segment)
    assert node.get("/files/b").body == segment
    chunks = node.metric("cairn_disk_chunks")
    node.stop()
    for index in node.folder.glob("data/disk0/index"):
        shutil.rmtree(index)
    rebuilt = node.cairn("storage", "rebuild-index", "--config", node.config)
    assert rebuilt.returncode == 0, rebuilt.stdout + rebuilt.stderr
    node.start()
    assert node.metric("cairn_disk_chunks") == chunks
    assert node.get("/files/b").body == segment


def test_a_lost_index_is_rebuilt_from_the_segments(start_node):
    node = start_node(storage_segment_size="16MiB")
    bodies = {f"k{i}": os.urandom(5 * MIB + i) for i in range(8)}
    for key, body in bodies.items():
        node.put(f"/files/{key}", body)
    node.stop()
    indexes = list(node.folder.glob("data/disk0/index"))
    assert indexes
    shutil.rmtree(indexes[0])
    node.spawn()

    def told():
        return "rebuild-index" in node.log()
    eventually(told, what="a log line that names the remedy")
    if node.running():
        node.kill()
    rebuilt = node.cairn("storage", "rebuild-index", "--config", node.config)
    assert rebuilt.returncode == 0, rebuilt.stdout + rebuilt.stderr
    node.start()
    for key, body in bodies.items():
        assert node.get(f"/files/{key}").body == body


def test_storage_check_finds_damage_and_refuses_while_the_node_runs(start_node):
    node = start_node()
    body = os.urandom(2 * MIB)
    node.put("/files/k", body)
    assert node.cairn("storage", "check", "--config", node.config).returncode == 1
    node.stop()
    assert node.cairn("storage", "check", "--config", node.config, "--deep").returncode == 0
    flip_bit(node, body[1000:1064])
    found = node.cairn("storage", "check", "--config", node.config, "--deep")
    assert found.returncode == 1
    assert b"segment" in found.stdout + found.stderr


def test_a_standalone_node_whose_disk_is_not_mounted_does_not_start_with_an_empty_one(start_node):
    node = start_node()
    large, small = os.urandom(4 * MIB), os.urandom(1000)
    node.put("/files/large", large)
    node.put("/files/small", small)
    node.stop()
    disk, known = node.folder / "data/disk0", node.folder / "data/disks"
    mounted = disk.with_name("elsewhere")
    disk.rename(mounted)
    lines = known.read_text()
    for mount_point in (False, True):
        for older in (False, True):  # a build that kept no list ran before
            known.unlink(missing_ok=True)
            if not older:
                known.write_text(lines)
            node.refuses_to_start(f"the disk {disk} is missing, but objects have chunks on it", 30)
            assert not disk.exists() or not list(disk.iterdir())
        disk.mkdir(exist_ok=True)
    disk.rmdir()
    mounted.rename(disk)
    node.start()
    assert node.get("/files/large").body == large
    assert known.read_text() == lines
    node.stop()

    # It is lost for good.
    shutil.rmtree(disk)
    node.refuses_to_start("is missing", 30)
    known.write_text("")
    node.start()
    assert node.get("/files/small").body == small and node.get("/files/large").status == 500
    assert node.put("/files/large", large).status == 200
    node.stop()
    node.start()
    assert node.get("/files/large").body == large and known.read_text() == lines


def test_a_missing_disk_is_left_out_and_a_further_one_is_not_missing(start_node, tmp_path):
    disks = [tmp_path / f"disk{i}" for i in range(3)]
    node = start_node(storage_disks=[str(d) for d in disks[:2]])
    bodies = [os.urandom(4 * MIB) for _ in range(6)]
    for i, body in enumerate(bodies):
        node.put(f"/files/k{i}", body)
    node.stop()
    disks[1].rename(tmp_path / "elsewhere")
    disks[1].mkdir()
    node.start()
    assert f"the disk {disks[1]} is missing" in node.log()
    for i in range(6):
        assert node.put(f"/files/new{i}", bodies[i]).status == 200
    assert not list(disks[1].iterdir())
    node.stop()
    disks[1].rmdir()
    (tmp_path / "elsewhere").rename(disks[1])
    node.start()
    for i, body in enumerate(bodies):
        assert node.get(f"/files/k{i}").body == body and node.get(f"/files/new{i}").body == body
    node.stop()
    node.settings["storage.disks"] = [str(d) for d in disks]
    node.write_config()
    node.start()
    assert (disks[2] / "disk").exists()
    for i, body in enumerate(bodies):
        assert node.get(f"/files/k{i}").body == body


def test_a_disk_that_is_lost_takes_its_chunks_out_not_the_node(start_node, tmp_path):
    disks = [tmp_path / f"disk{i}" for i in range(2)]
    node = start_node(storage_disks=[str(d) for d in disks])
    small = os.urandom(1000)
    node.put("/files/small", small)
    bodies = [os.urandom(4 * MIB) for _ in range(6)]
    for i, body in enumerate(bodies):
        node.put(f"/files/k{i}", body)
    node.stop()
    identity = disks[1] / "disk"
    assert identity.exists()
    identity.write_bytes(b"damaged")
    node.start()
    assert node.get("/files/small").body == small
    whole = 0
    for i, body in enumerate(bodies):
        try:
            answer = node.get(f"/files/k{i}")
            assert answer.status in (500, 503) or answer.body == body
            whole += answer.status == 200
        except http.client.IncompleteRead as broken:
            assert body.startswith(broken.partial)
    assert whole < len(bodies)
    fresh = os.urandom(4 * MIB)
    assert node.put("/files/fresh", fresh).status == 200
    assert node.get("/files/fresh").body == fresh
