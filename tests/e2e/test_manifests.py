"""deploy/: the Kubernetes manifests against the API's schemas (from npm), the configurations that they and the image carry
against Cairn, and what the parts say of each other."""
import pathlib
import re
import shutil
import subprocess
import sys

import pytest

from cairn_node import BINARY
from npm_packages import installed

DEPLOY = pathlib.Path(__file__).parents[2] / "deploy"
MANIFESTS = DEPLOY / "kubernetes/cairn.yaml"
KINDS = ["ConfigMap", "Service", "Service", "PodDisruptionBudget", "StatefulSet"]


@pytest.fixture(scope="module")
def checker():
    return installed("manifests")


def checked(folder, text):
    (folder / "manifests.yaml").write_text(text)
    return subprocess.run(["node", "check.mjs", "manifests.yaml"], cwd=folder, capture_output=True, text=True, timeout=120)


def test_the_manifests_are_what_the_schemas_of_their_kinds_ask_for(checker):
    done = checked(checker, MANIFESTS.read_text())
    assert done.returncode == 0 and done.stdout.split() == KINDS, done.stdout + done.stderr


@pytest.mark.parametrize("good, bad", [("replicas: 3", "replicas: three"), ("readOnlyRootFilesystem:", "readOnlyRootFilesystm:"),
                                       ("serviceName:", "serviceNome:"), ("maxUnavailable: 1", "maxUnavailable: [1]")])
def test_the_check_finds_mistakes(checker, good, bad):
    text = MANIFESTS.read_text()
    assert good in text
    assert checked(checker, text.replace(good, bad)).returncode != 0


def configurations():
    """Of the ConfigMap, whose third one is its second, and of the image and the package."""
    texts = re.findall(r"^  (cairn-\d\.toml):.*\n((?:    .*\n)+)", MANIFESTS.read_text(), re.M)
    found = {name: re.sub("^    ", "", text, flags=re.M) for name, text in texts}
    return found | {p.parent.name: p.read_text() for p in DEPLOY.glob("*/cairn.toml")}


def test_every_configuration_loads(tmp_path):
    found = configurations()
    assert sorted(found) == ["cairn-0.toml", "cairn-1.toml", "debian", "image"]
    for name, text in found.items():
        (tmp_path / name).write_text(text)
        more = ["--set", "cluster.advertise=cairn-0.cairn-nodes:9100"] if "[cluster]" in text else []
        done = subprocess.run([BINARY, "config", "show", "--config", tmp_path / name, *more], capture_output=True, text=True)
        assert done.returncode == 0, (name, done.stdout + done.stderr)


def test_everything_names_the_version_that_the_program_has():
    version = subprocess.run([BINARY, "version"], capture_output=True, text=True, check=True).stdout.split()[1]
    for path in (MANIFESTS, DEPLOY / "compose.yaml"):
        named = set(re.findall(r"image: cairn:(\S+)", path.read_text()))
        assert named == {version}, path
    assert (DEPLOY / "debian/changelog").read_text().startswith(f"cairn ({version}) ")


def test_man_pages_and_completions_are_made_of_the_help(tmp_path):
    subprocess.run([sys.executable, "-B", DEPLOY / "command_help.py", BINARY, tmp_path], check=True)
    commands = re.findall(r"^  (\w+) ", subprocess.run([BINARY, "--help"], capture_output=True, text=True).stdout.split("Subcommands:")[1], re.M)
    assert {p.name for p in tmp_path.glob("*.1")} == {"cairn.1", *(f"cairn-{c}.1" for c in commands)}
    page = (tmp_path / "cairn-cluster.1").read_text()
    assert '.SS "cairn cluster certs issue"' in page and "\\-\\-data\\-dir" in page
    typed = {"cairn clu": ["cluster"], "cairn cluster certs ": ["-h", "--help", "init", "issue"],
             "cairn cluster certs issue --da": ["--data-dir", "--days"], f"cairn serve --config {tmp_path}/cairn-put": [f"{tmp_path}/cairn-put.1"],
             "cairn put --endpoint ": []}
    for line, offered in typed.items():
        script = f'. {tmp_path}/cairn; COMP_WORDS=($1); [ "${{1: -1}}" != " " ] || COMP_WORDS+=(""); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); _cairn; printf "%s\\n" "${{COMPREPLY[@]}}"'
        said = subprocess.run(["bash", "-c", script, "bash", line], capture_output=True, text=True)
        assert sorted(said.stdout.split()) == sorted(offered), (line, said.stdout, said.stderr)
    for shell, file in (("zsh", "_cairn"), ("fish", "cairn.fish")):
        if shutil.which(shell):
            subprocess.run([shell, "-n", tmp_path / file], check=True)
