"""Programs of Debian that speak S3, and the trees of files that they store."""
import hashlib
import os

import pytest

from signing import ACCESS, SECRET


def client(name):
    path = f"/usr/bin/{name}"  # Debian's own, whatever else the machine has
    if not os.access(path, os.X_OK):
        pytest.skip(f"{name} is not installed")
    return path


def environment(**values):
    """Without what the machine sets for these clients, a CA bundle or a profile."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "RCLONE_", "RESTIC_"))}
    return dict(kept, LC_ALL="C.UTF-8", **values)


def signed_environment(**values):
    """With the root key."""
    return environment(AWS_ACCESS_KEY_ID=ACCESS, AWS_SECRET_ACCESS_KEY=SECRET, AWS_DEFAULT_REGION="us-east-1", AWS_EC2_METADATA_DISABLED="true",
                       AWS_CONFIG_FILE="/dev/null", AWS_SHARED_CREDENTIALS_FILE="/dev/null", **values)


def tree_of(folder, count=200):
    for i in range(count):
        path = folder / f"dir {i % 7}" / f"sub{i % 3}" / f"file+{i:03} é.bin"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(os.urandom(i * 97))
    return folder


def digests(folder):
    return {p.relative_to(folder).as_posix(): hashlib.sha256(p.read_bytes()).hexdigest()
            for p in folder.rglob("*") if p.is_file()}
