"""The Debian package on a bare Debian 12: installed, its unit's security, a node started as the unit starts it, an object
stored, upgraded, purged. Needs root, a Debian mirror, and what `./dev package` made."""
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import time

import pytest

ROOT = pathlib.Path(__file__).parents[2]
PACKAGES = sorted((ROOT / "build/package").glob("cairn_*_amd64.deb"))
UNIT = "/lib/systemd/system/cairn.service"


def run(*command, check=True, **options):
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=options.pop("timeout", 600), **options)
    assert not check or done.returncode == 0, (command, done.stdout[-3000:], done.stderr[-3000:])
    return done


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Debian:
    """A root of Debian 12 in a folder."""

    def __init__(self, folder):
        self.folder = folder

    def run(self, *command, **options):
        environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive"}
        return run("chroot", self.folder, *command, env=environment | options.pop("env", {}), **options)

    def path(self, name):
        return self.folder / name.lstrip("/")

    def named(self, *places):
        """Every path with the program's name in it."""
        found = self.run("find", *places, "-xdev", "-path", "*cairn*", "-not", "-path", "/proc/*").stdout.split()
        return {f for f in found if not f.startswith(("/var/lib/dpkg", "/cairn_", "/var/log", "/var/cache/apt"))}


@pytest.fixture(scope="module")
def debian(tmp_path_factory):
    if os.geteuid() != 0:
        pytest.skip("a Debian of its own needs root")
    if not PACKAGES:
        pytest.skip("there is no package: ./dev package")
    tar = pathlib.Path(os.environ.get("CAIRN_DEBIAN_ROOT") or ROOT / "build/debian-root.tar")
    assert tar.exists(), f"{tar} is not there: `./dev test long` makes it"
    folder = tmp_path_factory.mktemp("debian") / "root"
    folder.mkdir()
    run("tar", "-xf", tar, "-C", folder, "--exclude=./dev/*")
    (folder / "usr/sbin/policy-rc.d").write_text("#!/bin/sh\nexit 101\n")
    (folder / "usr/sbin/policy-rc.d").chmod(0o755)
    shutil.copy("/etc/resolv.conf", folder / "etc/resolv.conf")
    mounted = []
    try:
        for name in ("proc", "dev"):
            run("mount", "--bind", f"/{name}", folder / name)
            mounted.append(folder / name)
        root = Debian(folder)
        root.run("apt-get", "-q", "update")
        yield root
    finally:
        for place in reversed(mounted):
            run("umount", "-l", place)
        shutil.rmtree(folder, ignore_errors=True)


def root_key(debian):
    text = debian.path("/etc/cairn/root.env").read_text()
    return dict(line.split("=", 1) for line in text.splitlines())


class Service:
    """The node, started as the unit says, on ports of its own."""

    def __init__(self, debian, *under):
        """`under`: a command that runs it."""
        unit = debian.path(UNIT).read_text()
        start = re.search(r"^ExecStart=(.*)$", unit, re.M)[1].split()
        debian.run(*re.search(r"^ExecStartPre=(.*)$", unit, re.M)[1].split())
        http, admin = free_port(), free_port()
        self.url, self.admin = f"http://127.0.0.1:{http}", f"http://127.0.0.1:{admin}"
        self.debian = debian
        command = [*under, "chroot", "--userspec=cairn:cairn", debian.folder, *start, "--set", f"http.listen=127.0.0.1:{http}",
                   "--set", f"admin.listen=127.0.0.1:{admin}"]
        self.log = open(debian.folder / "var/log/node", "ab")
        self.process = subprocess.Popen(list(map(str, command)), env={**root_key(debian), "PATH": "/usr/sbin:/usr/bin"}, stdout=self.log,
                                        stderr=self.log, umask=0o077)

    def cairn(self, *arguments, **options):
        key = root_key(self.debian)
        return self.debian.run("cairn", *arguments, env={
            "CAIRN_ENDPOINT": self.url, "CAIRN_ADMIN": self.admin, "AWS_ACCESS_KEY_ID": key["CAIRN_ROOT_ACCESS_KEY"],
            "AWS_SECRET_ACCESS_KEY": key["CAIRN_ROOT_SECRET_KEY"]}, **options)

    def ready(self):
        while self.cairn("health", check=False).returncode != 0:
            assert self.process.poll() is None, self.debian.path("/var/log/node").read_text()[-3000:]
            time.sleep(0.05)

    def stop(self):
        self.process.terminate()
        assert self.process.wait(60) == 0
        self.log.close()


def install(debian, *options):
    shutil.copy(PACKAGES[-1], debian.folder)
    debian.run("apt-get", "-q", "-y", "install", "--no-install-recommends", *options, f"/{PACKAGES[-1].name}")


def test_from_the_package_to_the_first_object(debian):
    before = debian.named("/")
    install(debian, "--download-only")  # how fast the mirror is, is not what is measured
    began = time.monotonic()
    install(debian)
    installed = time.monotonic() - began
    service = Service(debian)
    service.ready()
    service.cairn("mb", "files")
    debian.path("/tmp/object").write_bytes(b"first")
    service.cairn("put", "/tmp/object", "files/object")
    stored = time.monotonic() - began
    print(f"installed after {installed:.1f} s, the first object stored after {stored:.1f} s")
    assert stored <= 10
    assert service.cairn("get", "files/object", "-").stdout == "first"
    unsigned = run("curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", f"{service.url}/files/object").stdout
    assert unsigned == "403"
    service.stop()
    assert before == set()


def test_what_is_installed(debian):
    install(debian)
    listed = debian.run("dpkg-query", "-L", "cairn").stdout.split()
    commands = re.findall(r"^  (\w+) ", debian.run("cairn", "--help").stdout.split("Subcommands:")[1], re.M)
    for name in ("cairn", *(f"cairn-{c}" for c in commands)):
        assert f"/usr/share/man/man1/{name}.1.gz" in listed
    for path in ("/usr/share/bash-completion/completions/cairn", "/usr/share/zsh/vendor-completions/_cairn",
                 "/usr/share/fish/vendor_completions.d/cairn.fish", UNIT, "/usr/share/cairn/grafana/cairn.json"):
        assert path in listed, path
    assert debian.run("dpkg-query", "-W", "-f", "${Conffiles}", "cairn").stdout.split()[0] == "/etc/cairn/cairn.toml"
    assert debian.run("stat", "-c", "%U:%G %a", "/var/lib/cairn", "/etc/cairn/root.env").stdout.split("\n")[:2] == \
        ["cairn:cairn 750", "root:root 600"]


def test_the_unit_is_valid_and_confined(debian):
    verified = debian.run("systemd-analyze", "verify", "--man=no", UNIT, check=False)
    assert "cairn" not in verified.stderr, verified.stderr
    rated = debian.run("systemd-analyze", "security", "--offline=true", "--no-pager", "--threshold=20", UNIT)
    print(rated.stdout.strip().splitlines()[-1])


def allowed_calls(debian):
    """What the lines SystemCallFilter of the unit let through, with systemd's sets resolved."""
    sets, current = {}, None
    for line in debian.run("systemd-analyze", "syscall-filter").stdout.splitlines():
        if line.startswith("@"):
            current = sets.setdefault(line.strip(), set())
        elif line.strip() and not line.strip().startswith("#") and current is not None:
            current.add(line.strip())

    def resolved(name):
        return set().union(*map(resolved, sets[name])) if name.startswith("@") else {name}
    allowed = set()
    for line in re.findall(r"^SystemCallFilter=(.*)$", debian.path(UNIT).read_text(), re.M):
        names = set().union(*map(resolved, line.lstrip("~").split()))
        allowed = allowed - names if line.startswith("~") else allowed | names
    return allowed


def test_the_unit_allows_every_system_call_of_a_node(debian, tmp_path):
    if not shutil.which("strace"):
        pytest.skip("strace is not installed")
    install(debian)
    service = Service(debian, "strace", "-f", "-qq", "-o", tmp_path / "calls")
    service.ready()
    for name in ("small", "large"):
        debian.path(f"/tmp/{name}").write_bytes(os.urandom(100 if name == "small" else 20_000_000))
        service.cairn("put", f"/tmp/{name}", f"files/{name}")
        service.cairn("get", f"files/{name}", f"/tmp/{name}-copy")
        service.cairn("rm", f"files/{name}")
    traced = service.process.pid
    node = int(run("pgrep", "-P", traced).stdout.split()[0])
    os.kill(node, signal.SIGHUP)
    time.sleep(1)
    os.kill(node, signal.SIGTERM)
    assert service.process.wait(60) == 0
    calls = (tmp_path / "calls").read_text().split('execve("/usr/bin/cairn"', 1)[1]
    called = set(re.findall(r"^\d+ +(?:<\.\.\. )?(\w+)[( ]", calls, re.M)) - {"resumed"}
    assert len(called) > 40 and called <= allowed_calls(debian), called - allowed_calls(debian)


def test_an_upgrade_keeps_the_key_the_configuration_and_the_objects(debian):
    install(debian)
    key = root_key(debian)
    config = debian.path("/etc/cairn/cairn.toml")
    config.write_text(config.read_text() + "\n[log]\nlevel = \"warn\"\n")
    debian.run("dpkg", "--force-confold", "-i", f"/{PACKAGES[-1].name}")
    assert root_key(debian) == key and 'level = "warn"' in config.read_text()
    service = Service(debian)
    service.ready()
    assert service.cairn("get", "files/object", "-").stdout == "first"
    service.stop()


def test_a_purge_leaves_nothing_but_the_data(debian):
    install(debian)
    data = {f for f in debian.named("/var/lib") if f.startswith("/var/lib/cairn/")}
    debian.run("apt-get", "-q", "-y", "purge", "cairn")
    assert debian.named("/") == data | ({"/var/lib/cairn"} if data else set())
    assert not debian.path("/etc/cairn").exists()
