"""Traces: spans reach a collector with the client's trace as their parent, `cairn trace` shows them, and a dead collector
disturbs no request."""
import http.server
import json
import os
import re
import secrets
import signal
import threading
import time

import pytest

from cairn_cluster import Cluster
from cairn_node import MIB, Node, eventually, free_port
from rights import cairn


def attributes_of(span):
    return {a["key"]: next(iter(a["value"].values())) for a in span["attributes"]}


class Collector:
    """Takes OTLP over HTTP and keeps the spans."""

    def __init__(self):
        self.spans, self.instances, self.requests = [], set(), 0
        collector = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                assert (self.path, self.headers["Content-Type"]) == ("/v1/traces", "application/json")
                for resource in body["resourceSpans"]:
                    own = attributes_of(resource["resource"])
                    assert own["service.name"] == "cairn"
                    collector.instances.add(own["service.instance.id"])
                    for scope in resource["scopeSpans"]:
                        collector.spans.extend(scope["spans"])
                collector.requests += 1
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"{}")

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    @property
    def endpoint(self):
        return f"http://127.0.0.1:{self.server.server_port}/v1/traces"

    def trace(self, trace_id, root):
        """The spans of a trace, once the request's own span, of that name, is there. They come together."""
        def there():
            spans = [s for s in list(self.spans) if s["traceId"] == trace_id]
            return any(s["name"] == root for s in spans) and spans
        return eventually(there, seconds=15, what=f"the span {root} of trace {trace_id}")

    def stop(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@pytest.fixture
def collector():
    c = Collector()
    yield c
    c.stop()


class Sender:
    """A client with a trace of its own."""

    def __init__(self, sampled=True):
        self.trace, self.span = secrets.token_hex(16), secrets.token_hex(8)
        self.header = f"00-{self.trace}-{self.span}-0{int(sampled)}"


def checked(spans, sender, operation, status):
    """The request's own span and those below it, by name; all of them fit together."""
    root, = [s for s in spans if s["name"] == operation]
    assert root["parentSpanId"] == sender.span and root["kind"] == 2
    assert int(attributes_of(root)["http.response.status_code"]) == status
    by_id = {s["spanId"]: s for s in spans}
    assert len(by_id) == len(spans), "ids are unique"
    below = {}
    for s in spans:
        assert abs(int(s["startTimeUnixNano"]) / 1e9 - time.time()) < 600
        assert int(s["startTimeUnixNano"]) <= int(s["endTimeUnixNano"])
        if s is root:
            continue
        parent = by_id[s["parentSpanId"]]
        assert int(s["startTimeUnixNano"]) >= int(parent["startTimeUnixNano"])
        below.setdefault(s["name"], []).append(s)
    return root, below


def test_spans_of_a_put_and_a_get_are_below_the_clients(tmp_path, ended, collector):
    n = Node(tmp_path / "n", trace_endpoint=collector.endpoint, trace_sample=0)
    ended(n)
    n.start()
    body = os.urandom(3 * MIB)
    put, first, second, quiet = Sender(), Sender(), Sender(), Sender(sampled=False)
    answer = n.put("/files/a", body, traceparent=put.header)
    assert answer.status == 200 and answer.header("traceparent") is None
    assert n.get("/files/a", traceparent=quiet.header).body == body
    assert n.get("/files/a").body == body
    assert n.get("/files/a", traceparent=first.header).body == body
    assert n.get("/files/none", traceparent=second.header).status == 404

    root, below = checked(collector.trace(put.trace, "put_object"), put, "put_object", 200)
    said = attributes_of(root)
    assert (said["aws.s3.bucket"], said["aws.s3.key"], said["client.address"]) == ("files", "a", "127.0.0.1")
    assert said["aws.request_id"] == answer.header("x-amz-request-id")
    assert {int(attributes_of(s)["cairn.chunk"]) for s in below["write_chunk"]} == {0, 1, 2}
    assert len(below["commit"]) == 1 and below["look_up"] and len(below["authorize"]) == 1
    _, below = checked(collector.trace(first.trace, "get_object"), first, "get_object", 200)
    assert {int(attributes_of(s)["cairn.chunk"]) for s in below["read_chunk"]} == {0, 1, 2}
    assert all(attributes_of(s)["cairn.cached"] for s in below["read_chunk"]), "the quiet request has read them"
    _, below = checked(collector.trace(second.trace, "get_object"), second, "get_object", 404)
    assert "no_such_key" in {attributes_of(s).get("cairn.outcome") for s in below["look_up"]}

    known = {put.trace, first.trace, second.trace}
    assert {s["traceId"] for s in collector.spans} == known, "the others were not sampled"
    n.settings["trace.sample"] = 1.0
    n.write_config()
    n.process.send_signal(signal.SIGHUP)
    eventually(lambda: "configuration re-read" in n.log())
    assert n.get("/files/a", traceparent=quiet.header).body == body, "its sender has decided"
    answer = n.get("/files/a", traceparent="00-bad")
    own = eventually(lambda: [s for s in list(collector.spans) if s["traceId"] not in known], seconds=15)
    root, = [s for s in own if s["name"] == "get_object"]
    assert attributes_of(root)["aws.request_id"] == answer.header("x-amz-request-id") and "parentSpanId" not in root
    eventually(lambda: n.metric("cairn_trace_spans_sent_total") == len(collector.spans))
    assert n.metric("cairn_trace_spans_dropped_total") == 0


def test_a_trace_shows_which_other_nodes_were_asked(tmp_path, collector):
    cluster = Cluster(tmp_path, tls=False, trace_endpoint=collector.endpoint, trace_sample=0, limits_cache=0,
                      cluster_replicas=2)
    try:
        cluster.grow(3)
        first = cluster.nodes[0]
        body = os.urandom(20 * MIB)
        put, get = Sender(), Sender()
        assert first.put("/files/a", body, traceparent=put.header).status == 200
        assert first.get("/files/a", traceparent=get.header).body == body
        _, below = checked(collector.trace(put.trace, "put_object"), put, "put_object", 200)
        writes = [attributes_of(s) for s in below["write_chunk"]]
        assert {int(w["cairn.chunk"]) for w in writes} == set(range(20))
        assert len({w["cairn.node"] for w in writes}) == 3
        _, below = checked(collector.trace(get.trace, "get_object"), get, "get_object", 200)
        own = cluster.status(first)["self"]
        asked = {int(attributes_of(s)["cairn.node"]) for s in below["read_chunk"]}
        assert asked - {own}, "with two replicas on three nodes, some chunk of twenty is on other nodes only"
        assert below["barrier"] and all(s["parentSpanId"] in {look["spanId"] for look in below["look_up"]} for s in below["barrier"])
        copied_with_their_lookups(first, collector, own)
        assert len(collector.instances) == 1
    finally:
        cluster.stop()


def copied_with_their_lookups(node, collector, own):
    """An object is copied, and becomes a part of an upload with checksums, for which its bytes are read."""
    copy, part = Sender(), Sender()
    source = {"x-amz-copy-source": "/files/a"}
    assert node.request("PUT", "/files/b", headers={**source, "traceparent": copy.header}).status == 200
    begun = node.request("POST", "/files/c?uploads", headers={"x-amz-checksum-algorithm": "CRC32C"})
    upload = re.search(rb"<UploadId>(.*)</UploadId>", begun.body)[1].decode()
    answer = node.request("PUT", f"/files/c?partNumber=1&uploadId={upload}", headers={**source, "traceparent": part.header})
    assert answer.status == 200, answer
    root, below = checked(collector.trace(copy.trace, "copy_object"), copy, "copy_object", 200)
    of_source, = [s for s in below["look_up"] if s["parentSpanId"] == root["spanId"]]
    assert of_source["spanId"] in {s["parentSpanId"] for s in below["barrier"]} and len(below["commit"]) == 1
    root, below = checked(collector.trace(part.trace, "copy_part"), part, "copy_part", 200)
    assert len([s for s in below["look_up"] if s["parentSpanId"] == root["spanId"]]) == 3, "upload, source, source to read"
    reads = [attributes_of(s) for s in below["read_chunk"]]
    assert {int(r["cairn.chunk"]) for r in reads} == set(range(20)) and {int(r["cairn.node"]) for r in reads} - {own}
    assert len(below["commit"]) == 1


def test_requests_do_not_wait_for_a_dead_collector(tmp_path, ended):
    n = Node(tmp_path / "n", trace_endpoint=f"http://127.0.0.1:{free_port()}/", trace_sample=1.0)
    ended(n)
    n.start()
    begun = time.monotonic()
    for i in range(200):
        assert n.put(f"/files/{i}", b"x" * 10).status == 200
    assert time.monotonic() - begun < 30
    eventually(lambda: n.metric("cairn_trace_spans_dropped_total") > 0, seconds=20)
    assert n.metric("cairn_trace_spans_sent_total") == 0
    assert n.log().count("the trace collector takes no spans") == 1
    begun = time.monotonic()
    n.stop()
    assert time.monotonic() - begun < 15


def test_cairn_trace_shows_the_spans_of_a_slow_request(tmp_path, ended):
    n = Node(tmp_path / "n", log_slow_request="1s", debug_read_delay="1500ms", limits_cache=0)
    ended(n)
    n.start()
    assert n.put("/files/slow", b"x" * 100_000).status == 200
    assert n.get("/files/slow").status == 200
    slow, = eventually(lambda: json.loads(cairn(n, "trace", "--json"))["requests"])
    read, = [s for s in slow["spans"] if s["name"] == "read_chunk"]
    assert read["duration_us"] >= 1_400_000 and (read["parent"], read["chunk"], read["outcome"]) == (0, 0, None)
    assert slow["trace"] is None and slow["spans_left_out"] == 0
    tree = cairn(n, "trace")
    line, = [line for line in tree.splitlines() if "read chunk 0, node 0" in line]
    assert "█" * 20 in line, tree
