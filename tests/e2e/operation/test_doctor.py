"""`cairn doctor` before the first start, beside a running node, and with each thing that it is there to find."""
import json
import pathlib
import shutil
import socket
import subprocess

import pytest

from cairn_cluster import cairn
from cairn_node import Node, certificate, free_port


def doctor(*settings, code=0, **environment):
    done = cairn("doctor", "--json", *(x for s in settings for x in ("--set", s)), check=False, **environment)
    assert done.returncode == code, done.stdout + done.stderr
    return json.loads(done.stdout)["findings"]


def ports():
    return [f"http.listen=127.0.0.1:{free_port()}", f"admin.listen=127.0.0.1:{free_port()}"]


def of(findings, subject):
    return [f for f in findings if f["subject"].startswith(subject)]


def test_a_machine_is_examined_before_the_first_start_and_left_as_it_was(tmp_path):
    found = doctor(f"node.data_dir={tmp_path}/data", *ports())
    assert not (tmp_path / "data").exists()
    for subject in ("clock", "memory", "open files", "disk ", "metadata ", "http.listen", "admin.listen", "node at"):
        assert of(found, subject), subject
    assert all(f["verdict"] != "problem" for f in found)
    assert any("a flush takes" in f["text"] for f in of(found, "disk"))
    text = cairn("doctor", "--set", f"node.data_dir={tmp_path}/data", *(x for p in ports() for x in ("--set", p)))
    assert "0 problems" in text.stdout


def test_a_running_node_is_not_taken_for_a_stranger(tmp_path):
    node = Node(tmp_path / "node").start()
    try:
        settings = (f"node.data_dir={node.data_dir()}", f"http.listen=127.0.0.1:{node.http_port}", f"admin.listen=127.0.0.1:{node.admin_port}")
        found = doctor(*settings)
        assert of(found, "node at")[0]["text"] == "runs and is ready"
        assert all("in use" in f["text"] for f in of(found, "http.listen"))
    finally:
        node.stop()
    with socket.create_server(("127.0.0.1", node.http_port)):
        taken = of(doctor(*settings, code=1), "http.listen")[0]
    assert taken["verdict"] == "problem" and "Address already in use" in taken["text"] and taken["advice"]


def test_a_folder_in_memory_and_one_that_may_not_be_written_are_problems(tmp_path):
    shm = pathlib.Path("/dev/shm")
    if shm.is_dir():
        found = of(doctor(f"node.data_dir={shm}/cairn-doctor", *ports(), code=1), "disk")
        assert any("is in memory (tmpfs)" in f["text"] for f in found)
    found = of(doctor(f"node.data_dir={tmp_path}/data", 'storage.disks=[{path="/proc/cairn"}]', *ports(), code=1), "disk")
    assert any(f["verdict"] == "problem" for f in found)


def test_flushes_that_are_not_carried_out_are_found(tmp_path):
    library = tmp_path / "no_flush.so"
    source = tmp_path / "no_flush.c"
    source.write_text("int fdatasync(int fd) { return fd < 0; }\n")
    if not shutil.which("cc") or subprocess.run(["cc", "-shared", "-fPIC", "-o", library, source]).returncode != 0:
        pytest.skip("no C compiler")
    found = of(doctor(f"node.data_dir={tmp_path}/data", *ports(), code=1, LD_PRELOAD=str(library)), "disk")
    assert any("probably not carried out" in f["text"] for f in found)


def test_certificates_and_peers_are_tried(tmp_path):
    cert, key = certificate(tmp_path, "cert")
    _, other = certificate(tmp_path, "other")
    settings = (f"node.data_dir={tmp_path}/data", *ports(), f"http.tls.cert={cert}")
    soon = of(doctor(*settings, f"http.tls.key={key}"), "http.tls")[0]
    assert soon["verdict"] == "warning" and "ends in" in soon["text"]
    assert of(doctor(*settings, f"http.tls.key={other}", code=1), "http.tls")[0]["verdict"] == "problem"
    with socket.create_server(("127.0.0.1", 0)) as peer:
        there, absent = peer.getsockname()[1], free_port()
        found = doctor(f"node.data_dir={tmp_path}/data", *ports(), f"cluster.listen=127.0.0.1:{free_port()}",
                       f'cluster.join=["127.0.0.1:{there}","127.0.0.1:{absent}"]')
    assert [f["verdict"] for f in of(found, "peer")] == ["good", "warning"]
