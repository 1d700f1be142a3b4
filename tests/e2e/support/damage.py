"""Bits that rot on a disk: in the segments of chunks, in the metadata."""
import os

from cluster_load import content


def flip_bit(node, needle):
    """In the segment that holds these bytes."""
    for path in node.segments():
        data = path.read_bytes()
        at = data.find(needle)
        if at >= 0:
            with open(path, "r+b") as f:
                f.seek(at + len(needle) // 2)
                f.write(bytes([data[at + len(needle) // 2] ^ 0x10]))
                f.flush()
                os.fsync(f.fileno())
            return
    raise AssertionError("the bytes are in no segment")


def small(i):
    return content(f"small{i}", 100 + i * 37 % 1500)


def fill(node, count):
    written = {}
    for i in range(count):
        key, body = f"/files/small-{i:04d}", small(i)
        assert node.put(key, body).status == 200
        written[key] = body
    return written


def state_file(node):
    return node.folder / "data/metadata/data.mdb"


def flip(path, places):
    with open(path, "r+b") as f:
        for at in places:
            f.seek(at)
            old = f.read(1)
            f.seek(at)
            f.write(bytes([old[0] ^ 0x10]))


def places_of(path, piece, offset=0):
    """Where the file has these bytes, copies in pages that are used no more included."""
    data, out, at = path.read_bytes(), [], 0
    while (at := data.find(piece, at)) >= 0:
        out.append(at + offset)
        at += 1
    return out
