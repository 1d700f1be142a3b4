"""Retrieval, memory, listing and signatures. Each takes a context (binary, directory, runs, quick) and a report, and cleans up after itself."""
import json
import os
import pathlib
import selectors
import socket
import subprocess
import sys
import time
import urllib.request

from clients import GIB, cairn_bench, wrk
from measure import interleaved, median
from servers import MIB, Cairn

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "e2e/support"))
from signing import ACCESS, SECRET, Signer, sha256  # noqa: E402
VERSIONED = b"<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>"


def retrieve(context, report):
    """The retrieval experiment, through sequencer, streamer and chunk store in one process."""
    repeat = 3 if context.quick else 7
    rows = cairn_bench(context.binary, "retrieve", "--chunks", 12, "--chunk-size", "10MiB", "--read-delay", "50ms",
                       "--windows", "1,5,10,12", "--repeat", repeat, "--dir", context.folder, "--json")
    report.section("Retrieval: 12 chunks of 10 MiB, each read 50 ms late",
                   "`cairn bench retrieve --chunks 12 --chunk-size 10MiB --read-delay 50ms --windows 1,5,10,12`; "
                   "expected is ceil(12/N) × 50 ms plus the same download without the delay.")
    go_figures = {1: "465", 5: "306", 10: "315"}
    table = []
    for row in rows:
        delayed = row["read_delay_us"] > 0
        table.append([row["window"], f"{row['read_delay_us'] / 1000:g} ms", row["ns_per_op"], f"{row['mb_per_s']:.0f}",
                      f"{row['ns_per_op'] / 1e6:.1f}", f"{row['expected_ns'] / 1e6:.1f}" if delayed else "",
                      f"{row['pool_peak_bytes'] / MIB:.0f}", f"{row['rss_delta_bytes'] / MIB:.0f}",
                      go_figures.get(row["window"], "") if delayed else ""])
        if delayed:
            report.require(f"window {row['window']}: time to expected time", row["ns_per_op"] / row["expected_ns"], at_most=1.10)
    report.table(["window", "read delay", "ns/op", "MB/s", "ms", "expected ms", "buffers MiB", "RSS delta MiB", "Go, ms"], table)


def connect(port, receive_buffer=None):
    s = socket.socket()
    if receive_buffer:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    s.connect(("127.0.0.1", port))
    return s


def slow_downloads(context, report):
    """1,000 clients that read 1 GiB objects slowly: memory stays bounded and flat, all progress."""
    count, limit, seconds = (200 if context.quick else 1000), 512 * MIB, (10 if context.quick else 60)
    size = 64 * MIB if context.quick else GIB
    cairn = Cairn(context.folder / "cairn", context.binary, limits_memory="256MiB", limits_cache="256MiB")
    sockets = []
    try:
        cairn_bench(context.binary, "source", cairn.url("/files/object"), "--size", f"{size // MIB}MiB")
        idle_bytes = cairn.resident()
        request = b"GET /files/object-0-0 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
        selector, got, samples = selectors.DefaultSelector(), [0] * count, []
        for i in range(count):
            s = connect(cairn.port, 16 << 10)
            s.sendall(request)
            s.setblocking(False)
            selector.register(s, selectors.EVENT_READ, i)
            sockets.append(s)
        start = next_sample = time.monotonic()
        half = None
        while time.monotonic() < start + seconds:
            for key, _ in selector.select(0.1):
                data = key.fileobj.recv(32 << 10)
                if not data:
                    raise SystemExit("bench: a slow download was cut off")
                got[key.data] += len(data)
            if time.monotonic() >= next_sample:
                samples.append(cairn.resident())
                next_sample += 1
            if half is None and time.monotonic() > start + seconds / 2:
                half = list(got)
            time.sleep(0.05)
        stuck = sum(1 for a, b in zip(half, got) if a == b)
        settled = samples[len(samples) // 3:]
        report.section(f"{count:,} slow downloads of {size // MIB} MiB objects",
                       f"limits.memory and limits.cache are 256 MiB each; every client has a receive buffer of 16 KiB; {seconds} s.")
        report.table(["resident before, MiB", "resident, largest, MiB", "growth in the last two thirds, MiB", "clients without progress", "slowest client, KiB", "all together, MiB/s"],
                     [[f"{idle_bytes / MIB:.0f}", f"{max(samples) / MIB:.0f}", f"{(max(settled) - settled[0]) / MIB:.1f}", stuck,
                       f"{min(got) / 1024:.0f}", f"{sum(got) / MIB / seconds:.0f}"]])
        report.require("slow downloads: resident memory over limits.memory and limits.cache, MiB", (max(samples) - limit) / MIB, at_most=64)
        report.require("slow downloads: growth once all run, MiB", (max(settled) - settled[0]) / MIB, at_most=16)
        report.require("slow downloads: clients without progress in the second half", stuck, at_most=0)
    finally:
        for s in sockets:
            s.close()
        cairn.remove()


def idle_connections(context, report):
    """10,000 connections that did one request and wait."""
    count = 2000 if context.quick else 10000
    cairn = Cairn(context.folder / "cairn", context.binary, http_idle_timeout="10min")
    sockets = []
    try:
        assert cairn.request("PUT", "/files/object", b"x" * 1000)[0] == 200
        request = b"GET /files/object HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
        for _ in range(100):
            cairn.request("GET", "/files/object")
        before = cairn.resident()
        for _ in range(count):
            s = connect(cairn.port)
            s.sendall(request)
            sockets.append(s)
        for s in sockets:
            data = b""
            while not data.endswith(b"x" * 1000):
                data += s.recv(4096)
        time.sleep(1)
        each = (cairn.resident() - before) / count
        report.section(f"{count:,} idle connections", "Each fetched one small object and keeps its connection.")
        report.table(["resident before, MiB", "after, MiB", "a connection, KiB"],
                     [[f"{before / MIB:.1f}", f"{(before + each * count) / MIB:.1f}", f"{each / 1024:.1f}"]])
        report.require("idle connections: KiB each", each / 1024, at_most=64)
    finally:
        for s in sockets:
            s.close()
        cairn.remove()


def listing(context, report):
    """Listing a bucket of a million keys, and one of half as many keys with two versions each, page by page."""
    keys = 50_000 if context.quick else 1_000_000
    cairn = Cairn(context.folder / "cairn", context.binary)
    try:
        filled = cairn_bench(context.binary, "fill", cairn.url("/files/key-"), "--keys", keys, "--size", "16")

        for target, body in (("/versioned", None), ("/versioned?versioning", VERSIONED)):
            urllib.request.urlopen(urllib.request.Request(cairn.url(target), body, method="PUT")).close()
        for _ in range(2):
            cairn_bench(context.binary, "fill", cairn.url("/versioned/key-"), "--keys", keys // 2, "--size", "16")

        def measure(bucket, wanted, *options):
            got = cairn_bench(context.binary, "list", cairn.url(bucket), *options)
            assert got["keys"] == wanted, got
            return got["keys"] / got["seconds"]
        speeds, live, versions = interleaved(context.runs, lambda: measure("/files", keys), lambda: measure("/versioned", keys // 2),
                                             lambda: measure("/versioned", keys, "--versions"))
        report.section(f"Listing {keys:,} keys", "One client, pages of 1,000 keys, one after the other. The keys were stored by "
                       f"`cairn bench fill` at {filled['keys'] / filled['seconds']:,.0f} durable PUTs a second.")
        report.table(["", "keys/s"], [[f"{keys:,} keys", f"{median(speeds):,.0f}"],
                                      [f"{keys // 2:,} keys with two versions each", f"{median(live):,.0f}"],
                                      ["the versions of these", f"{median(versions):,.0f}"]])
        report.require("listing: keys a second", median(speeds), at_least=200_000)
    finally:
        cairn.remove()


def replay_file(path, requests):
    """What replay.lua reads: whole requests."""
    path.write_bytes(b"".join(requests))
    pathlib.Path(f"{path}.lengths").write_text("".join(f"{len(r)}\n" for r in requests))
    return str(path)


def raw_request(method, path, headers, body=b""):
    lines = [f"{method} {path} HTTP/1.1", *(f"{k}: {v}" for k, v in headers.items())]
    if method == "PUT":
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode() + body


def send_pieces(port, pieces):
    """Sends one request, answers its seconds; anything but 200 ends the benchmark."""
    with socket.create_connection(("127.0.0.1", port)) as s:
        start = time.monotonic()
        for piece in pieces:
            s.sendall(piece)
        answer = s.recv(4096)
        seconds = time.monotonic() - start
    if not answer.startswith(b"HTTP/1.1 200"):
        raise SystemExit(f"bench: {answer[:300]}")
    return seconds


def signed_small(context, report, cairn):
    """4 KiB requests, each with a signature that was made before."""
    seconds, keys, data = (2 if context.quick else 5), 64, os.urandom(4096)
    host, table = f"127.0.0.1:{cairn.port}", []
    for method, wanted in (("PUT", 0.85), ("GET", 0.85)):
        body = data if method == "PUT" else b""
        files = {}
        for signed in (False, True):
            signer, requests = Signer(), []
            for i in range(keys):
                path = f"/files/small-{i}"
                headers = signer.headers(method, host, path, sha256(body)) if signed else {"Host": host}
                requests.append(raw_request(method, path, headers, body))
            files[signed] = replay_file(context.folder / f"{method}-{signed}", requests)

        def measure(signed):
            return wrk(cairn, seconds, "/", HERE / "replay.lua", {"REPLAY": files[signed]})
        ours, plain = interleaved(context.runs, lambda: measure(True), lambda: measure(False))
        a, b = median(ours), median(plain)
        table.append([f"4 KiB {method}, requests/s", f"{a:,.0f}", f"{b:,.0f}", f"{a / b:.2f}"])
        report.require(f"signed 4 KiB {method} to unsigned", a / b, at_least=wanted)
    return table


def cairn_json(context, *arguments):
    environment = {**os.environ, "AWS_ACCESS_KEY_ID": ACCESS, "AWS_SECRET_ACCESS_KEY": SECRET}
    command = [context.binary, *arguments, "--json"]
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True, env=environment).stdout or "{}")


def key_with_right(context, cairn):
    """A key that may read the bucket: (access key, secret)."""
    port = ["--admin", f"http://127.0.0.1:{cairn.admin_port}", "--data-dir", str(cairn.folder / "data")]
    made = cairn_json(context, "key", "create", *port)
    cairn_json(context, "key", "allow", made["access_key"], "files", "--read", *port)
    return made["access_key"], made["secret_key"]


def user_with_statements(context, cairn, count):
    """A user whose policy has so many statements, of which the last allows what is asked: (access key, secret)."""
    prefixes = [*(f"team{i}/*" for i in range(count - 1)), "small-*"]
    policy = context.folder / "policy.json"
    policy.write_text(json.dumps({"Version": "2012-10-17", "Statement": [
        {"Sid": f"S{i}", "Effect": "Allow", "Action": ["s3:GetObject", "s3:ListBucket"], "Resource": f"arn:aws:s3:::files/{prefix}"}
        for i, prefix in enumerate(prefixes)]}))
    port = ["--endpoint", cairn.url("")]
    cairn_json(context, "policy", "create", "work", str(policy), *port)
    cairn_json(context, "user", "create", "ann", *port)
    cairn_json(context, "user", "attach", "ann", "work", *port)
    made = cairn_json(context, "user", "create-key", "ann", *port)["AccessKey"]
    return made["AccessKeyId"], made["SecretAccessKey"]


def policy_small(context, report, cairn):
    """Signed 4 KiB GETs of a user with a policy, against those of a key with a right on the bucket."""
    seconds, keys, host = (2 if context.quick else 5), 64, f"127.0.0.1:{cairn.port}"
    files = []
    for key in (user_with_statements(context, cairn, 20), key_with_right(context, cairn)):
        signer = Signer(*key)
        requests = [raw_request("GET", f"/files/small-{i}", signer.headers("GET", host, f"/files/small-{i}")) for i in range(keys)]
        files.append(replay_file(context.folder / f"policy-{len(files)}", requests))

    def measure(file):
        return wrk(cairn, seconds, "/", HERE / "replay.lua", {"REPLAY": file})
    ours, plain = interleaved(context.runs, lambda: measure(files[0]), lambda: measure(files[1]))
    a, b = median(ours), median(plain)
    report.require("signed 4 KiB GET with a policy of 20 statements to one without", a / b, at_least=0.95)
    return [["4 KiB GET, requests/s: a policy of 20 statements, signed; a right on the bucket, signed", f"{a:,.0f}", f"{b:,.0f}", f"{a / b:.2f}"]]


def signed_stream(context, report, cairn):
    """A large PUT whose chunks of 64 KiB are signed (STREAMING-AWS4-HMAC-SHA256-PAYLOAD), signed before it is measured."""
    size, block = (64 if context.quick else 256) * MIB, 64 << 10
    host, data = f"127.0.0.1:{cairn.port}", os.urandom(MIB)
    blocks = [data[i:i + block] for i in range(0, MIB, block)]

    def measure(signed):
        path = "/files/stream"
        if signed:
            signer = Signer()
            headers = signer.headers("PUT", host, path, "STREAMING-AWS4-HMAC-SHA256-PAYLOAD", x_amz_decoded_content_length=size,
                                     Content_Encoding="aws-chunked")
            pieces = [b"".join(signer.chunk(b) for b in blocks) for _ in range(size // MIB)] + [signer.chunk(b"")]
        else:
            headers, pieces = {"Host": host}, [data] * (size // MIB)
        headers["Content-Length"] = str(sum(map(len, pieces)))
        head = "\r\n".join([f"PUT {path} HTTP/1.1", *(f"{k}: {v}" for k, v in headers.items()), "", ""]).encode()
        seconds = send_pieces(cairn.port, [head, *pieces])
        assert cairn.request("DELETE", path)[0] == 204
        cairn.wait_until_clean()
        return size / MIB / seconds
    ours, plain = interleaved(context.runs, lambda: measure(True), lambda: measure(False))
    a, b = median(ours), median(plain)
    report.require("streaming-signed PUT to unsigned", a / b, at_least=0.8)
    return [[f"PUT of {size // MIB} MiB, 64 KiB chunks signed, MiB/s", f"{a:.0f}", f"{b:.0f}", f"{a / b:.2f}"]]


def signed(context, report):
    """Signed requests against unsigned ones of the same shape."""
    cairn = Cairn(context.folder / "cairn", context.binary, auth_root_access_key=ACCESS, auth_root_secret_key=SECRET)
    try:
        report.section("Signed requests", "Each signature is checked and the SHA-256 of each body compared with it; unsigned requests of the same "
                       "bytes take turns with them. Small requests: wrk, 32 connections, signatures made beforehand. `./dev bench signed`.")
        table = signed_stream(context, report, cairn) + signed_small(context, report, cairn) + policy_small(context, report, cairn)
        report.table(["", "signed", "unsigned", "ratio"], table)
    finally:
        cairn.remove()


ALL = {f.__name__.replace("_", "-"): f for f in (retrieve, slow_downloads, idle_connections, listing, signed)}
