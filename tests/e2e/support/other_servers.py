"""S3 servers of other projects, started for a test: Ceph's RADOS gateway (Debian) and s3rver (npm)."""
import shutil
import subprocess
import time

import pytest

from cairn_node import eventually, free_port
from npm_packages import installed

CEPH = """
[global]
fsid = 11111111-2222-3333-4444-555555555555
mon host = [v2:127.0.0.1:{mon_v2},v1:127.0.0.1:{mon_v1}]
public addr = 127.0.0.1
cluster addr = 127.0.0.1
auth cluster required = none
auth service required = none
auth client required = none
mon allow pool size one = true
mon data avail crit = 1
mon max pg per osd = 1000
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 1
osd pool default pgp num = 1
osd pool default pg autoscale mode = off
osd crush chooseleaf type = 0
osd objectstore = memstore
memstore device bytes = 1073741824
run dir = {folder}
log file = {folder}/$name.log
mon cluster log file = {folder}/cluster.log
mon data = {folder}/$name
osd data = {folder}/$name
rgw data = {folder}/rgw
admin socket = {folder}/$name.asok
keyring = {folder}/keyring
"""


class Server:
    """access, secret; a process or several, ended at the end."""

    def __init__(self):
        self.processes, self.port = [], free_port()

    def spawn(self, *command, log):
        with open(log, "ab") as out:
            self.processes.append(subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out))

    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def environment(self):
        return {"CAIRN_FROM_ACCESS_KEY_ID": self.access, "CAIRN_FROM_SECRET_ACCESS_KEY": self.secret}

    def client(self):
        import boto3
        from botocore.config import Config
        return boto3.client("s3", endpoint_url=self.url(), aws_access_key_id=self.access, aws_secret_access_key=self.secret,
                            region_name="us-east-1", config=Config(s3={"addressing_style": "path"}, retries={"max_attempts": 1}))

    def ready(self):
        def answers():
            try:
                return self.client().list_buckets() is not None
            except Exception:  # noqa: BLE001 (whatever a server says that begins)
                time.sleep(0.3)
                return False
        eventually(answers, seconds=60, what="the server answers")

    def stop(self):
        for process in reversed(self.processes):
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(10)


class CephGateway(Server):
    access, secret = "ceph-key", "ceph-secret-0123456789"

    def start(self, folder):
        """One monitor, one OSD in memory, one gateway."""
        if not all(map(shutil.which, ("ceph-mon", "ceph-osd", "radosgw", "radosgw-admin", "ceph"))):
            pytest.skip("Ceph's gateway is not installed (./dev deps installs it)")
        folder.mkdir()
        for name in ("mon.a", "osd.0", "rgw"):
            (folder / name).mkdir()
        ports = {"mon_v1": free_port(), "mon_v2": free_port()}
        config = folder / "ceph.conf"
        config.write_text(CEPH.format(folder=folder, **ports))
        ceph = ["-c", str(config)]

        def run(*command):
            done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=100)
            assert done.returncode == 0, done
            return done.stdout

        run("ceph-authtool", "--create-keyring", "keyring", "--gen-key", "-n", "mon.", "--cap", "mon", "allow *")
        run("ceph-authtool", "keyring", "--gen-key", "-n", "client.admin", "--cap", "mon", "allow *", "--cap", "osd", "allow *")
        run("monmaptool", "--create", "--fsid", "11111111-2222-3333-4444-555555555555", "--addv", "a",
            "[v2:127.0.0.1:{mon_v2},v1:127.0.0.1:{mon_v1}]".format(**ports), "monmap")
        run("ceph-mon", *ceph, "--mkfs", "-i", "a", "--monmap", "monmap", "--keyring", "keyring")
        self.spawn("ceph-mon", *ceph, "-i", "a", "-f", log=folder / "mon.out")
        run("ceph", *ceph, "osd", "create")
        run("ceph-osd", *ceph, "-i", "0", "--mkfs")
        self.spawn("ceph-osd", *ceph, "-i", "0", "-f", log=folder / "osd.out")
        run("radosgw-admin", *ceph, "-n", "client.rgw", "user", "create", "--uid=tester", "--display-name=tester",
            f"--access-key={self.access}", f"--secret-key={self.secret}")
        self.spawn("radosgw", *ceph, "-n", "client.rgw", "-f", "--auth-client-required", "none", "--ms-mon-client-mode", "crc",
                   "--rgw-frontends", f"beast endpoint=127.0.0.1:{self.port}", log=folder / "rgw.out")
        self.ready()
        return self


class S3rver(Server):
    access, secret = "S3RVER", "S3RVER"

    def start(self, folder):
        program = installed("s3rver") / "node_modules/s3rver/bin/s3rver.js"
        folder.mkdir()
        self.spawn("node", str(program), "--directory", str(folder), "--address", "127.0.0.1", "--port", str(self.port),
                   log=folder.with_suffix(".out"))
        self.ready()
        return self
