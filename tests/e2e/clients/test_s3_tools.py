"""Tools that people keep their files with, signed, against a node that lets nobody in without: a large object in parts, a tree, a backup."""
import hashlib
import os
import shutil
import subprocess
import time

import pytest

from cairn_node import MIB
from client_programs import client, digests, signed_environment, tree_of
from signing import ACCESS, SECRET


@pytest.fixture(scope="module")
def vault(guarded):
    """With one bucket, `vault`."""
    run(["aws", "--endpoint-url", guarded.url(), "s3", "mb", "s3://vault"])
    return guarded


def run(command, **values):
    done = subprocess.run([client(command[0]), *map(str, command[1:])], capture_output=True, timeout=300, env=signed_environment(**values), text=True)
    assert done.returncode == 0, (done.stdout[-2000:], done.stderr[-2000:])
    return done.stdout


@pytest.fixture(scope="module")
def big(tmp_path_factory):
    path = tmp_path_factory.mktemp("big") / "big file é.bin"
    with open(path, "wb") as f:
        for _ in range(100):
            f.write(os.urandom(MIB))
    yield path
    path.unlink()


def digest(path):
    with open(path, "rb") as f:
        return hashlib.file_digest(f, "sha256").hexdigest() if hasattr(hashlib, "file_digest") else hashlib.sha256(f.read()).hexdigest()


def there_and_back(folder, big, upload, sync_up, sync_down, download):
    upload(big)
    download(folder / "back.bin")
    assert digest(folder / "back.bin") == digest(big)
    source, back = tree_of(folder / "source"), folder / "back"
    back.mkdir()
    sync_up(source)
    sync_down(back)
    assert digests(back) == digests(source)


def test_awscli(vault, big, tmp_path):
    aws = ["aws", "--endpoint-url", vault.url(), "s3"]
    there_and_back(tmp_path, big,
                   lambda path: run([*aws, "cp", "--only-show-errors", path, "s3://vault/aws/big"]),
                   lambda path: run([*aws, "sync", "--only-show-errors", path, "s3://vault/aws/tree"]),
                   lambda path: run([*aws, "sync", "--only-show-errors", "s3://vault/aws/tree", path]),
                   lambda path: run([*aws, "cp", "--only-show-errors", "s3://vault/aws/big", path]))
    run([*aws, "rm", "--recursive", "--only-show-errors", "s3://vault/aws"])


def test_rclone(vault, big, tmp_path):
    remote = f":s3,provider=Other,endpoint='{vault.url()}',env_auth=true:vault/rclone"
    rclone = ["rclone", "--config", tmp_path / "none", "--retries", "1", "--s3-upload-cutoff", "20M"]
    there_and_back(tmp_path, big,
                   lambda path: run([*rclone, "copyto", path, f"{remote}/big"]),
                   lambda path: run([*rclone, "copy", path, f"{remote}/tree"]),
                   lambda path: run([*rclone, "copy", f"{remote}/tree", path]),
                   lambda path: run([*rclone, "copyto", f"{remote}/big", path]))
    run([*rclone, "check", tmp_path / "source", f"{remote}/tree"])
    run([*rclone, "purge", remote])


def test_s3cmd(vault, big, tmp_path):
    host = f"127.0.0.1:{vault.http_port}"
    s3cmd = ["s3cmd", "--config", "/dev/null", "--access_key", ACCESS, "--secret_key", SECRET, "--host", host, "--host-bucket", host,
             "--no-ssl", "--no-progress"]
    there_and_back(tmp_path, big,
                   lambda path: run([*s3cmd, "put", "--multipart-chunk-size-mb=15", path, "s3://vault/s3cmd/big"]),
                   lambda path: run([*s3cmd, "sync", f"{path}/", "s3://vault/s3cmd/tree/"]),
                   lambda path: run([*s3cmd, "sync", "s3://vault/s3cmd/tree/", f"{path}/"]),
                   lambda path: run([*s3cmd, "get", "s3://vault/s3cmd/big", path]))
    assert "100M" in run([*s3cmd, "ls", "-H", "s3://vault/s3cmd/"])
    run([*s3cmd, "mv", "s3://vault/s3cmd/big", "s3://vault/s3cmd/moved"])
    run([*s3cmd, "get", "s3://vault/s3cmd/moved", tmp_path / "moved.bin"])
    assert digest(tmp_path / "moved.bin") == digest(big)
    run([*s3cmd, "del", "--recursive", "--force", "s3://vault/s3cmd/"])


def test_restic_backs_up_checks_and_restores(vault, tmp_path):
    source = tree_of(tmp_path / "source")
    (source / "large.bin").write_bytes(os.urandom(40 * MIB))

    def restic(*arguments):
        return run(["restic", "--no-cache", "-o", "s3.bucket-lookup=path", "-r", f"s3:{vault.url()}/vault/restic", *arguments],
                   RESTIC_PASSWORD="correct horse", HOME=str(tmp_path))
    restic("init")
    restic("backup", source)
    (source / "later.txt").write_text("later")
    restic("backup", source)
    assert "no errors were found" in restic("check", "--read-data")
    restic("restore", "latest", "--target", tmp_path / "restored")
    assert digests(tmp_path / "restored" / source.relative_to("/")) == digests(source)
    restic("forget", "--keep-last", "1", "--prune")
    assert "no errors were found" in restic("check", "--read-data")


def test_s3fs_is_a_file_system(vault, tmp_path):
    """Where this machine lets a file system be mounted."""
    if not os.access("/usr/bin/s3fs", os.X_OK) or not os.access("/dev/fuse", os.R_OK | os.W_OK):
        pytest.skip("s3fs or FUSE is not here")
    mount, secret = tmp_path / "mount", tmp_path / "passwd"
    mount.mkdir()
    secret.write_text(f"{ACCESS}:{SECRET}")
    secret.chmod(0o600)
    command = ["/usr/bin/s3fs", "vault:/", str(mount), "-f", "-o", f"url={vault.url()}", "-o", "use_path_request_style",
               "-o", f"passwd_file={secret}", "-o", "endpoint=us-east-1", "-o", "retries=1"]
    log = open(tmp_path / "log", "wb")
    process = subprocess.Popen(command, stdout=log, stderr=log, env=signed_environment())
    try:
        deadline = time.monotonic() + 15
        while not os.path.ismount(mount):
            if process.poll() is not None or time.monotonic() > deadline:
                pytest.skip("FUSE does not work here: " + (tmp_path / "log").read_text(errors="replace")[-300:])
            time.sleep(0.1)
        tree = tree_of(tmp_path / "source", 40)
        shutil.copytree(tree, mount / "s3fs")
        assert digests(mount / "s3fs") == digests(tree)
        body = os.urandom(30 * MIB)
        (mount / "s3fs" / "large").write_bytes(body)
        os.rename(mount / "s3fs" / "large", mount / "s3fs" / "renamed")
        assert (mount / "s3fs" / "renamed").read_bytes() == body
        shutil.rmtree(mount / "s3fs")
        assert not (mount / "s3fs").exists()
    finally:
        subprocess.run(["/usr/bin/fusermount", "-u", str(mount)], capture_output=True)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        log.close()
