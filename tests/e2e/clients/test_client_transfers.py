"""Large files of cp and sync: in parts, interrupted, continued, verified."""
import hashlib
import http.server
import os
import re
import signal
import subprocess
import threading

import pytest

from cairn_node import BINARY, MIB, eventually


def start(node, *arguments):
    return subprocess.Popen([BINARY, *map(str, arguments)], env=node.command_environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def succeed(node, *arguments):
    done = node.cairn(*arguments)
    assert done.returncode == 0, done
    return done.stdout.decode()


def composed(body, part):
    pieces = [hashlib.md5(body[i:i + part]).digest() for i in range(0, len(body), part)]
    return f'"{hashlib.md5(b"".join(pieces)).hexdigest()}-{len(pieces)}"'


def uploads(node, bucket="files"):
    return re.findall(rb"<UploadId>(.*?)</UploadId>", node.get(f"/{bucket}?uploads").body)


def test_a_large_file_goes_in_parts_and_is_proved_by_a_checksum(node, bucket, tmp_path):
    body = os.urandom(23 * MIB + 7)
    source, back = tmp_path / "a.mp4", tmp_path / "back"
    source.write_bytes(body)
    succeed(node, "cp", "--part-size", "5MiB", source, f"s3://{bucket}/")
    head = node.head(f"/{bucket}/a.mp4", x_amz_checksum_mode="ENABLED")
    assert head.header("etag") == composed(body, 5 * MIB) and head.header("content-type") == "video/mp4"
    assert head.header("x-amz-checksum-crc64nvme") and head.header("x-amz-checksum-type") == "FULL_OBJECT"
    succeed(node, "cp", f"s3://{bucket}/a.mp4", back)
    assert back.read_bytes() == body and back.stat().st_mtime_ns == source.stat().st_mtime_ns
    (tmp_path / "in").mkdir()
    source.rename(tmp_path / "in/a.mp4")
    for flags in ((), ("--checksum",)):
        assert "1 unchanged" in succeed(node, "sync", *flags, tmp_path / "in", f"s3://{bucket}")
        assert "1 unchanged" in succeed(node, "sync", *flags, f"s3://{bucket}", tmp_path / "in")


def test_an_object_in_parts_without_a_checksum_is_proved_by_its_etag(node, bucket, tmp_path):
    (tmp_path / "in").mkdir()
    body = os.urandom(11 * MIB)
    (tmp_path / "in/k").write_bytes(body)
    upload = node.request("POST", f"/{bucket}/k?uploads")
    upload_id = re.search(rb"<UploadId>(.*?)</UploadId>", upload.body).group(1).decode()
    parts = ""
    for i in range(3):
        part = node.put(f"/{bucket}/k?partNumber={i + 1}&uploadId={upload_id}", body[i * 5 * MIB:(i + 1) * 5 * MIB])
        parts += f"<Part><PartNumber>{i + 1}</PartNumber><ETag>{part.header('etag')}</ETag></Part>"
    done = node.request("POST", f"/{bucket}/k?uploadId={upload_id}", f"<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>")
    assert done.status == 200, done
    said = succeed(node, "get", "-r", bucket, tmp_path / "out")
    assert "without a checksum" not in said and (tmp_path / "out/k").read_bytes() == body
    assert "1 unchanged" in succeed(node, "sync", "--checksum", tmp_path / "in", f"s3://{bucket}")


def test_an_upload_that_was_killed_continues_with_the_missing_parts(start_node, tmp_path):
    node = start_node()
    body = os.urandom(120 * MIB)
    source = tmp_path / "big"
    source.write_bytes(body)
    command = ("cp", "--jobs", 1, "--part-size", "5MiB", source, "s3://files/big")
    first = start(node, *command)

    def parts_stored():
        ids = uploads(node)
        return len(re.findall(rb"<Part>", node.get(f"/files/big?uploadId={ids[0].decode()}").body)) if ids else 0

    have = eventually(lambda: parts_stored() >= 5 and parts_stored(), 60, 0.01, "five parts")
    first.send_signal(signal.SIGKILL)
    first.wait()
    assert node.head("/files/big").status == 404, "it was done too early for this test"
    before = node.metric("cairn_http_received_bytes_total")
    succeed(node, *command)
    assert node.metric("cairn_http_received_bytes_total") - before < len(body) - (have - 1) * 5 * MIB
    assert node.get("/files/big").body == body and uploads(node) == []


def test_an_upload_of_a_file_that_changed_meanwhile_is_not_continued(start_node, tmp_path):
    node = start_node()
    source = tmp_path / "big"
    source.write_bytes(os.urandom(60 * MIB))
    upload = node.request("POST", "/files/big?uploads")
    upload_id = re.search(rb"<UploadId>(.*?)</UploadId>", upload.body).group(1).decode()
    node.put(f"/files/big?partNumber=1&uploadId={upload_id}", os.urandom(5 * MIB))
    succeed(node, "cp", "--part-size", "5MiB", source, "s3://files/big")
    assert node.get("/files/big").body == source.read_bytes()
    assert uploads(node) == [upload_id.encode()], "somebody else's upload stays"


@pytest.mark.parametrize("when", ["upload", "download"])
def test_a_node_that_restarts_meanwhile_is_waited_for(start_node, tmp_path, when):
    node = start_node(**({"debug_read_delay": "30ms", "download_window_min": 1, "download_window_max": 1} if when == "download" else {}))
    files = {f"{i:03}": os.urandom(MIB // 2) for i in range(120)}
    (tmp_path / "in").mkdir()
    for name, body in files.items():
        (tmp_path / "in" / name).write_bytes(body)
    if when == "download":
        succeed(node, "put", "-r", tmp_path / "in", "files/p")
        job = start(node, "sync", "--jobs", 2, "s3://files/p", tmp_path / "out")
        eventually(lambda: (tmp_path / "out/010").exists(), 60, what="ten files")
    else:
        job = start(node, "sync", "--jobs", 2, tmp_path / "in", "s3://files/p")
        eventually(lambda: len(node.keys("files", "p/")) > 10, 60, what="ten files")
    node.kill()
    node.start()
    out, errors = job.communicate(timeout=120)
    assert job.returncode == 0, (out, errors)
    if when == "download":
        assert {p.name: p.read_bytes() for p in (tmp_path / "out").iterdir()} == files
    else:
        assert all(node.get(f"/files/p/{name}").body == body for name, body in files.items())


def test_a_node_that_stays_away_ends_the_run_and_the_next_one_goes_on(start_node, tmp_path):
    node = start_node()
    files = {f"{i:03}": os.urandom(MIB // 4) for i in range(150)}
    (tmp_path / "in").mkdir()
    for name, body in files.items():
        (tmp_path / "in" / name).write_bytes(body)
    job = start(node, "sync", "--jobs", 2, tmp_path / "in", "s3://files/p")
    eventually(lambda: len(node.keys("files", "p/")) > 10, 60, 0.01, "ten files")
    node.kill()
    out, errors = job.communicate(timeout=120)
    assert job.returncode == 1 and b"could not be reached" in errors, (out, errors)
    node.start()
    said = succeed(node, "sync", tmp_path / "in", "s3://files/p")
    assert int(re.search(r"(\d+) unchanged", said).group(1)) > 10
    assert all(node.get(f"/files/p/{name}").body == body for name, body in files.items())


def test_a_download_that_was_killed_continues_within_the_file(start_node, tmp_path):
    node = start_node(debug_read_delay="100ms", download_window_min=1, download_window_max=1)
    body = os.urandom(20 * MIB)
    node.put("/files/d/k", body)
    out = tmp_path / "out"
    job = start(node, "sync", "s3://files/d", out)
    eventually(lambda: any(p.stat().st_size > 5 * MIB for p in out.glob(".cairn-part-*") if out.exists()), 30, what="5 MiB came")
    job.kill()
    job.wait()
    have = max(p.stat().st_size for p in out.glob(".cairn-part-*"))
    assert not (out / "k").exists()
    eventually(lambda: node.metric("cairn_active_downloads") == 0)
    before = node.metric("cairn_http_sent_bytes_total")
    succeed(node, "sync", "s3://files/d", out)
    assert node.metric("cairn_http_sent_bytes_total") - before < len(body) - have + MIB
    assert [p.name for p in out.iterdir()] == ["k"] and (out / "k").read_bytes() == body


class RefusesLargeCopies(http.server.BaseHTTPRequestHandler):
    """S3's behaviour for CopyObject of more than 5 GiB, without the 12 GiB."""
    protocol_version = "HTTP/1.1"
    size = 12 << 30
    seen = []

    def answer(self, status, body=b"", **headers):
        self.send_response(status)
        for name, value in ({"Content_Length": len(body)} | headers).items():
            self.send_header(name.replace("_", "-"), str(value))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def do_HEAD(self):
        self.answer(200, Content_Length=self.size, ETag='"e-9"', Content_Type="video/mp4", x_amz_meta_mtime="7.000000000")

    def do_PUT(self):
        span = self.headers.get("x-amz-copy-source-range")
        if not span:
            return self.answer(400, b"<Error><Code>InvalidRequest</Code><Message>larger than 5 GiB</Message></Error>")
        self.seen.append((re.search(r"partNumber=(\d+)", self.path).group(1), span, self.headers["x-amz-copy-source"],
                          self.headers["x-amz-copy-source-if-match"]))
        self.answer(200, b'<CopyPartResult><ETag>"p"</ETag></CopyPartResult>')

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if "uploads" in self.path:
            self.seen.append((self.headers["Content-Type"], self.headers["x-amz-meta-mtime"]))
            return self.answer(200, b"<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>")
        self.seen.append(body)
        self.answer(200, b'<CompleteMultipartUploadResult><ETag>"x-12"</ETag></CompleteMultipartUploadResult>')

    def log_message(self, *_):
        pass


def test_an_object_too_large_for_one_copy_is_copied_in_parts():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), RefusesLargeCopies)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    done = subprocess.run([BINARY, "cp", "--endpoint", f"http://127.0.0.1:{server.server_port}", "--access-key", "", "s3://a/k", "s3://b/k"],
                          capture_output=True, timeout=60)
    server.shutdown()
    seen = RefusesLargeCopies.seen
    assert done.returncode == 0, done
    assert seen[0] == ("video/mp4", "7.000000000") and seen[-1].count(b"<Part>") == 12
    parts = sorted(seen[1:-1], key=lambda s: int(s[0]))
    assert [p[1] for p in parts] == [f"bytes={i << 30}-{((i + 1) << 30) - 1}" for i in range(12)]
    assert {p[2:] for p in parts} == {("/a/k", '"e-9"')}
