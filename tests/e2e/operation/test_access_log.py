"""The access log and the log of slow requests: what is asked is what they say, and they disturb no request."""
import calendar
import json
import os
import re
import signal
import socket
import struct
import subprocess
import time
import urllib.parse

import pytest

from cairn_node import MIB, Node, eventually
from client_programs import signed_environment
from disk_faults import Ballast, small_file_system
from rights import cairn
from signing import ACCESS, SECRET, Signer, call

KEYS = {"auth_root_access_key": ACCESS, "auth_root_secret_key": SECRET}
QUOTED = r'"((?:[\x20-\x21\x23-\x5b\x5d-\x7e]|\\x[0-9A-F]{2})*)"'
COMBINED = re.compile(rf'(\S+) - (\S+) \[(\d\d/[A-Z][a-z]{{2}}/\d{{4}}:\d\d:\d\d:\d\d \+0000)\] {QUOTED} (\d{{3}}) (\d+) {QUOTED} {QUOTED}')


def logging_node(folder, file="access.log", log_format="combined", start=True, more=None, **settings):
    n = Node(folder, **settings)
    n.access = str(n.folder / file) if not file.startswith(("/", "-")) else file
    n.settings.update({"access_log.file": n.access, "access_log.format": log_format, **(more or {})})
    n.write_config()
    if not start:
        return n.spawn()
    n.start()
    if n.settings.get("auth.anonymous") != "none" and os.path.isfile(n.access):
        eventually(lambda: raw_lines(n.access), what="the line of the first bucket")
    return n


def raw_lines(path):
    with open(path, "rb") as f:
        return f.read().decode().split("\n")[:-1]


def plain(text):
    return re.sub(r"\\x([0-9A-F]{2})", lambda m: chr(int(m.group(1), 16)), text)


def combined_of(line):
    found = COMBINED.fullmatch(line)
    assert found and line.isascii(), line
    address, user, when, request, status, size, referer, agent = found.groups()
    assert abs(calendar.timegm(time.strptime(when, "%d/%b/%Y:%H:%M:%S +0000")) - time.time()) < 3600
    return {"address": address, "user": user, "request": plain(request), "status": int(status), "bytes": int(size),
            "referer": plain(referer), "agent": plain(agent)}


def json_of(line):
    return json.loads(line)


class since:
    """The `count` lines of the block's requests: they follow their answers."""

    def __init__(self, node, count, parse=combined_of):
        self.node, self.count, self.parse = node, count, parse

    def __enter__(self):
        self.before = len(raw_lines(self.node.access))
        return self

    def __exit__(self, failed, *_):
        if failed:
            return
        eventually(lambda: len(raw_lines(self.node.access)) >= self.before + self.count, what="lines")
        self.lines = [self.parse(line) for line in raw_lines(self.node.access)[self.before:]]
        assert len(self.lines) == self.count, self.lines


def test_combined_lines_say_what_was_asked_and_answered(tmp_path, ended):
    n = logging_node(tmp_path / "n", **KEYS)
    ended(n)
    body = os.urandom(300_000)
    (tmp_path / "body").write_bytes(body)
    curl = ["curl", "-sS", "-A", 'probe "1"\\', "-e", "https://example.org/a?Signature=secret0", "-o", os.devnull]
    with since(n, 6) as log:
        subprocess.run([*curl, "-T", tmp_path / "body", n.url("/files/a%20b")], check=True)
        subprocess.run([*curl, "-r", "100-299", n.url("/files/a%20b?versionId=null")], check=True)
        subprocess.run([*curl, "-I", n.url("/files/a%20b")], check=True)
        subprocess.run([*curl, "--http1.0", n.url("/files/none")], check=True)
        subprocess.run([*curl, n.url("/files/a%20b")], check=True)
        assert call(n, "DELETE", "/files/a%20b").status == 204
    assert [(line["request"], line["status"]) for line in log.lines] == [
        ("PUT /files/a%20b HTTP/1.1", 200), ("GET /files/a%20b?versionId=null HTTP/1.1", 206), ("HEAD /files/a%20b HTTP/1.1", 200),
        ("GET /files/none HTTP/1.0", 404), ("GET /files/a%20b HTTP/1.1", 200), ("DELETE /files/a%20b HTTP/1.1", 204)]
    assert [line["bytes"] for line in log.lines[:3]] == [0, 200, 0]
    assert log.lines[4]["bytes"] == len(body) and log.lines[3]["bytes"] > 50
    for line in log.lines[:5]:
        assert (line["address"], line["user"], line["agent"]) == ("127.0.0.1", "-", 'probe "1"\\')
        assert line["referer"] == "https://example.org/a?Signature=***"
    assert (log.lines[5]["user"], log.lines[5]["referer"]) == (ACCESS, "-")
    assert n.metric("cairn_access_log_dropped_total") == 0
    assert os.stat(n.access).st_mode & 0o077 == 0


def test_json_lines_say_it_too_and_no_line_has_a_signature(tmp_path, ended):
    n = logging_node(tmp_path / "n", log_format="json", **KEYS)
    ended(n)
    host = f"127.0.0.1:{n.http_port}"
    data = b"x" * 10_000
    with since(n, 4, json_of) as log:
        put = n.request("PUT", "/files/k%C3%A4", data, {"User-Agent": "probe/1"})
        presigned = Signer().presigned("GET", host, "/files/k%C3%A4", X_Amz_Security_Token="token-of-a-session")
        seen = n.request("GET", presigned)
        plain_url = n.request("GET", Signer().presigned("GET", host, "/files/k%C3%A4"))
        wrong = n.request("GET", Signer(secret="another-secret-0123").presigned("GET", host, "/files/k%C3%A4"))
    first, token, get, refused = log.lines
    assert put.status == 200 and plain_url.body == data and wrong.status == 403
    assert (first["request_method"], first["request_uri"], first["server_protocol"]) == ("PUT", "/files/k%C3%A4", "HTTP/1.1")
    assert (first["operation"], first["bucket"], first["key"]) == ("put_object", "files", "kä")
    assert first["request_id"] == put.header("x-amz-request-id") and first["http_user_agent"] == "probe/1"
    assert first["request_length"] > len(data) and first["body_bytes_sent"] == 0 < first["bytes_sent"]
    assert 0 < first["first_byte_time_us"] <= first["request_time_us"] < 60e6 and first["request_completion"] == "OK"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", first["time_iso8601"]) and "remote_user" not in first
    assert (get["status"], get["body_bytes_sent"], get["remote_user"]) == (200, len(data), ACCESS)
    assert (token["status"], refused["status"], refused["remote_user"]) == (seen.status, 403, ACCESS)
    assert get["request_uri"].endswith("&X-Amz-Signature=***")
    assert "X-Amz-Security-Token=***" in token["request_uri"]
    everything = open(n.access).read()
    sent = urllib.parse.parse_qs(presigned.partition("?")[2])["X-Amz-Signature"][0]
    for secret in (SECRET, sent, "token-of-a-session"):
        assert secret not in everything


def test_clients_of_s3_are_in_it(tmp_path, ended):
    n = logging_node(tmp_path / "n", log_format="json", auth_anonymous="none", **KEYS)
    ended(n)
    (tmp_path / "one").write_bytes(b"one")
    aws = ["aws", "--endpoint-url", n.url(), "s3"]
    for command in (["mb", "s3://tools"], ["cp", tmp_path / "one", "s3://tools/one"], ["cp", "s3://tools/one", tmp_path / "two"],
                    ["presign", "s3://tools/one"]):
        subprocess.run([*aws, *command], env=signed_environment(), check=True, capture_output=True)
    operations = eventually(lambda: len(raw_lines(n.access)) >= 4 and [json_of(line)["operation"] for line in raw_lines(n.access)])
    assert operations == ["create_bucket", "put_object", "head_object", "get_object"]
    assert all(json_of(line)["remote_user"] == ACCESS and "aws-cli" in json_of(line)["http_user_agent"] for line in raw_lines(n.access))


def exchange(n, sent):
    with n.socket() as s:
        s.sendall(sent)
        answer = b""
        while piece := s.recv(65536):
            answer += piece
        return answer


@pytest.mark.parametrize("log_format", ["combined", "json"])
def test_no_client_forges_a_line(tmp_path, ended, log_format):
    n = logging_node(tmp_path / "n", log_format=log_format)
    ended(n)
    key = 'x" 200 1 "-" "-"\n1.2.3.4 - root\r\x1b[2J\x85‮'
    agent = 'a" 200 "\\\x9b2J'.encode("latin-1") + "‮".encode()
    before = len(raw_lines(n.access))
    exchange(n, b"GET /files/" + urllib.parse.quote(key).encode() + b'?a="\\\xff HTTP/1.1\r\nHost: localhost\r\nUser-Agent: ' + agent +
             b"\r\nConnection: close\r\n\r\n")
    for malformed in (b"\x16\x03\x01\x02\x00\x01\r\n\r\n", b'GET /a"b\x1b[2J HTTP/1.1\r\nHost: localhost\r\n\r\n', b"no request\n\n",
                      b"GET /?X-Amz-Signature=secret0 HTTP/9.9\r\n\r\n", b"GET /" + b"x" * 20_000 + b" HTTP/1.1\r\n\r\n"):
        exchange(n, malformed)
    lines = eventually(lambda: len(raw_lines(n.access)) >= before + 6 and raw_lines(n.access)[before:])
    assert len(lines) == 6
    assert not re.search("[\x00-\x1f\x7f-\x9f\u202e\u2028]", "".join(lines)), "nothing drives a terminal"
    assert "secret0" not in "".join(lines)
    if log_format == "combined":
        first = combined_of(lines[0])
        assert first["agent"].encode("latin-1") == agent
        assert [combined_of(line)["status"] for line in lines[1:]] == [400, 400, 400, 505, 414]
        assert combined_of(lines[1])["request"] == "\x16\x03\x01\x02\x00\x01"
        assert combined_of(lines[2])["request"] == 'GET /a"b\x1b[2J HTTP/1.1'
        assert combined_of(lines[4])["request"] == "GET /?X-Amz-Signature=*** HTTP/9.9"
        assert len(lines[5]) < 3000
    else:
        assert json_of(lines[0])["key"] == key
        assert [json_of(line)["status"] for line in lines[1:]] == [400, 400, 400, 505, 414]


def test_a_request_that_is_broken_off_has_its_line(tmp_path, ended):
    n = logging_node(tmp_path / "n", log_format="json")
    ended(n)
    with since(n, 1, json_of):
        assert n.put("/files/big", b"x" * (64 * MIB)).status == 200
    with since(n, 2, json_of) as log:
        with n.socket() as s:
            s.sendall(b"PUT /files/half HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\n" + b"x" * 1000)
        eventually(lambda: len(raw_lines(n.access)) > log.before)
        with n.socket(receive_buffer=65536) as s:
            s.sendall(b"GET /files/big HTTP/1.1\r\nHost: localhost\r\n\r\n")
            s.recv(1000)
            s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    put, get = log.lines
    assert (put["operation"], put["key"]) == ("put_object", "half")
    assert put["status"] in (400, 499), "the body's end may be seen before the connection's"
    assert (get["status"], get["key"]) == (200, "big") and 0 < get["body_bytes_sent"] < 64 * MIB
    assert "request_completion" not in get


def test_a_renamed_file_is_left_at_sighup(tmp_path, ended):
    n = logging_node(tmp_path / "n")
    ended(n)
    with since(n, 1):
        n.put("/files/old", b"x")
    os.rename(n.access, n.access + ".1")
    n.process.send_signal(signal.SIGHUP)
    eventually(lambda: os.path.exists(n.access), what="the new file")
    with since(n, 1) as log:
        n.put("/files/new", b"x")
    assert log.lines[0]["request"] == "PUT /files/new HTTP/1.1"
    assert combined_of(raw_lines(n.access + ".1")[-1])["request"] == "PUT /files/old HTTP/1.1"


def test_a_full_disk_disturbs_no_request_and_lines_go_on_when_it_has_room(tmp_path):
    with small_file_system(tmp_path / "small", "tmpfs", 4) as small:
        n = logging_node(tmp_path / "n", str(small / "access.log"))
        try:
            ballast = Ballast(small)
            ballast.fill()
            for i in range(300):
                assert n.put(f"/files/{i}", b"x").status == 200
            assert n.admin("/health/ready").status == 200
            eventually(lambda: n.put("/files/k", b"x").status == 200 and n.metric("cairn_access_log_dropped_total") > 0)
            assert n.log().count("a log cannot be written") == 1, "once, not for each line"
            ballast.remove()

            def logged():
                assert n.get("/files/0").status == 200
                return any("GET /files/0 " in line for line in raw_lines(n.access))
            eventually(logged, 20, 0.2)
            assert all(COMBINED.fullmatch(line) for line in raw_lines(n.access)), "no line is torn"
        finally:
            n.stop()


def test_a_node_does_not_start_without_its_file(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for i, (path, why) in enumerate(((str(tmp_path / "nowhere" / "access.log"), "No such file"), (str(tmp_path), "Is a directory"),
                                     (str(tmp_path / "pipe"), "not a regular file"))):
        n = logging_node(tmp_path / f"n{i}", path, start=False)
        assert n.process.wait(20) != 0
        assert path in n.log() and why in n.log()


def test_standard_output_takes_the_lines_and_the_last_one_is_not_lost(tmp_path):
    n = logging_node(tmp_path / "n", "-", "json")
    n.put("/files/last", b"x")
    n.stop()
    lines = [json_of(line) for line in n.log().splitlines() if line.startswith('{"time_iso8601"')]
    assert (lines[-1]["request_uri"], lines[-1]["status"]) == ("/files/last", 200)


# Slow requests


SLOW = {"log.slow_request": "1s"}


def slow_lines(n):
    return [line for line in n.log().splitlines() if "slow request" in line]


def fields_of(line):
    return {k: v.strip('"') for k, v in re.findall(r'(\w+)=("[^"]*"|\S+)', line)}


def test_a_slow_client_is_no_slow_node(tmp_path, ended):
    n = logging_node(tmp_path / "n", log_format="json", more=SLOW)
    ended(n)
    with since(n, 1, json_of):
        assert n.put("/files/big", b"x" * (32 * MIB)).status == 200
    with since(n, 2, json_of) as log:
        with n.socket() as s:
            s.sendall(b"PUT /files/slow HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2000000\r\nConnection: close\r\n\r\n")
            for _ in range(4):
                time.sleep(0.6)
                s.sendall(b"x" * 500_000)
            assert s.recv(100).startswith(b"HTTP/1.1 200")
        with n.socket(receive_buffer=65536) as s:
            s.sendall(b"GET /files/big HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            s.recv(1000)
            time.sleep(2.5)
            while s.recv(1 << 20):
                pass
    assert [line["request_time_us"] > 2_000_000 for line in log.lines] == [True, True], log.lines
    assert slow_lines(n) == []
    assert n.metric("cairn_slow_requests_total") == 0


def test_a_slow_node_says_where_the_time_went(tmp_path, ended):
    n = logging_node(tmp_path / "n", more=SLOW, debug_read_delay="1500ms", limits_cache=0, **KEYS)
    ended(n)
    assert n.put("/files/fast", b"x").status == 200  # kept in the metadata: no chunk is read
    assert n.get("/files/fast").status == 200
    assert n.put("/files/slow", b"x" * 100_000).status == 200
    answer = call(n, "GET", "/files/slow")
    assert answer.status == 200
    line, = eventually(lambda: slow_lines(n))
    said = fields_of(line)
    assert " warning " in line
    assert (said["request"], said["operation"], said["bucket"], said["key"]) == (
        answer.header("x-amz-request-id"), "get_object", "files", "slow")
    assert (said["status"], said["access_key"], said["address"]) == ("200", ACCESS, "127.0.0.1")
    us = {k: int(v) for k, v in said.items() if k.endswith("_us")}
    assert us["rest_us"] >= 1_400_000 and us["server_us"] == us["authentication_us"] + us["metadata_us"] + us["rest_us"]
    assert us["body_us"] == 0 and us["total_us"] >= us["server_us"]
    assert n.metric("cairn_slow_requests_total") == 1

    assert n.admin("/v1/slow-requests").status == 401, "names of objects are shown to operators"
    kept, = json.loads(cairn(n, "trace", "--json"))["requests"]
    assert {k: kept[k] for k in us} == us and kept["request"] == said["request"]
    tree = cairn(n, "trace")
    assert "get_object files/slow  200" in tree and re.search(r"│  └─ rest +1\.\d\d s\n", tree), tree

    n.settings["log.slow_request"] = "0s"
    n.write_config()
    n.process.send_signal(signal.SIGHUP)
    eventually(lambda: "configuration re-read" in n.log())
    assert n.get("/files/slow").status == 200
    assert len(slow_lines(n)) == 1 and n.metric("cairn_slow_requests_total") == 1


def test_slow_requests_do_not_flood_the_log(tmp_path, ended):
    n = logging_node(tmp_path / "n", "-", more={"log.slow_request": "1us"})
    ended(n)
    begun = time.monotonic()
    for i in range(300):
        assert n.get(f"/files/none{i}").status == 404
    most = 4 * (time.monotonic() - begun) + 6
    assert n.metric("cairn_slow_requests_total") >= 300
    assert 0 < len(slow_lines(n)) <= most
    assert " error " not in n.log()
