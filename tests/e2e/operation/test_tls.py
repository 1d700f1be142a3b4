"""TLS on the HTTP port."""
import os
import signal
import socket
import ssl
import subprocess
import time

import pytest

from cairn_node import MIB, Node, certificate, eventually
from signing import ACCESS, SECRET


@pytest.fixture
def secure(tmp_path):
    cert, key = certificate(tmp_path, "first")
    n = Node(tmp_path / "node", auth_root_access_key=ACCESS, auth_root_secret_key=SECRET)
    n.config.write_text(n.config.read_text() + f'\n[http.tls]\ncert = "{cert}"\nkey = "{key}"\n')
    n.settings["auth.anonymous"] = "none"  # so that start() does not speak HTTP in the clear
    n.start()
    n.cert, n.key = cert, key
    assert curl(n, "-X", "PUT", url(n, "/files")).returncode == 0
    yield n
    n.stop()


def url(node, path):
    return f"https://127.0.0.1:{node.http_port}{path}"


def curl(node, *arguments, cacert=None):
    command = ["curl", "-sSf", "--max-time", "60", "--cacert", str(cacert or node.cert), *map(str, arguments)]
    return subprocess.run(command, capture_output=True)


def test_files_go_there_and_back(secure, tmp_path):
    for size in (0, 1, 4096, 100_000, 30 * MIB + 11):
        body = os.urandom(size)
        (tmp_path / "body").write_bytes(body)
        put = curl(secure, "-T", tmp_path / "body", url(secure, "/files/k"))
        assert put.returncode == 0, put
        got = curl(secure, url(secure, "/files/k"))
        assert got.returncode == 0 and got.stdout == body, size
    assert curl(secure, "-r", "5-9", url(secure, "/files/k")).stdout == body[5:10]
    several = curl(secure, *[a for i in range(5) for a in ("-o", tmp_path / f"{i}", url(secure, "/files/k"))])
    assert several.returncode == 0 and (tmp_path / "4").read_bytes() == body  # one connection


def test_who_does_not_know_the_certificate_goes_no_further(secure, tmp_path):
    other, _ = certificate(tmp_path, "other")
    assert curl(secure, url(secure, "/files"), cacert=other).returncode == 60


def test_protocols(secure):
    context = ssl.create_default_context(cafile=secure.cert)
    context.set_alpn_protocols(["h2", "http/1.1"])
    with context.wrap_socket(socket.create_connection(("127.0.0.1", secure.http_port)), server_hostname="127.0.0.1") as s:
        assert s.version() == "TLSv1.3" and s.selected_alpn_protocol() == "http/1.1"
        s.sendall(b"GET /files HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
        data = b""
        while piece := s.recv(4096):
            data += piece
        assert data.startswith(b"HTTP/1.1 200") and data.endswith(b"</ListBucketResult>")
    old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    old.check_hostname, old.verify_mode = False, ssl.CERT_NONE
    old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_2
    with old.wrap_socket(socket.create_connection(("127.0.0.1", secure.http_port))) as s:
        assert s.version() == "TLSv1.2"


def test_strangers_do_no_harm(secure):
    for data in (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"\x16\x03\x01\xff\xff", os.urandom(1000), b""):
        with socket.create_connection(("127.0.0.1", secure.http_port)) as s:
            s.sendall(data)
            s.shutdown(socket.SHUT_WR)
            s.settimeout(20)
            try:
                while s.recv(4096):
                    pass
            except ConnectionResetError:
                pass
    assert curl(secure, url(secure, "/files")).returncode == 0


def test_a_silent_handshake_ends_in_time(tmp_path):
    cert, key = certificate(tmp_path, "first")
    n = Node(tmp_path / "node", http_header_timeout="1s", auth_anonymous="read-write")
    n.config.write_text(n.config.read_text() + f'\n[http.tls]\ncert = "{cert}"\nkey = "{key}"\n')
    n.settings["auth.anonymous"] = "none"
    n.start()
    with socket.create_connection(("127.0.0.1", n.http_port)) as s:
        s.settimeout(10)
        start = time.monotonic()
        assert s.recv(1) == b"" and time.monotonic() - start < 5
    n.stop()


def test_new_certificates_are_taken_up_without_a_restart(secure, tmp_path):
    context = ssl.create_default_context(cafile=secure.cert)
    kept = context.wrap_socket(socket.create_connection(("127.0.0.1", secure.http_port)), server_hostname="127.0.0.1")
    second, second_key = certificate(tmp_path, "second")
    first = secure.cert.read_bytes()
    secure.cert.write_bytes(second.read_bytes())
    secure.process.send_signal(signal.SIGHUP)  # certificate and key do not fit
    eventually(lambda: "http.tls stays as it was" in secure.log(), what="the refusal is logged")
    (tmp_path / "old.pem").write_bytes(first)
    assert curl(secure, url(secure, "/files"), cacert=tmp_path / "old.pem").returncode == 0
    secure.key.write_bytes(second_key.read_bytes())
    secure.process.send_signal(signal.SIGHUP)
    eventually(lambda: curl(secure, url(secure, "/files"), cacert=second).returncode == 0, what="the new certificate")
    kept.sendall(b"GET /files HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
    assert kept.recv(4096).startswith(b"HTTP/1.1 200")
    kept.close()


def test_a_reload_waits_for_no_fifo(secure):
    good, config = secure.cert.read_bytes(), secure.config.read_text()
    for path in (secure.cert, secure.key, secure.config):
        content, before = path.read_bytes(), len(secure.log())
        path.unlink()
        os.mkfifo(path)
        secure.process.send_signal(signal.SIGHUP)
        eventually(lambda: "regular file" in secure.log()[before:], what=f"{path.name} is refused")
        path.unlink()
        path.write_bytes(content)
    before = len(secure.log())
    secure.process.send_signal(signal.SIGHUP)
    eventually(lambda: "configuration re-read" in secure.log()[before:], what="the next reload")
    assert (secure.cert.read_bytes(), secure.config.read_text()) == (good, config)
    assert curl(secure, url(secure, "/files"), cacert=secure.cert).returncode == 0


@pytest.mark.parametrize("which", ["cert", "key"])
def test_a_start_waits_for_no_fifo(tmp_path, which):
    paths = dict(zip(("cert", "key"), certificate(tmp_path, "first")))
    paths[which].unlink()
    os.mkfifo(paths[which])
    n = Node(tmp_path / "node")
    n.config.write_text(n.config.read_text() + f'\n[http.tls]\ncert = "{paths["cert"]}"\nkey = "{paths["key"]}"\n')
    n.spawn()
    assert n.process.wait(20) == 1 and "not a regular file" in n.log()


def test_a_certificate_that_does_not_do_stops_the_start(tmp_path):
    cert, _ = certificate(tmp_path, "first")
    _, other_key = certificate(tmp_path, "other")
    n = Node(tmp_path / "node")
    n.config.write_text(n.config.read_text() + f'\n[http.tls]\ncert = "{cert}"\nkey = "{other_key}"\n')
    n.spawn()
    assert n.process.wait(20) == 1 and "does not belong to the certificate" in n.log()


def test_clients_are_told_that_nothing_was_cut_off(secure):
    context = ssl.create_default_context(cafile=secure.cert)

    def connect():
        raw = socket.create_connection(("127.0.0.1", secure.http_port), 20)
        return context.wrap_socket(raw, server_hostname="127.0.0.1", suppress_ragged_eofs=False)

    def rest(s):
        data = b""
        while piece := s.recv(4096):  # an end without close_notify is an ssl.SSLEOFError here
            data += piece
        return data

    with connect() as s:
        s.sendall(b"GET /files HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
        assert rest(s).endswith(b"</ListBucketResult>")
    with connect() as refused:  # an answer before the body was sent
        refused.sendall(b"PUT /no-such-bucket/k HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 100000000\r\n\r\n" + bytes(100_000))
        assert refused.recv(4096).startswith(b"HTTP/1.1 404")
    with connect() as idle:
        idle.sendall(b"HEAD /files HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        assert idle.recv(4096).startswith(b"HTTP/1.1 200")
        secure.stop()
        assert rest(idle) == b""
    secure.start()


def test_awscli_over_tls(secure, tmp_path):
    if not os.access("/usr/bin/aws", os.X_OK):
        pytest.skip("awscli is not installed")
    kept = {k: v for k, v in os.environ.items() if not k.startswith("AWS_")}
    settings = dict(kept, AWS_ACCESS_KEY_ID=ACCESS, AWS_SECRET_ACCESS_KEY=SECRET, AWS_DEFAULT_REGION="us-east-1", LC_ALL="C.UTF-8",
                    AWS_EC2_METADATA_DISABLED="true", AWS_CONFIG_FILE="/dev/null", AWS_SHARED_CREDENTIALS_FILE="/dev/null",
                    AWS_CA_BUNDLE=str(secure.cert))
    body = os.urandom(20 * MIB)
    (tmp_path / "body").write_bytes(body)
    for arguments in ((str(tmp_path / "body"), "s3://files/k"), ("s3://files/k", str(tmp_path / "back"))):
        done = subprocess.run(["/usr/bin/aws", "--endpoint-url", url(secure, ""), "s3", "cp", "--only-show-errors", *arguments],
                              capture_output=True, timeout=240, env=settings, text=True)
        assert done.returncode == 0, done.stderr
    assert (tmp_path / "back").read_bytes() == body
