"""Starting, stopping, reloading, looking into a node."""
import os
import re
import resource
import signal
import socket
import subprocess
import time

import pytest

from cairn_node import BINARY, MIB, eventually
from wire import Wire, request_bytes


def run(*arguments, **options):
    return subprocess.run([BINARY, *map(str, arguments)], capture_output=True, timeout=60, **options)


def test_a_second_node_on_the_same_directory_refuses(start_node):
    node = start_node()
    second = run("serve", "--config", node.config, "--set", "http.listen=127.0.0.1:0", "--set", "admin.listen=127.0.0.1:0")
    assert second.returncode == 1
    assert str(node.folder / "data").encode() in second.stderr
    assert node.put("/files/k", b"x").status == 200


def test_a_port_in_use_is_a_clear_error(start_node, tmp_path):
    node = start_node()
    second = run("serve", "--set", f"node.data_dir={tmp_path / 'other'}", "--set", f"http.listen=127.0.0.1:{node.http_port}",
                 "--set", "admin.listen=127.0.0.1:0", cwd=tmp_path)
    assert second.returncode == 1
    assert str(node.http_port).encode() in second.stderr


def test_all_configuration_errors_are_told_at_once_with_exit_code_2(tmp_path):
    config = tmp_path / "bad.toml"
    config.write_text('[storage]\nchunk_sise = "1MiB"\nsegment_size = "1MB5"\n\n[http]\nlisten = "nowhere"\n')
    for command in (("serve", "--config", config), ("config", "check", config)):
        answer = run(*command, cwd=tmp_path)
        text = (answer.stdout + answer.stderr).decode()
        assert answer.returncode == 2, text
        for wanted in ("bad.toml:2", "bad.toml:3", "bad.toml:6", "storage.chunk_size", "segment_size", "http.listen"):
            assert wanted in text, (wanted, text)
    assert not (tmp_path / "cairn-data").exists()


def test_public_anonymous_writes_must_be_said_twice(tmp_path):
    answer = run("serve", "--set", "http.listen=0.0.0.0:0", cwd=tmp_path)
    assert answer.returncode == 2
    assert b"allow_public_writes" in answer.stderr


def test_wrong_usage_exits_with_2_and_help_with_0(tmp_path):
    assert run("no-such-command").returncode == 2
    assert run("put").returncode == 2
    assert run("--help").returncode == 0
    assert run("version").returncode == 0
    for command in ("serve", "put", "get", "ls", "rm", "mb", "rb", "stat", "config", "storage", "bench", "sim"):
        answer = run(command, "--help")
        assert answer.returncode == 0 and answer.stdout, command


def test_defaults_are_a_configuration_that_loads(tmp_path):
    defaults = run("config", "defaults")
    assert defaults.returncode == 0
    (tmp_path / "cairn.toml").write_bytes(defaults.stdout)
    assert run("config", "check", tmp_path / "cairn.toml").returncode == 0


def test_health_turns_ready_and_live(start_node):
    node = start_node()
    assert node.admin("/health/live").status == 200
    assert node.admin("/health/ready").status == 200
    assert node.admin("/no/such/page").status == 404


def test_sigterm_lets_a_running_download_finish(start_node):
    node = start_node(node_stop_timeout="20s", debug_read_delay="20ms", download_window_min=1, download_window_max=1)
    body = os.urandom(40 * MIB)
    node.put("/files/k", body)
    with Wire(node, timeout=30) as w:
        w.send(request_bytes("GET", "/files/k"))
        answer = w.head()
        node.process.send_signal(signal.SIGTERM)
        got = w.body(int(answer.header("content-length")))
        assert got == body
    assert node.process.wait(20) == 0
    node.process = None


def test_sigterm_lets_a_running_upload_finish(start_node):
    node = start_node(node_stop_timeout="20s")
    body = os.urandom(4 * MIB)
    with Wire(node, timeout=30) as w:
        w.send(request_bytes("PUT", "/files/k", [("Content-Length", len(body))], body[:MIB]))
        eventually(lambda: node.metric("cairn_active_uploads") == 1)
        node.process.send_signal(signal.SIGTERM)
        time.sleep(0.3)
        w.send(body[MIB:])
        assert w.answer().status == 200
    assert node.process.wait(20) == 0
    node.start()
    assert node.get("/files/k").body == body


def test_sigterm_ends_stuck_transfers_after_the_timeout(start_node):
    node = start_node(node_stop_timeout="1s")
    node.put("/files/k", os.urandom(64 * MIB))
    with Wire(node, receive_buffer=16384) as down, Wire(node) as up, Wire(node) as idle:
        down.send(request_bytes("GET", "/files/k"))
        assert down.head().status == 200
        up.send(request_bytes("PUT", "/files/k2", [("Content-Length", 4 * MIB)], b"x" * MIB))
        assert idle.send(request_bytes("GET", "/")).answer().status == 200
        start = time.monotonic()
        node.stop()
        assert time.monotonic() - start < 6
    node.start()
    assert node.keys("files") == ["k"]


def test_a_standalone_node_stops_without_the_delay_of_members(start_node):
    node = start_node(node_stop_delay="30s")
    began = time.monotonic()
    node.stop()
    assert time.monotonic() - began < 10


def test_a_stopping_node_takes_no_new_connections_and_is_not_ready(start_node):
    node = start_node(node_stop_timeout="5s")
    node.put("/files/k", os.urandom(64 * MIB))
    with Wire(node, receive_buffer=16384) as w:
        w.send(request_bytes("GET", "/files/k"))
        assert w.head().status == 200
        node.process.send_signal(signal.SIGTERM)

        def refused():
            try:
                return node.get("/").status == 503
            except OSError:
                return True
        eventually(refused, 3, what="new connections are refused")
        try:
            assert node.admin("/health/ready").status == 503
        except OSError:
            pass
    assert node.process.wait(15) == 0
    node.process = None


def test_sighup_applies_what_can_change_and_names_what_cannot(start_node):
    node = start_node()
    assert node.put("/files/k", os.urandom(2 * MIB)).status == 200
    node.settings["limits.object_size"] = "1MiB"
    node.settings["storage.chunk_size"] = "2MiB"
    node.write_config()
    before = len(node.log())
    node.process.send_signal(signal.SIGHUP)
    eventually(lambda: node.put("/files/k2", os.urandom(2 * MIB)).status == 413, what="the new limit")
    eventually(lambda: "storage.chunk_size" in node.log()[before:], what="a line about the key that needs a restart")
    node.settings["limits.object_size"] = "nonsense"
    node.write_config()
    node.process.send_signal(signal.SIGHUP)
    eventually(lambda: "limits.object_size" in node.log()[before:], what="a line about the wrong value")
    assert node.put("/files/k3", b"x").status == 200


def test_sighup_changes_the_log_level(start_node):
    node = start_node(log_level="error")
    node.settings["log.level"] = "debug"
    node.write_config()
    node.process.send_signal(signal.SIGHUP)

    def logged():
        identity = node.get("/files/missing").header("x-amz-request-id")
        return identity in node.log()
    eventually(logged, what="requests in the log")


def test_json_logs_are_one_object_a_line(start_node):
    import json
    node = start_node(log_format="json", log_level="debug")
    node.get("/files/a%22b%0Ac")
    node.stop()
    lines = [line for line in node.log().splitlines() if line.startswith("{")]
    assert lines
    for line in lines:
        json.loads(line)


FAMILIES = {
    "cairn_http_requests_total", "cairn_http_request_duration_seconds", "cairn_http_sent_bytes_total",
    "cairn_http_received_bytes_total", "cairn_active_downloads", "cairn_download_window_slices",
    "cairn_chunk_read_duration_seconds", "cairn_chunk_read_retries_total", "cairn_downloads_cancelled_total",
    "cairn_buffer_bytes", "cairn_buffer_limit_bytes", "cairn_disk_read_queue", "cairn_disk_write_queue",
    "cairn_disk_size_bytes", "cairn_disk_available_bytes", "cairn_chunk_read_errors_total", "cairn_chunks_corrupt_total",
}


def test_the_metrics_page_has_its_families_in_prometheus_text(node, bucket):
    node.put(f"/{bucket}/k", os.urandom(2 * MIB))
    node.get(f"/{bucket}/k")
    answer = node.admin("/metrics")
    assert answer.status == 200 and answer.header("content-type").startswith("text/plain")
    text = answer.body.decode()
    assert FAMILIES <= set(re.findall(r"^# TYPE (\S+) ", text, re.M))
    for line in text.splitlines():
        assert re.match(r"(# (HELP|TYPE) \S+ .*|[a-z_]+(\{[^{}]*\})? [0-9.eE+-]+|[a-z_]+(\{[^{}]*\})? (Inf|\+Inf|NaN))$", line), line


def test_requests_and_bytes_are_counted_by_operation(node, bucket):
    def count(operation, status):
        return node.metric("cairn_http_requests_total", operation=operation, status=status)
    node.get(f"/{bucket}/missing")
    gets, misses, sent = count("get_object", "2xx"), count("get_object", "4xx"), node.metric("cairn_http_sent_bytes_total")
    node.put(f"/{bucket}/k", os.urandom(MIB))
    for _ in range(3):
        node.get(f"/{bucket}/k")
    node.get(f"/{bucket}/missing")
    eventually(lambda: count("get_object", "2xx") == gets + 3)
    assert count("get_object", "4xx") == misses + 1
    assert node.metric("cairn_http_sent_bytes_total") >= sent + 3 * MIB


def test_serve_without_a_file_prints_what_to_try(tmp_path):
    from cairn_node import free_port
    port = free_port()
    process = subprocess.Popen([BINARY, "serve", "--set", f"http.listen=127.0.0.1:{port}", "--set", "admin.listen=127.0.0.1:0"],
                               cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        def up():
            return subprocess.run(["curl", "-sf", f"http://127.0.0.1:{port}/"], capture_output=True).returncode == 0
        eventually(up, what="the node answers")
        (tmp_path / "f").write_bytes(b"hello")
        url = f"http://127.0.0.1:{port}/files/f"
        assert subprocess.run(["curl", "-sf", "-T", str(tmp_path / "f"), url]).returncode == 0
        assert subprocess.run(["curl", "-sf", url], capture_output=True).stdout == b"hello"
    finally:
        process.send_signal(signal.SIGINT)
        output = process.communicate(timeout=20)[0].decode()
    assert process.returncode == 0
    assert (tmp_path / "cairn-data").is_dir()
    assert output.count("curl") >= 3 and f"127.0.0.1:{port}" in output


@pytest.mark.parametrize("keys", [["/no/such/dir/\x00"], ["/proc/cairn-data"]])
def test_an_impossible_data_directory_is_an_error_not_a_crash(tmp_path, keys):
    value = keys[0].replace("\x00", "\\u0000")
    answer = run("serve", "--set", f'node.data_dir="{value}"', "--set", "http.listen=127.0.0.1:0", "--set", "admin.listen=127.0.0.1:0", cwd=tmp_path)
    assert answer.returncode in (1, 2)
    assert answer.stderr




def test_connections_that_can_not_be_accepted_do_not_fill_the_log(make_cluster):
    node = make_cluster(1, tls=False).nodes[0]
    link_port = int(node.settings["cluster.listen"].rsplit(":", 1)[1])
    soft, hard = resource.prlimit(node.process.pid, resource.RLIMIT_NOFILE)
    resource.prlimit(node.process.pid, resource.RLIMIT_NOFILE, (3, hard))  # it has more open
    strangers = [socket.create_connection(("127.0.0.1", port)) for port in (node.http_port, node.admin_port, link_port)
                 for _ in range(3)]
    events = ("accept failed", "accept on the admin port failed", "accept of a link failed")
    try:
        eventually(lambda: all(e in node.log() for e in events), 10, what="a line of each port")
        time.sleep(3)
        for event in events:
            assert node.log().count(event) == 1, f"{event}: {node.log().count(event)} lines in three seconds"
        eventually(lambda: all(node.log().count(e) == 2 for e in events), 15, what="the next line of each port")
        again = [line for line in node.log().splitlines() if any(e in line for e in events)][3:]
        for line in again:
            assert int(line.rsplit("left_out_since_the_last=", 1)[1].split()[0]) > 20, line
    finally:
        resource.prlimit(node.process.pid, resource.RLIMIT_NOFILE, (soft, hard))
        for s in strangers:
            s.close()
    eventually(lambda: node.put("/files/k", b"x").status == 200, 10, what="it serves again")


def test_a_node_without_descriptors_writes_again_when_it_has_some(start_node):
    node = start_node()
    body = os.urandom(300_000)
    connection = node.connect()
    assert node.request("GET", "/files", connection=connection).status == 200
    soft, hard = resource.prlimit(node.process.pid, resource.RLIMIT_NOFILE)
    used = {int(n) for n in os.listdir(f"/proc/{node.process.pid}/fd")}
    free = next(n for n in range(len(used) + 1) if n not in used)
    # One: for the segment's file, and none for flushing its directory.
    resource.prlimit(node.process.pid, resource.RLIMIT_NOFILE, (free + 1, hard))
    try:
        assert node.request("PUT", "/files/large", body, connection=connection).status >= 500
    finally:
        resource.prlimit(node.process.pid, resource.RLIMIT_NOFILE, (soft, hard))
    assert node.put("/files/large", body).status == 200
    assert node.get("/files/large").body == body
    assert "turned read-only" not in node.log()
