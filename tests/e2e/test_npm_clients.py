"""S3 clients of npm: full round trips by the AWS SDK for JavaScript v3 and by minio-js."""
import hashlib
import os
import pathlib
import shutil
import subprocess

import pytest

from cairn_node import BINARY, Node
from signing import ACCESS, SECRET

SOURCE = pathlib.Path(__file__).parent / "js"
UNREACHABLE = ("ENOTFOUND", "EAI_AGAIN", "ECONNREFUSED", "ECONNRESET", "ETIMEDOUT", "EHOSTUNREACH", "ENETUNREACH", "ERR_SOCKET_TIMEOUT",
               "UNABLE_TO_GET_ISSUER_CERT", "SELF_SIGNED_CERT", "network request to", "E403", "E407", "E502", "E503")


@pytest.fixture(scope="module")
def programs():
    """A folder beside the binary with the programs and what npm installed for them; kept for the next run."""
    npm, node = shutil.which("npm"), shutil.which("node")
    if not npm or not node:
        pytest.skip("node and npm are not installed (./dev deps installs them)")
    lock = (SOURCE / "package-lock.json").read_bytes()
    folder = pathlib.Path(BINARY).resolve().parent / "e2e-npm" / hashlib.sha256(lock).hexdigest()[:12]
    folder.mkdir(parents=True, exist_ok=True)
    for file in SOURCE.iterdir():
        shutil.copy(file, folder)
    if not (folder / "installed").exists():
        command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--fetch-retries=1", "--fetch-timeout=60000"]
        try:
            installed = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300)
        except subprocess.TimeoutExpired:
            pytest.skip("npm ci did not end within 5 minutes: is the npm registry reachable?")
        said = installed.stdout + installed.stderr
        if installed.returncode != 0 and any(sign in said for sign in UNREACHABLE):
            pytest.skip("the npm registry is not reachable: " + said.strip().splitlines()[0])
        assert installed.returncode == 0, said
        (folder / "installed").touch()
    return folder


@pytest.fixture(scope="module")
def signed_node(tmp_path_factory):
    n = Node(tmp_path_factory.mktemp("npm"), auth_anonymous="none", auth_root_access_key=ACCESS, auth_root_secret_key=SECRET).start()
    yield n
    n.stop()


@pytest.mark.parametrize("program", ["aws_sdk", "minio_js"])
def test_round_trip(programs, signed_node, program):
    environment = dict(os.environ, S3_ENDPOINT=signed_node.url(), S3_ACCESS_KEY=ACCESS, S3_SECRET_KEY=SECRET,
                       S3_BUCKET="npm-" + program.replace("_", "-"), AWS_EC2_METADATA_DISABLED="true", NODE_NO_WARNINGS="1")
    done = subprocess.run(["node", f"{program}.mjs"], cwd=programs, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0 and done.stdout.endswith("ok\n"), done.stdout + done.stderr
