"""HTTP/1.1 on the wire: what clients may send, and what must be refused (RFC 9112)."""
import os
import socket
import time

import pytest

from cairn_node import MIB, eventually
from wire import Wire, exchange, request_bytes, timed


def test_pipelined_requests_are_answered_in_order(node, bucket):
    bodies = {f"k{i}": os.urandom(size) for i, size in enumerate((10, 5000, MIB + 3, 0, 200))}
    with Wire(node) as w:
        w.send(b"".join(request_bytes("PUT", f"/{bucket}/{k}", [("Content-Length", len(b))], b) for k, b in bodies.items()))
        for _ in bodies:
            assert w.answer().status == 200
        w.send(b"".join(request_bytes(m, f"/{bucket}/{k}") for k in bodies for m in ("GET", "HEAD")) +
               request_bytes("GET", f"/{bucket}/missing") + request_bytes("GET", f"/{bucket}/k0"))
        for body in bodies.values():
            assert w.answer().body == body
            assert w.answer(head_only=True).header("content-length") == str(len(body))
        assert w.answer().status == 404
        assert w.answer().body == bodies["k0"]


def test_a_request_may_arrive_byte_by_byte(node, bucket):
    with Wire(node) as w:
        for byte in request_bytes("PUT", f"/{bucket}/k", [("Content-Length", 3)], b"abc"):
            w.send(bytes([byte]))
        assert w.answer().status == 200
    assert node.get(f"/{bucket}/k").body == b"abc"


@pytest.mark.parametrize("name,data", [
    ("length and chunked", request_bytes("PUT", "/files/x", [("Content-Length", 5), ("Transfer-Encoding", "chunked")], b"0\r\n\r\n")),
    ("two lengths", request_bytes("PUT", "/files/x", [("Content-Length", 5), ("Content-Length", 6)], b"hello")),
    ("a list of lengths", request_bytes("PUT", "/files/x", [("Content-Length", "5, 6")], b"hello")),
    ("negative length", request_bytes("PUT", "/files/x", [("Content-Length", -1)])),
    ("signed length", request_bytes("PUT", "/files/x", [("Content-Length", "+5")], b"hello")),
    ("huge length", request_bytes("PUT", "/files/x", [("Content-Length", "9" * 30)])),
    ("hex length", request_bytes("PUT", "/files/x", [("Content-Length", "0x5")], b"hello")),
    ("folded header", b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-A: b\r\n c\r\n\r\n"),
    ("space before colon", b"GET / HTTP/1.1\r\nHost : 127.0.0.1\r\n\r\n"),
    ("no host", b"GET / HTTP/1.1\r\n\r\n"),
    ("two hosts", b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nHost: 127.0.0.1\r\n\r\n"),
    ("bare line feeds", b"GET / HTTP/1.1\nHost: 127.0.0.1\n\n"),
    ("garbage", b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n"),
    ("no version", b"GET /\r\n\r\n"),
    ("bad header name", b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nA(b): c\r\n\r\n"),
    ("control in value", b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-A: b\x01c\r\n\r\n"),
    ("nul in value", b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-A: b\x00c\r\n\r\n"),
    ("space in target", b"GET /a b HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"),
])
def test_what_could_be_read_in_two_ways_is_refused_and_the_connection_ends(node, name, data):
    with Wire(node) as w:
        w.send(data)
        answer = w.answer()
        assert answer is not None and answer.status == 400, (name, answer)
        assert w.closed()


@pytest.mark.parametrize("coding", ["gzip", "chunked, chunked", "gzip, chunked", "identity", "xchunked"])
def test_other_transfer_codings_are_refused(node, coding):
    answer = exchange(node, request_bytes("PUT", "/files/x", [("Transfer-Encoding", coding)], b"0\r\n\r\n"))
    assert answer.status in (400, 501), answer


@pytest.mark.parametrize("version", ["HTTP/2.0", "HTTP/0.9", "HTTP/1.x", "http/1.1"])
def test_other_versions_are_refused(node, version):
    answer = exchange(node, f"GET / {version}\r\nHost: 127.0.0.1\r\n\r\n".encode())
    assert answer.status in (400, 505), answer


@pytest.mark.parametrize("body", [
    b"x\r\nhello\r\n0\r\n\r\n", b"-5\r\nhello\r\n0\r\n\r\n", b"5\r\nhelloXX0\r\n\r\n", b"5;\nhello\r\n0\r\n\r\n",
    b"ffffffffffffffffff\r\nhello", b"0x5\r\nhello\r\n0\r\n\r\n", b"5 5\r\nhello\r\n0\r\n\r\n", b"5\nhello\n0\n\n",
])
def test_bad_chunk_sizes_are_refused_and_nothing_is_stored(node, bucket, body):
    with Wire(node) as w:
        w.send(request_bytes("PUT", f"/{bucket}/k", [("Transfer-Encoding", "chunked")], body))
        answer = w.answer()
        assert answer.status in (400, 408), answer  # a bare line feed only looks like a line that goes on
        assert w.closed()
    assert node.get(f"/{bucket}/k").status == 404


def test_an_endless_chunk_extension_is_cut_off(node, bucket):
    with Wire(node, timeout=10) as w:
        w.send(request_bytes("PUT", f"/{bucket}/k", [("Transfer-Encoding", "chunked")], b"5;" + b"e" * MIB))
        assert w.answer().status == 400
    assert node.get(f"/{bucket}/k").status == 404


def test_chunk_extensions_and_trailers_are_allowed_and_ignored(node, bucket):
    body = b"5;ext=1\r\nhello\r\n1;a=\"b\"\r\n!\r\n0\r\nX-Trailer: yes\r\n\r\n"
    with Wire(node) as w:
        w.send(request_bytes("PUT", f"/{bucket}/k", [("Transfer-Encoding", "chunked")], body))
        assert w.answer().status == 200
        assert w.send(request_bytes("GET", f"/{bucket}/k")).answer().body == b"hello!"


def test_a_smuggled_request_is_never_answered(node, bucket):
    node.put(f"/{bucket}/victim", b"x")
    inner = request_bytes("DELETE", f"/{bucket}/victim")
    with Wire(node) as w:
        w.send(request_bytes("PUT", f"/{bucket}/k", [("Content-Length", len(inner) + 5), ("Transfer-Encoding", "chunked")],
                             b"0\r\n\r\n" + inner))
        assert w.answer().status == 400
        assert w.closed()
    assert node.get(f"/{bucket}/victim").status == 200


def test_headers_above_the_limit_are_431(node):
    for data in (request_bytes("GET", "/", [("X-Big", "v" * 20000)]),
                 request_bytes("GET", "/", [(f"X-{i}", "v" * 30) for i in range(1000)])):
        assert exchange(node, data).status == 431


def test_a_target_above_the_limit_is_refused(node):
    assert exchange(node, request_bytes("GET", "/" + "a" * 30000)).status in (414, 431)


def test_an_endless_header_is_cut_off(node):
    with Wire(node) as w:
        w.send(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: ")
        try:
            for _ in range(100):
                w.send(b"v" * 10000)
        except (BrokenPipeError, ConnectionResetError):
            pass
        try:
            answer = w.answer()
        except ConnectionResetError:
            answer = None
        assert answer is None or answer.status == 431


def test_a_slow_header_is_408_in_its_time(node):
    with Wire(node) as w:
        w.send(b"GET / HTTP/1.1\r\nHost: 127.")
        answer, seconds = timed(w.answer)
        assert answer.status == 408
        assert 1.5 < seconds < 5
        assert w.closed()


def test_dripping_a_header_does_not_prolong_its_time(node):
    with Wire(node) as w:
        start = time.monotonic()
        w.s.settimeout(0.05)
        for byte in b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: " + b"v" * 1000:
            w.send(bytes([byte]))
            try:
                w.more()
                break
            except socket.timeout:
                assert time.monotonic() - start < 5
        assert w.buffer.startswith(b"HTTP/1.1 408 ")
        assert 1.5 < time.monotonic() - start < 5


def test_a_body_that_stops_is_408_and_stores_nothing(node, bucket):
    for headers, part in (([("Content-Length", 3 * MIB)], os.urandom(MIB + 5)),
                          ([("Transfer-Encoding", "chunked")], b"100000\r\n" + os.urandom(1000))):
        with Wire(node) as w:
            w.send(request_bytes("PUT", f"/{bucket}/k", headers, part))
            answer, seconds = timed(w.answer)
            assert answer.status == 408, answer
            assert 2 < seconds < 8
            assert w.closed()
    assert node.get(f"/{bucket}/k").status == 404


def test_a_slow_body_that_goes_on_is_served(node, bucket):
    body = os.urandom(20)
    with Wire(node) as w:
        w.send(request_bytes("PUT", f"/{bucket}/k", [("Content-Length", len(body))]))
        for byte in body:
            w.send(bytes([byte]))
            time.sleep(0.25)  # longer than the idle timeout in all
        assert w.answer().status == 200
    assert node.get(f"/{bucket}/k").body == body


def test_an_idle_connection_is_closed_silently(node):
    with Wire(node) as w:
        assert w.send(request_bytes("GET", "/")).answer().status == 200
        closed, seconds = timed(lambda: w.closed(within=10))
        assert closed and 1.5 < seconds < 8


def test_expect_100_continue_waits_for_the_go_ahead(node, bucket):
    with Wire(node) as w:
        w.send(request_bytes("PUT", f"/{bucket}/k", [("Content-Length", 5), ("Expect", "100-continue")]))
        assert w.head().status == 100
        w.send(b"hello")
        assert w.answer().status == 200
        assert w.send(request_bytes("GET", f"/{bucket}/k")).answer().body == b"hello"


def test_expect_100_continue_gets_the_refusal_without_sending_the_body(node, bucket):
    node.put(f"/{bucket}/k", b"x")
    for target, headers, status in (("/no-such-bucket/k", [], 404), (f"/{bucket}/k", [("Content-MD5", "bad")], 400)):
        with Wire(node) as w:
            w.send(request_bytes("PUT", target, [("Content-Length", 5 * MIB), ("Expect", "100-continue")] + headers))
            assert w.head().status == status


def test_an_unknown_expectation_means_nothing(node, bucket):
    assert exchange(node, request_bytes("PUT", f"/{bucket}/k", [("Content-Length", 0), ("Expect", "magic")])).status == 200


def test_a_put_without_a_length_is_411(node, bucket):
    answer = exchange(node, request_bytes("PUT", f"/{bucket}/k"))
    assert answer.status == 411 and answer.code() == "MissingContentLength"


def test_options_and_405_name_the_allowed_methods(node, bucket):
    for target, wanted in (("/", {"GET"}), (f"/{bucket}", {"GET", "HEAD", "PUT", "DELETE"}), (f"/{bucket}/k", {"GET", "HEAD", "PUT", "DELETE"})):
        options = exchange(node, request_bytes("OPTIONS", target))
        assert options.status == (200 if target == "/" else 400)  # S3 wants an Origin
        refused = exchange(node, request_bytes("PATCH", target, [("Content-Length", 0)]))
        assert (refused.status, refused.code()) == (405, "MethodNotAllowed")
        for answer in (options, refused):
            assert wanted <= {m.strip() for m in answer.header("allow").split(",")}, target
    assert exchange(node, request_bytes("OPTIONS", "*")).status in (200, 204)


def test_head_is_a_head_even_for_errors_and_the_connection_goes_on(node, bucket):
    with Wire(node) as w:
        assert w.send(request_bytes("HEAD", f"/{bucket}/missing")).answer(head_only=True).status == 404
        assert w.send(request_bytes("HEAD", "/no-such-bucket")).answer(head_only=True).status == 404
        assert w.send(request_bytes("GET", "/")).answer().status == 200


def test_connection_close_is_honoured_and_http_1_0_closes(node, bucket):
    node.put(f"/{bucket}/k", b"hello")
    with Wire(node) as w:
        answer = w.send(request_bytes("GET", f"/{bucket}/k", [("Connection", "close")])).answer()
        assert answer.body == b"hello" and answer.header("connection").lower() == "close"
        assert w.closed()
    with Wire(node) as w:
        w.send(f"GET /{bucket}/k HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n".encode())
        assert w.answer().body == b"hello"
        assert w.closed()


@pytest.mark.parametrize("host,allowed", [("evil.example", False), ("evil.example:9000", False), ("localhost", True),
                                          ("LOCALHOST:1", True), ("127.0.0.1", True), ("[::1]:9000", True), ("10.1.2.3", True)])
def test_unknown_host_names_are_refused_to_anonymous_requests(node, host, allowed):
    answer = exchange(node, f"GET / HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
    assert (answer.status == 200) == allowed, answer
    if not allowed:
        assert answer.status in (403, 421)


def test_configured_server_names_are_allowed(start_node):
    node = start_node(http_server_names=["files.example"])
    assert exchange(node, b"GET / HTTP/1.1\r\nHost: Files.Example:80\r\n\r\n").status == 200


def test_an_absolute_target_is_understood(node, bucket):
    node.put(f"/{bucket}/k", b"hello")
    assert exchange(node, request_bytes("GET", f"http://127.0.0.1/{bucket}/k")).body == b"hello"


def test_an_unread_body_is_not_taken_for_the_next_request(node, bucket):
    inner = request_bytes("DELETE", f"/{bucket}/victim")
    node.put(f"/{bucket}/victim", b"x")
    with Wire(node) as w:
        w.send(request_bytes("GET", f"/{bucket}/victim", [("Content-Length", len(inner))], inner))
        assert w.answer().status in (200, 400)
        assert w.silent()
    assert node.get(f"/{bucket}/victim").status == 200


def test_a_refused_upload_hears_why_although_it_sends_on(node):
    with Wire(node) as w:
        w.send(request_bytes("PUT", "/no-such-bucket/k", [("Content-Length", 64 * MIB)]))
        try:
            for _ in range(64):
                w.send(b"x" * MIB)
        except (BrokenPipeError, ConnectionResetError):
            pass
        answer = w.answer()
        assert answer is not None and answer.status == 404


def test_idle_connections_above_the_limit_give_way_to_new_ones(start_node):
    node = start_node(limits_connections=20)
    eventually(lambda: node.metric("cairn_http_connections") == 0, 10, what="the connection that made the bucket is gone")
    held = [node.socket() for _ in range(20)]
    for s in held:
        s.sendall(request_bytes("GET", "/"))
        assert s.recv(100).startswith(b"HTTP/1.1 200")
    for _ in range(30):
        with Wire(node) as w:
            answer = w.send(request_bytes("GET", "/")).answer()
            assert answer is not None and answer.status == 200
    assert node.metric("cairn_http_connections_evicted_total", reason="idle") >= 1
    for s in held:
        s.close()


def test_half_closed_clients_still_get_their_answer(node, bucket):
    body = os.urandom(2 * MIB)
    node.put(f"/{bucket}/k", body)
    with Wire(node) as w:
        w.send(request_bytes("GET", f"/{bucket}/k"))
        w.s.shutdown(socket.SHUT_WR)
        answer = w.answer()
        assert answer.status == 200 and len(answer.body) in (0, len(body))
