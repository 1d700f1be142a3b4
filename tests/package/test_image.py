"""The OCI image: its size, its configuration, and a node in it as its user on a read-only root. Needs root, umoci, and what
`./dev image` made."""
import json
import os
import pathlib
import subprocess
import sys
import time

import pytest

ROOT = pathlib.Path(__file__).parents[2]
sys.path.insert(0, str(pathlib.Path(__file__).parent))
from test_package import free_port, run  # noqa: E402

LAYOUT = ROOT / "build/image"
MB = 1_000_000
KEYS = {"CAIRN_ROOT_ACCESS_KEY": "root", "CAIRN_ROOT_SECRET_KEY": "a-long-secret"}


def blob(digest):
    return LAYOUT / "blobs" / digest.replace(":", "/")


@pytest.fixture(scope="module")
def tag():
    if os.geteuid() != 0:
        pytest.skip("unpacking an image needs root")
    if not (LAYOUT / "index.json").exists():
        pytest.skip("there is no image: ./dev image")
    index = json.loads((LAYOUT / "index.json").read_text())
    return index["manifests"][0]["annotations"]["org.opencontainers.image.ref.name"]


@pytest.fixture(scope="module")
def root(tag, tmp_path_factory):
    """Its root, mounted read-only, with a volume for the data and nothing else that can be written."""
    folder = tmp_path_factory.mktemp("image")
    run("umoci", "unpack", "--image", f"{LAYOUT}:{tag}", folder / "bundle")
    (folder / "volume").mkdir()
    place, mounted = folder / "bundle/rootfs", []
    try:
        run("mount", "--bind", place, place)
        mounted.append(place)
        run("mount", "--bind", folder / "volume", place / "var/lib/cairn")
        mounted.append(place / "var/lib/cairn")
        os.chown(folder / "volume", 10001, 10001)
        run("mount", "-o", "remount,bind,ro", place)
        yield place
    finally:
        for m in reversed(mounted):
            run("umount", "-l", m)


def configuration(tag):
    index = json.loads((LAYOUT / "index.json").read_text())
    manifest = json.loads(blob(index["manifests"][0]["digest"]).read_text())
    return manifest, json.loads(blob(manifest["config"]["digest"]).read_text())


def test_the_image_is_small(tag, root):
    manifest, _ = configuration(tag)
    packed = sum(layer["size"] for layer in manifest["layers"])
    unpacked = int(run("du", "-sxb", root).stdout.split()[0])
    print(f"{packed / MB:.1f} MB to download, {unpacked / MB:.1f} MB on the disk")
    assert unpacked <= 80 * MB


def test_there_is_no_shell_and_nothing_that_changes_its_user(root):
    assert not [p for p in ("bin/sh", "usr/bin/sh", "bin/bash", "usr/bin/apt") if (root / p).exists()]
    assert not run("find", root, "-xdev", "-perm", "/6000").stdout
    assert not run("find", root, "-xdev", "-path", root / "var/lib/cairn", "-prune", "-o", "-not", "-user", "root", "-print").stdout


def test_the_image_says_how_it_runs(tag):
    _, image = configuration(tag)
    config = image["config"]
    assert config["User"] == "10001:10001" and config["Entrypoint"] == ["/usr/bin/cairn"]
    assert config["Cmd"] == ["serve", "--config", "/etc/cairn/cairn.toml"] and config["StopSignal"] == "SIGTERM"
    assert set(config["ExposedPorts"]) == {"9000/tcp", "9001/tcp", "9100/tcp"} and set(config["Volumes"]) == {"/var/lib/cairn"}


def test_a_node_runs_in_it_as_its_user_on_a_read_only_root(tag, root):
    _, image = configuration(tag)
    config, http, admin = image["config"], free_port(), free_port()
    inside = ["/usr/sbin/chroot", "--userspec=10001:10001", str(root)]
    environment = {**KEYS, **dict(e.split("=", 1) for e in config["Env"]), "CAIRN_ADMIN": f"http://127.0.0.1:{admin}",
                   "CAIRN_ENDPOINT": f"http://127.0.0.1:{http}", "AWS_ACCESS_KEY_ID": "root", "AWS_SECRET_ACCESS_KEY": "a-long-secret"}
    process = subprocess.Popen([*inside, *config["Entrypoint"], *config["Cmd"], "--set", f"http.listen=127.0.0.1:{http}",
                                "--set", f"admin.listen=127.0.0.1:{admin}"], env=environment)
    try:
        def cairn(*arguments, **options):
            return run(*inside, "/usr/bin/cairn", *arguments, env=environment, **options)
        deadline = time.monotonic() + 30
        while cairn("health", check=False).returncode != 0:  # the health check of compose.yaml
            assert process.poll() is None and time.monotonic() < deadline
            time.sleep(0.05)
        cairn("mb", "files")
        cairn("put", "-", "files/object", input="stored")
        assert cairn("get", "files/object", "-").stdout == "stored"
        writable = run(*inside, "/usr/bin/cairn", "get", "files/object", "/copy", env=environment, check=False)
        assert writable.returncode != 0 and "ead-only" in writable.stderr
    finally:
        process.terminate()
        assert process.wait(60) == 0
