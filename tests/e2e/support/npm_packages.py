"""Programs of the tests that need packages of npm."""
import hashlib
import pathlib
import shutil
import subprocess

import pytest

from cairn_node import BINARY, REPOSITORY

UNREACHABLE = ("ENOTFOUND", "EAI_AGAIN", "ECONNREFUSED", "ECONNRESET", "ETIMEDOUT", "EHOSTUNREACH", "ENETUNREACH", "ERR_SOCKET_TIMEOUT",
               "UNABLE_TO_GET_ISSUER_CERT", "SELF_SIGNED_CERT", "network request to", "E403", "E407", "E502", "E503")


def installed(name):
    """A folder beside the binary with the programs of tests/e2e/npm/NAME and what npm installed for them; kept for the next run."""
    source = REPOSITORY / "tests/e2e/npm" / name
    npm, node = shutil.which("npm"), shutil.which("node")
    if not npm or not node:
        pytest.skip("node and npm are not installed (./dev deps installs them)")
    lock = (source / "package-lock.json").read_bytes()
    folder = pathlib.Path(BINARY).resolve().parent / "e2e-npm" / hashlib.sha256(lock).hexdigest()[:12]
    folder.mkdir(parents=True, exist_ok=True)
    for file in source.iterdir():
        shutil.copy(file, folder)
    if not (folder / "installed").exists():
        command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--fetch-retries=1", "--fetch-timeout=60000"]
        try:
            done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300)
        except subprocess.TimeoutExpired:
            pytest.skip("npm ci did not end within 5 minutes: is the npm registry reachable?")
        said = done.stdout + done.stderr
        if done.returncode != 0 and any(sign in said for sign in UNREACHABLE):
            pytest.skip("the npm registry is not reachable: " + said.strip().splitlines()[0])
        assert done.returncode == 0, said
        (folder / "installed").touch()
    return folder
