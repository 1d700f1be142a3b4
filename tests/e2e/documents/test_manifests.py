"""deploy/: the Kubernetes manifests against the API's schemas (from npm), the configurations that they and the image carry
against Cairn, and what the parts say of each other."""
import os
import re
import shutil
import subprocess
import sys

import pytest

from cairn_node import BINARY, REPOSITORY, eventually
from npm_packages import installed

DEPLOY = REPOSITORY / "deploy"
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
    commands = re.findall(r"^  ([\w-]+) ", subprocess.run([BINARY, "--help"], capture_output=True, text=True).stdout.split("Subcommands:")[1], re.M)
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


def test_three_nodes_with_the_configurations_and_arguments_of_the_manifests_make_a_cluster(tmp_path):
    """With loopback addresses for the pods' names, and as the StatefulSet starts them: all at once, each with a certificate that
    it has just got from a read-only CA. Then again, with `join` for the founder too."""
    def here(text, number):
        text = re.sub(r"cairn-(\d)\.cairn-nodes", lambda n: f"127.0.1.{int(n[1]) + 1}", text)
        return text.replace("0.0.0.0", f"127.0.1.{number + 1}").replace("/var/lib/cairn", str(tmp_path / f"data-{number}"))

    def typed(container, number):
        """The arguments of this container, as pod cairn-NUMBER gets them."""
        words = re.search(rf"name: {container}\n *image: .*\n *(?:command|args): \[(.*)\]", MANIFESTS.read_text())[1]
        words = [w.strip('"') for w in words.replace("$(POD_NAME)", f"cairn-{number}").split(", ")]
        words = [str(tmp_path / "ca") if w == "/ca" else here(w, number).replace("/etc/cairn", str(tmp_path)) for w in words]
        return [BINARY, *(words[1:] if words[0] == "cairn" else words)]

    environment = {**os.environ, "CAIRN_ROOT_ACCESS_KEY": "root", "CAIRN_ROOT_SECRET_KEY": "0123456789abcdef",
                   "CAIRN_ADMIN_TOKEN": "0123456789abcdef", "AWS_ACCESS_KEY_ID": "root", "AWS_SECRET_ACCESS_KEY": "0123456789abcdef"}

    def cairn(number, *arguments):
        at = {"CAIRN_ADMIN": f"http://127.0.1.{number + 1}:9001", "CAIRN_ENDPOINT": f"http://127.0.1.{number + 1}:9000"}
        return subprocess.run([BINARY, *arguments], env=environment | at, capture_output=True, text=True, timeout=60, input="stored")
    found, pods = configurations(), []
    found["cairn-2.toml"] = found["cairn-1.toml"]
    subprocess.run([BINARY, "cluster", "certs", "init", "--dir", tmp_path / "ca", "--name", "cairn"], check=True, capture_output=True)

    def start(number):
        subprocess.run(typed("certificate", number), check=True, capture_output=True)
        with open(tmp_path / f"log-{number}", "ab") as log:
            pods.append(subprocess.Popen(typed("cairn", number), env=environment, stdout=log, stderr=log))
    try:
        for attempt in range(2):
            for number in (2, 1, 0):
                text = found[f"cairn-{number}.toml"] if attempt == 0 else found["cairn-1.toml"]
                (tmp_path / f"cairn-{number}.toml").write_text(here(text, number))
                start(number)
            for number in range(3):
                eventually(lambda n=number: cairn(n, "health").returncode == 0, 60, 0.2, f"cairn-{number} is ready")
            if attempt == 0:
                assert cairn(2, "mb", "files").returncode == 0
                assert cairn(2, "put", "-", "files/object").returncode == 0
            for number in range(3):
                assert cairn(number, "get", "files/object", "-").stdout == "stored"
            for pod in pods:
                pod.terminate()
            while pods:
                assert pods.pop().wait(60) == 0
    finally:
        for pod in pods:
            pod.kill()
