"""Disks that fail while a node runs: small file systems, and a preloaded library that lets writes fail, and flushes take long or for ever."""
import contextlib
import os
import pathlib
import shutil
import subprocess

import pytest

from cairn_node import MIB

SOURCE = pathlib.Path(__file__).with_name("disk_faults.cpp")


@contextlib.contextmanager
def small_file_system(folder, kind, size_mib):
    folder.mkdir()
    if os.geteuid() != 0:
        pytest.skip("mounting a small file system needs root")
    image = folder.with_suffix(".img")
    if kind == "tmpfs":
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size_mib}m", "none", folder], capture_output=True)
    else:
        with open(image, "wb") as f:
            f.truncate(size_mib * MIB)
        mkfs = shutil.which("mkfs.ext4") or "/sbin/mkfs.ext4"
        if not os.access(mkfs, os.X_OK):
            pytest.skip("mkfs.ext4 is not there")
        subprocess.run([mkfs, "-q", "-F", image], check=True, capture_output=True)
        mounted = subprocess.run(["mount", "-o", "loop", image, folder], capture_output=True)
    if mounted.returncode != 0:
        pytest.skip(f"{kind} cannot be mounted here: {mounted.stderr.decode().strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", folder], check=True)
        image.unlink(missing_ok=True)


class Ballast:
    """A file that takes all the room that a file system has."""

    def __init__(self, folder):
        self.path = pathlib.Path(folder) / "ballast"

    def fill(self, leave=0):
        """All but `leave` bytes."""
        with open(self.path, "ab", buffering=0) as f:
            if leave:
                os.posix_fallocate(f.fileno(), 0, shutil.disk_usage(self.path.parent).free - leave)
                return
            for size in (MIB, 4096):
                with contextlib.suppress(OSError):
                    while True:
                        f.write(bytes(size))

    def remove(self):
        self.path.unlink()


class DiskFaults:
    """What happens to writes and flushes of one node below `folder`. To be made before the node starts."""

    def __init__(self, node, folder):
        library = node.folder / "disk_faults.so"
        subprocess.run(["g++", "-std=c++20", "-O1", "-fPIC", "-shared", "-o", library, SOURCE, "-ldl"], check=True)
        self.control = node.folder / "disk_faults"
        node.environment |= {"LD_PRELOAD": str(library), "CAIRN_FAULTS_BELOW": str(folder),
                             "CAIRN_FAULTS_CONTROL": str(self.control)}

    def set(self, text):
        fresh = self.control.with_suffix(".new")
        fresh.write_text(text)
        fresh.rename(self.control)

    def clear(self):
        self.control.unlink(missing_ok=True)
