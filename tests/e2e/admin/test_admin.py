"""The admin port: its token, its names, TLS, certificates that end; and what the binary is built with."""
import http.client
import os
import re
import signal
import socket
import ssl
import stat
import subprocess
import time

import pytest

from cairn_cluster import admin_of, cairn
from cairn_node import BINARY, Node, certificate, eventually


def ask(node, method, path, **headers):
    c = http.client.HTTPConnection("127.0.0.1", node.admin_port, timeout=20)
    try:
        c.request(method, path, headers={k.replace("_", "-"): v for k, v in headers.items()})
        r = c.getresponse()
        return r.status, r.read()
    finally:
        c.close()


def test_a_node_makes_its_own_token_that_only_its_user_can_read(start_node):
    node = start_node()
    path = node.folder / "data/admin.token"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    token = path.read_text().strip()
    assert re.fullmatch(r"[0-9a-f]{64}", token)
    create = "/keys/command?kind=create&label=x"
    for headers in ({}, {"Cairn_Token": ""}, {"Cairn_Token": "x"}, {"Cairn_Token": token[:-1]}):
        status, body = ask(node, "POST", create, **headers)
        assert status == 403 and b"oken" in body, "from this machine too"
    assert ask(node, "POST", create, Cairn_Token=token)[0] == 200
    assert node.log().count("without the admin token was refused") == 1, "once a minute"
    node.stop()
    node.start()
    assert path.read_text().strip() == token, "kept"
    assert token not in node.log()
    path.chmod(0o600)
    node.stop()
    path.write_text("")  # what a crash left
    node.start()
    assert re.fullmatch(r"[0-9a-f]{64}", path.read_text().strip())


def test_the_command_finds_the_token(start_node, tmp_path):
    node = start_node()
    url = f"http://127.0.0.1:{node.admin_port}"
    empty = tmp_path / "empty"
    empty.mkdir()

    def run(*arguments, **environment):
        kept = {k: v for k, v in os.environ.items() if not k.startswith("CAIRN_")}
        return subprocess.run([BINARY, "key", "list", "--admin", url, *map(str, arguments)], cwd=empty, capture_output=True, text=True,
                              env=kept | environment)
    without = run()
    assert without.returncode == 1 and "cairn-data/admin.token" in without.stderr, without
    token = node.admin_token()
    (tmp_path / "kept").write_text(token + "\n")
    for found in (run("--data-dir", node.data_dir()), run(CAIRN_DATA_DIR=node.data_dir()), run(CAIRN_ADMIN_TOKEN=token),
                  run("--token-file", tmp_path / "kept")):
        assert found.returncode == 0, found
    wrong = run("--token-file", tmp_path / "kept2")
    assert wrong.returncode == 1 and "kept2" in wrong.stderr
    assert token not in node.log()


def raw_answer(node, head):
    """The status of the admin port's answer to a head as it stands."""
    with socket.create_connection(("127.0.0.1", node.admin_port), timeout=10) as s:
        s.sendall(head.encode() + b"Connection: close\r\n\r\n")
        return int(s.makefile("rb").readline().split()[1])


def test_a_web_page_learns_nothing_and_changes_nothing(start_node):
    node = start_node(admin_server_names=["node-1.example"])
    for path in ("/metrics", "/cluster"):
        assert ask(node, "GET", path, Host="rebound.example:9001")[0] == 403
        assert ask(node, "GET", path, Host="node-1.example:9001")[0] != 403
        assert ask(node, "GET", path, Host="localhost")[0] != 403
    assert ask(node, "GET", "/health/live", Host="any.example")[0] == 200
    for head in ("GET /metrics HTTP/1.1\r\nHost: localhost\r\nHost: rebound.example\r\n",
                 "GET http://rebound.example/metrics HTTP/1.1\r\nHost: localhost\r\n"):
        assert raw_answer(node, head) == 400
    assert ask(node, "POST", "/keys/command?kind=create", Origin="http://rebound.example")[0] == 403


def test_what_is_shown_without_the_token_has_no_secrets(make_cluster):
    root = "root-secret-0123456789"
    cluster = make_cluster(2, auth_root_access_key="rootkey", auth_root_secret_key=root, admin_token="an-admin-token-0123456789")
    token = cluster.command("add", "--token-only").stdout.strip()
    node = cluster.nodes[0]
    secret = re.search(r"secret key +(\S+)", node.cairn("key", "create", *admin_of(node)).stdout.decode()).group(1)
    shown = b"".join(ask(n, "GET", path)[1] for n in cluster.nodes
                     for path in ("/metrics", "/cluster", "/cluster?format=text", "/cluster?format=join", "/health/ready"))
    for hidden in (root, token, secret, "an-admin-token-0123456789"):
        assert hidden.encode() not in shown
        for n in cluster.nodes:
            assert hidden not in n.log()


@pytest.fixture
def secure(tmp_path):
    cert, key = certificate(tmp_path, "admin")
    n = Node(tmp_path / "node")
    n.config.write_text(n.config.read_text() + f'\n[admin.tls]\ncert = "{cert}"\nkey = "{key}"\n')
    n.cert, n.key = cert, key
    n.spawn()
    eventually(lambda: curl(n, "/health/ready") == "ready\n", seconds=20, what="ready")
    yield n
    n.stop()


def curl(node, path, cacert=None):
    done = subprocess.run(["curl", "-sS", "--max-time", "20", "--cacert", str(cacert or node.cert),
                           f"https://127.0.0.1:{node.admin_port}{path}"], capture_output=True, text=True)
    return done.stdout if done.returncode == 0 else None


def test_the_admin_port_speaks_tls(secure, tmp_path):
    url = f"https://127.0.0.1:{secure.admin_port}"
    listed = cairn("key", "list", "--admin", url, "--ca", secure.cert, "--data-dir", secure.data_dir())
    assert listed.returncode == 0
    assert cairn("key", "list", "--admin", url, "--data-dir", secure.data_dir(), CAIRN_ADMIN_CA=str(secure.cert)).returncode == 0
    untrusted = cairn("key", "list", "--admin", url, "--data-dir", secure.data_dir(), check=False)
    assert untrusted.returncode == 1 and "--ca" in untrusted.stderr, untrusted
    other, _ = certificate(tmp_path, "other")
    assert cairn("key", "list", "--admin", url, "--ca", other, "--data-dir", secure.data_dir(), check=False).returncode == 1
    elsewhere = cairn("key", "list", "--admin", f"https://localhost.localdomain:{secure.admin_port}", "--ca", secure.cert,
                      "--data-dir", secure.data_dir(), check=False)
    assert elsewhere.returncode == 1, "a name that the certificate does not have"
    with socket.create_connection(("127.0.0.1", secure.admin_port)) as s:
        s.settimeout(20)
        s.sendall(b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n")
        try:
            assert not s.recv(100).startswith(b"HTTP"), "nothing in the clear"
        except ConnectionResetError:
            pass


def handshake(port, cert, protocols=None, ciphers=None, version=None):
    context = ssl.create_default_context(cafile=cert)
    context.check_hostname = False
    if protocols:
        context.set_alpn_protocols(protocols)
    if version:
        context.minimum_version = context.maximum_version = version
    if ciphers:
        context.set_ciphers(ciphers)
    with socket.create_connection(("127.0.0.1", port), 20) as raw:
        with context.wrap_socket(raw) as s:
            return s.version(), s.cipher()[0], s.selected_alpn_protocol()


def test_only_forward_secret_authenticated_ciphers(secure):
    port, cert = secure.admin_port, secure.cert
    assert handshake(port, cert)[0] == "TLSv1.3"
    assert "GCM" in handshake(port, cert, version=ssl.TLSVersion.TLSv1_2)[1]
    for weak in ("AES128-GCM-SHA256:AES256-GCM-SHA384", "ECDHE-ECDSA-AES128-SHA:ECDHE-RSA-AES128-SHA:AES128-SHA",
                 "ECDHE-ECDSA-AES256-SHA384:ECDHE-RSA-AES256-SHA384"):
        with pytest.raises(ssl.SSLError):
            handshake(port, cert, ciphers=weak, version=ssl.TLSVersion.TLSv1_2)
    assert handshake(port, cert, protocols=["h2", "http/1.1"])[2] == "http/1.1"
    with pytest.raises(ssl.SSLError, match="(?i)no.application.protocol"):
        handshake(port, cert, protocols=["h2"])


def test_a_certificate_that_ends_is_shown_warned_of_and_replaced_without_a_restart(secure, tmp_path):
    assert re.search(r'cairn_certificate_expiry_timestamp_seconds\{use="admin"\} \d+', curl(secure, "/metrics"))
    eventually(lambda: "a certificate ends soon" in secure.log(), what="the warning: it is for two days")
    second, second_key = certificate(tmp_path, "second")
    first = tmp_path / "old.pem"
    first.write_bytes(secure.cert.read_bytes())
    secure.cert.write_bytes(second.read_bytes())
    secure.process.send_signal(signal.SIGHUP)
    eventually(lambda: "admin.tls stays as it was" in secure.log(), what="certificate and key do not fit")
    assert curl(secure, "/health/live", cacert=first) == "live\n"
    secure.key.write_bytes(second_key.read_bytes())
    secure.process.send_signal(signal.SIGHUP)
    eventually(lambda: curl(secure, "/health/live", cacert=second) == "live\n", what="the new certificate")


def test_certificates_of_links_are_replaced_without_a_restart(make_cluster):
    cluster = make_cluster(2)
    old = {}
    for node in cluster.nodes:
        data = node.folder / "data"
        old[node] = (data / "node.crt").read_bytes()
        cairn("cluster", "certs", "issue", "--dir", cluster.folder / "ca", "--data-dir", data, "--days", "3", "127.0.0.1")
        node.process.send_signal(signal.SIGHUP)
        eventually(lambda n=node: "configuration re-read" in n.log(), what="it was read")
        eventually(lambda n=node: n.metric("cairn_certificate_expiry_timestamp_seconds", use="cluster") < time.time() + 4 * 86400,
                   what="the end of the new one")
    for node in cluster.nodes:
        eventually(lambda n=node: "a certificate ends soon" in n.log() and "use=cluster" in n.log(), what="the warning")
    eventually(lambda: cluster.command("status").stdout.count("CERTIFICATE: that of node") == 2, seconds=20, what="in the status")
    # New links show the new certificate.
    port = int(cluster.nodes[0].settings["cluster.listen"].rpartition(":")[2])
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    data = cluster.nodes[1].folder / "data"
    context.load_cert_chain(data / "node.crt", data / "node.key")
    with context.wrap_socket(socket.create_connection(("127.0.0.1", port), 10)) as s:
        shown = ssl.DER_cert_to_PEM_cert(s.getpeercert(True))
    now = (cluster.nodes[0].folder / "data/node.crt").read_text()
    assert shown.strip() == now.strip() and shown.encode().strip() != old[cluster.nodes[0]].strip()
    # A certificate of somebody else is none of this node's.
    other = cairn("cluster", "certs", "issue", "--dir", cluster.folder / "ca", "--node", "6e0b0c3a-5a57-4d0c-9d0c-0f1f6c1f8f11", "--out",
                  cluster.folder / "other")
    assert other.returncode == 0
    node = cluster.nodes[1]
    for name in ("node.crt", "node.key"):
        (node.folder / "data" / name).write_bytes((cluster.folder / "other" / name).read_bytes())
    node.process.send_signal(signal.SIGHUP)
    eventually(lambda: "cluster.tls stays as it was" in node.log(), what="the refusal is logged")
    assert node.put("/files/after", b"x").status == 200


def test_logs_show_no_control_characters(start_node):
    node = start_node(auth_anonymous="none", log_level="debug")
    for bad in ("%C2%9B31m", "%E2%80%AEtxt", "%7F", "%E2%80%A8"):
        node.get(f"/files/{bad}")
        node.cairn("ls", f"files/{bad}")
    text = node.log_path.read_bytes().decode(errors="surrogateescape")
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]", text)


def test_the_binary_is_hardened():
    def readelf(*flags):
        return subprocess.run(["readelf", "-W", *flags, BINARY], capture_output=True, text=True, check=True).stdout
    if "__asan_init" in readelf("--dyn-syms"):
        pytest.skip("a sanitizer's build")
    header, dynamic, segments, symbols = readelf("-h"), readelf("-d"), readelf("-l"), readelf("--dyn-syms")
    assert re.search(r"Type:\s+DYN", header), "position-independent"
    assert "GNU_RELRO" in segments and re.search(r"BIND_NOW|Flags:.*NOW", dynamic), "full RELRO"
    assert re.search(r"GNU_STACK\s+\S+ \S+ \S+ \S+ \S+\s+RW\s", segments), "no executable stack"
    assert "__stack_chk_fail" in symbols, "stack protector"
    assert re.search(r"__\w+_chk", symbols.replace("__stack_chk_fail", "")), "FORTIFY"
    assert "RPATH" not in dynamic and "RUNPATH" not in dynamic
