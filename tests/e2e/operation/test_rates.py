"""Rate limits (limits.rates) of a node: requests and bytes a second, requests at once; by access key, bucket and address.
What is over a limit is refused or slowed down, and nobody else is."""
import hashlib
import os
import signal
import subprocess
import threading
import time

import pytest

from cairn_node import KIB, MIB, Node, eventually, in_threads
from identities import s3_of
from rights import key_with
from s3_client import ClientError
from signing import ACCESS, ROOT, SECRET, Signer, call


def limit(node, *rates):
    """The limits of a running node."""
    node.settings["limits.rates"] = list(rates)
    node.write_config()
    before = node.log().count("configuration re-read")
    node.process.send_signal(signal.SIGHUP)
    eventually(lambda: node.log().count("configuration re-read") > before, what="the reload")
    assert "reload refused" not in node.log()


def new_key(node):
    return key_with(node, "files", "read", "write")


@pytest.fixture
def node(start_node):
    n = start_node(auth_root_access_key=ACCESS, auth_root_secret_key=SECRET)
    assert call(n, "PUT", "/files/k", b"content").status == 200
    return n


class Client:
    """Asks for one object again and again, on one connection; counts the answers by status."""

    def __init__(self, node, key, path="/files/k", pause=0.0):
        self.node, self.key, self.path, self.pause = node, key, path, pause
        self.statuses, self.times = {}, []

    def run(self, seconds):
        connection, until = self.node.connect(), time.monotonic() + seconds
        while time.monotonic() < until:
            headers = Signer(*self.key).headers("GET", f"127.0.0.1:{self.node.http_port}", self.path) if self.key else {}
            begun = time.monotonic()
            answer = self.node.request("GET", self.path, headers=headers, connection=connection)
            self.times.append(time.monotonic() - begun)
            self.statuses[answer.status] = self.statuses.get(answer.status, 0) + 1
            if answer.status == 503:
                assert answer.code() == "SlowDown" and int(answer.header("retry-after")) >= 1, answer
            time.sleep(self.pause)
        connection.close()


def together(seconds, *clients):
    in_threads(len(clients), lambda i: clients[i].run(seconds))


def test_a_key_gets_its_requests_a_second_and_another_is_undisturbed(node):
    limited, other = new_key(node), new_key(node)
    limit(node, {"key": limited[0], "requests_per_second": 20})
    a, b = Client(node, limited), Client(node, other, pause=0.01)
    together(5, a, b)
    assert 100 <= a.statuses[200] <= 130, a.statuses  # 20 at once, then 20 a second
    assert a.statuses[503] > 20, a.statuses
    assert set(b.statuses) == {200} and b.statuses[200] > 100, b.statuses
    assert node.metric("cairn_rate_limited_total", by="key") == a.statuses[503]
    assert node.metric("cairn_rate_limited_total", by="address") == 0
    assert node.metric("cairn_slow_down_total") == 0  # the node is not busy


def test_every_key_has_the_default_for_itself_and_an_entry_of_its_own_lifts_it(node):
    first, second, free = new_key(node), new_key(node), new_key(node)
    limit(node, {"key": "*", "requests_per_second": 10}, {"key": free[0]})
    clients = [Client(node, key) for key in (first, second, free)]
    together(3, *clients)
    for c in clients[:2]:
        assert 30 <= c.statuses[200] <= 45 and c.statuses[503] > 0, c.statuses
    assert set(clients[2].statuses) == {200}, clients[2].statuses
    limit(node)  # SIGHUP takes it away
    again = Client(node, first)
    together(1, again)
    assert set(again.statuses) == {200} and again.statuses[200] > 20, again.statuses


def test_a_wrong_signature_uses_up_nothing_of_the_key_but_of_the_address(node):
    key = new_key(node)
    limit(node, {"key": key[0], "requests_per_second": 5}, {"bucket": "files", "requests_per_second": 50})
    for _ in range(100):
        assert call(node, "GET", "/files/k", key=(key[0], "a guess")).status == 403
    assert call(node, "GET", "/files/k", key=key).status == 200
    assert call(node, "GET", "/files/k", key=None).status == 200  # nor of the bucket
    limit(node, {"address": "127.0.0.0/8", "requests_per_second": 5})
    statuses = [call(node, "GET", "/files/k", key=(key[0], "a guess")).status for _ in range(50)]
    assert set(statuses) == {403, 503}, statuses
    assert node.metric("cairn_rate_limited_total", by="address") == statuses.count(503)
    assert node.admin("/health/live").status == 200 and node.admin("/metrics").status == 200  # the operators' port


def test_a_bucket_has_a_limit_for_all_who_use_it(node):
    assert call(node, "PUT", "/others").status == 200
    assert call(node, "PUT", "/others/k", b"content").status == 200
    limit(node, {"bucket": "files", "requests_per_second": 10})
    signed, anonymous, elsewhere = Client(node, ROOT), Client(node, None), Client(node, ROOT, "/others/k")
    together(3, signed, anonymous, elsewhere)
    assert 30 <= signed.statuses.get(200, 0) + anonymous.statuses.get(200, 0) <= 45
    assert set(elsewhere.statuses) == {200}


def test_sdks_try_again_what_was_refused(node):
    key = new_key(node)
    limit(node, {"key": key[0], "requests_per_second": 5})
    s3 = s3_of(node, key, retries={"mode": "standard", "max_attempts": 10})
    for i in range(15):
        s3.put_object(Bucket="files", Key=f"k{i}", Body=b"x" * 100)
    assert node.metric("cairn_rate_limited_total", by="key") > 0
    impatient = s3_of(node, key, retries={"total_max_attempts": 1})
    with pytest.raises(ClientError) as failed:
        for _ in range(50):
            impatient.head_bucket(Bucket="files") and impatient.get_object(Bucket="files", Key="k0")["Body"].read()
    assert failed.value.response["ResponseMetadata"]["HTTPStatusCode"] == 503


def test_requests_at_once_are_bounded_and_refused_before_their_body(node):
    limit(node, {"bucket": "files", "transfers": 2})
    held = []
    for i in range(2):
        s = node.socket()
        s.sendall(f"PUT /files/held{i} HTTP/1.1\r\nHost: 127.0.0.1:{node.http_port}\r\nContent-Length: 100000\r\n\r\n".encode() + b"x" * 10000)
        held.append(s)
    eventually(lambda: node.metric("cairn_active_uploads") == 2)
    third = node.socket()
    third.sendall(f"PUT /files/third HTTP/1.1\r\nHost: 127.0.0.1:{node.http_port}\r\nExpect: 100-continue\r\nContent-Length: {100 * MIB}\r\n\r\n".encode())
    answer = third.recv(4096)
    assert answer.startswith(b"HTTP/1.1 503") and b"SlowDown" in answer and b"Retry-After: 1\r\n" in answer, answer
    third.close()
    for s in held:
        s.sendall(b"x" * 90000)
        assert s.recv(4096).startswith(b"HTTP/1.1 200")
        s.close()
    eventually(lambda: node.get("/files/k").status == 200)
    assert node.get("/files/third").status == 404


def took(work):
    begun = time.monotonic()
    work()
    return time.monotonic() - begun


def curl(*arguments):
    subprocess.run(["curl", "-sSf", *map(str, arguments)], check=True, capture_output=True, timeout=120)


@pytest.fixture(params=["plain", "tls"])
def paced(request, tmp_path):
    """A node that gives the bucket `files` 4 MiB a second, and ends clients slower than 6 MiB a second."""
    n = Node(tmp_path / "node", limits_rates=[{"bucket": "files", "bytes_per_second": "4MiB"}], limits_transfer_rate_min="6MiB",
             limits_transfer_rate_window="1s", http_idle_timeout="2s")
    if request.param == "tls":
        n.encrypt()
    yield n.start()
    n.stop()


def test_bytes_are_paced_both_ways_and_the_minimum_rate_ends_nothing(paced, tmp_path):
    scheme, trust = ("https", ["--cacert", paced.settings["http.tls.cert"]]) if paced.trusting else ("http", [])
    url = f"{scheme}://127.0.0.1:{paced.http_port}/files/o"
    content = os.urandom(20 * MIB)
    (tmp_path / "content").write_bytes(content)
    up = took(lambda: curl(*trust, "-T", tmp_path / "content", url))
    down = took(lambda: curl(*trust, "-o", tmp_path / "got", url))
    assert (tmp_path / "got").read_bytes() == content
    assert 4.0 <= up <= 6.5 and 4.0 <= down <= 6.5, (up, down)  # 5 s, of which a quarter is not waited for
    assert paced.metric("cairn_http_slow_transfers_closed_total") == 0
    assert paced.metric("cairn_rate_paced_total") == 2
    assert paced.metric("cairn_rate_limited_total") == 0


def test_the_transfers_of_a_party_share_its_bytes(node):
    assert call(node, "PUT", "/files/o", os.urandom(4 * MIB)).status == 200
    limit(node, {"key": ACCESS, "bytes_per_second": "4MiB"})
    ends = []

    def download(_):
        assert len(call(node, "GET", "/files/o").body) == 4 * MIB
        ends.append(time.monotonic())

    begun = time.monotonic()
    threads = [threading.Thread(target=download, args=(i,)) for i in range(4)]
    for t in threads:
        t.start()
    free = took(lambda: node.get("/files/o"))  # nobody's key
    for t in threads:
        t.join()
    times = [end - begun for end in ends]
    assert free < 1.5, free
    assert 3.0 <= max(times) <= 5.5, times  # 16 MiB
    assert min(times) > 2.0, times  # they took turns
    eventually(lambda: node.metric("cairn_active_downloads") == 0)


def test_a_chunked_and_signed_upload_is_paced_and_whole(node):
    limit(node, {"key": ACCESS, "bytes_per_second": "2MiB"})
    content = os.urandom(4 * MIB)
    s3 = s3_of(node, ROOT, retries={})
    assert 1.5 <= took(lambda: s3.put_object(Bucket="files", Key="s", Body=content)) <= 4

    def pieces():
        for at in range(0, len(content), 64 * KIB):
            yield content[at:at + 64 * KIB]

    limit(node, {"address": "*", "bytes_per_second": "2MiB"})
    assert 1.5 <= took(lambda: node.put("/files/c", pieces())) <= 4
    limit(node)
    for key in ("s", "c"):
        assert hashlib.sha256(node.get(f"/files/{key}").body).digest() == hashlib.sha256(content).digest(), key


def test_sighup_lets_go_what_is_held_back(node):
    content = os.urandom(8 * MIB)
    assert call(node, "PUT", "/files/o", content).status == 200
    limit(node, {"bucket": "files", "bytes_per_second": "16KiB"})  # eight minutes
    connection = node.connect()
    connection.request("GET", "/files/o")
    answer = connection.getresponse()
    assert len(answer.read(8 * KIB)) == 8 * KIB
    eventually(lambda: node.metric("cairn_rate_paced_total") == 1)
    limit(node)
    assert 8 * KIB + len(answer.read()) == len(content)
    connection.close()


def test_a_client_that_goes_while_it_is_held_back_leaves_nothing(node):
    limit(node, {"bucket": "files", "bytes_per_second": "16KiB", "transfers": 4})
    sockets = []
    for i in range(4):
        s = node.socket()
        s.sendall(f"PUT /files/gone{i} HTTP/1.1\r\nHost: 127.0.0.1:{node.http_port}\r\nContent-Length: 1000000\r\n\r\n".encode() + b"x" * 20000)
        sockets.append(s)
    eventually(lambda: node.metric("cairn_active_uploads") == 4)
    for s in sockets:
        s.close()
    eventually(lambda: node.metric("cairn_active_uploads") == 0, 30)
    limit(node, {"bucket": "files", "transfers": 4})
    eventually(lambda: node.get("/files/k").status == 200)


def test_a_mistake_is_named_and_changes_nothing(node):
    limit(node, {"key": "*", "requests_per_second": 1000})
    for wrong, text in (({"keys": "*"}, "unknown key"), ({"address": "10.0.0.0/33"}, "limits.rates[0].address"),
                        ({"key": "a", "bucket": "b"}, "expected one of key, bucket and address")):
        node.settings["limits.rates"] = [wrong]
        node.write_config()
        before = len(node.log())
        node.process.send_signal(signal.SIGHUP)
        eventually(lambda: text in node.log()[before:], what=text)
    assert node.get("/files/k").status == 200
