"""The clients of the benchmarks: those that users have (curl, wrk), and `cairn bench`."""
import json
import os
import re
import subprocess
import time

from servers import MIB

GIB = 1 << 30


def cairn_bench(binary, *arguments):
    """Runs `cairn bench …`; answers its JSON."""
    done = subprocess.run([binary, "bench", *map(str, arguments)], capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"bench: cairn bench {' '.join(map(str, arguments))}: {done.stderr.strip()}")
    return json.loads(done.stdout)


def wrk(server, seconds, path, script=None, environment=None, connections=32):
    """Requests a second with two threads; any error or refusal ends the benchmark."""
    command = ["wrk", "-t2", f"-c{connections}", f"-d{seconds}s"] + (["-s", str(script)] if script else []) + [server.url(path)]
    variables = {**os.environ, **(environment or {})}
    text = subprocess.run(command, capture_output=True, text=True, check=True, env=variables).stdout
    if "Non-2xx" in text or "Socket errors" in text:
        raise SystemExit(f"bench: wrk against {server.name}:\n{text}")
    return float(re.search(r"Requests/sec:\s+([\d.]+)", text).group(1))


def curl(server, path, clients=1, offsets=None, part=None):
    """MiB/s and bytes of so many curl processes at once, each with a connection of its own.
    offsets: where each begins to read so many bytes (part); else each reads the whole object."""
    def command(i):
        span = ["-r", f"{offsets[i]}-{offsets[i] + part - 1}"] if offsets else []
        return ["curl", "-sSf", *server.trust(), *span, "-o", "/dev/null", "-w", "%{size_download}", server.url(path)]
    began = time.monotonic()
    running = [subprocess.Popen(command(i), stdout=subprocess.PIPE, text=True) for i in range(clients)]
    got = [p.communicate()[0] for p in running]
    seconds = time.monotonic() - began
    if any(p.returncode != 0 for p in running):
        raise SystemExit(f"bench: curl against {server.name} failed")
    total = sum(map(int, got))
    return total / MIB / seconds, total


def curl_and_cpu(server, path, size, clients, offsets=None, part=None):
    """MiB/s, and the server's CPU seconds a GiB."""
    before = server.cpu()
    speed, total = curl(server, path, clients, offsets, part)
    assert total == clients * (part or size), (total, clients)
    return speed, (server.cpu() - before) / (total / GIB)


def curl_put(server, path, source):
    subprocess.run(["curl", "-sSf", *server.trust(), "-T", str(source), server.url(path)], check=True, stdout=subprocess.DEVNULL)


def curl_first_bytes(server, path, requests, folder):
    """Milliseconds to the first byte of each of so many requests of one curl process on one connection."""
    config = folder / "curl-requests"
    config.write_text("".join(f'url = "{server.url(path)}"\noutput = "/dev/null"\n' for _ in range(requests)))
    text = subprocess.run(["curl", "-sSf", "-K", str(config), "-w", "%{time_pretransfer} %{time_starttransfer}\n"],
                          check=True, capture_output=True, text=True).stdout
    pairs = [tuple(map(float, line.split())) for line in text.splitlines()]
    assert len(pairs) == requests, len(pairs)
    return [(first - sent) * 1000 for sent, first in pairs]
