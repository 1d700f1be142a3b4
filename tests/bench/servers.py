"""The two servers that are compared, each with a directory and ports of its own, and what is measured of their processes."""
import http.client
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "e2e/support"))
from cairn_node import MIB, certificate, free_port  # noqa: E402

MEMORY_MIB = 512  # limits.memory, where nothing else is set
TICKS = os.sysconf("SC_CLK_TCK")


def wait_for(condition, seconds, what):
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise SystemExit(f"bench: {what}: not within {seconds} s")
        time.sleep(0.02)


def process_cpu(pid):
    """User and system seconds of a process so far."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(") ", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


class Server:
    name = "?"

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        self.port = free_port()
        self.tls_port = self.certificate = None  # with TLS: where, and by which certificate
        self.process = None

    def url(self, path):
        return f"https://127.0.0.1:{self.tls_port}{path}" if self.certificate else f"http://127.0.0.1:{self.port}{path}"

    def trust(self):
        """curl's arguments: the same cipher with each server that has TLS."""
        return ["--cacert", str(self.certificate), "--tls13-ciphers", "TLS_AES_256_GCM_SHA384"] if self.certificate else []

    def request(self, method, path, body=None):
        c = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        c.request(method, path, body=body)
        answer = c.getresponse()
        data = answer.read()
        c.close()
        return answer.status, data

    def answers(self):
        try:
            self.request("GET", "/")
            return True
        except OSError:
            return False

    def pids(self):
        return [self.process.pid]

    def cpu(self):
        return sum(process_cpu(p) for p in self.pids())

    def resident(self, which="VmRSS"):
        """Bytes; VmHWM: the most that it ever was."""
        text = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(rf"{which}:\s+(\d+)", text).group(1)) * 1024

    def stop(self):
        if self.process is None:
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process = None

    def remove(self):
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


class Cairn(Server):
    name = "cairn"

    def __init__(self, folder, binary, prepare=None, tls=False, **settings):
        """settings: section_key=value in TOML; prepare: called before the start; tls: of the HTTP port."""
        super().__init__(folder)
        if prepare:
            prepare()
        if tls:
            self.tls_port, (self.certificate, key) = self.port, certificate(self.folder, "tls")
            settings |= {"http_tls.cert": self.certificate, "http_tls.key": key}
        self.binary, self.admin_port = binary, free_port()
        arguments = {"node.data_dir": str(self.folder / "data"), "http.listen": f"127.0.0.1:{self.port}",
                     "admin.listen": f"127.0.0.1:{self.admin_port}", "log.level": "warn"}
        arguments.update({k.replace("_", ".", 1): v for k, v in settings.items()})
        sets = [x for k, v in arguments.items() for x in ("--set", f"{k}={v}")]
        self.command = [binary, "serve", *sets]
        self.restart()

    def restart(self):
        self.log = open(self.folder / "log", "ab")
        self.process = subprocess.Popen(self.command, stdout=self.log, stderr=self.log, cwd=self.folder)
        wait_for(self.ready, 60, "cairn is ready")

    def admin(self, path):
        c = http.client.HTTPConnection("127.0.0.1", self.admin_port, timeout=10)
        c.request("GET", path)
        answer = c.getresponse()
        return answer.status, answer.read().decode()

    def ready(self):
        if self.process.poll() is not None:
            raise SystemExit("bench: cairn did not start:\n" + (self.folder / "log").read_text(errors="replace")[-2000:])
        try:
            return self.admin("/health/ready")[0] == 200
        except OSError:
            return False

    def join_token(self):
        done = subprocess.run([self.binary, "cluster", "add", "--token-only", "--admin", f"http://127.0.0.1:{self.admin_port}",
                               "--data-dir", str(self.folder / "data")], check=True, capture_output=True, text=True)
        return done.stdout.strip()

    def metric(self, name):
        return sum(float(v) for v in re.findall(rf"^{name}(?:{{.*}})? (\S+)$", self.admin("/metrics")[1], re.M))

    def wait_until_clean(self):
        """Deleted objects are punched: that work must not run into the next measurement."""
        wait_for(lambda: self.metric("cairn_disk_chunks") == 0 and self.metric("cairn_disk_to_punch") == 0, 120, "space is given back")


class Nginx(Server):
    name = "nginx"

    def __init__(self, folder, tls=False):
        super().__init__(folder)
        if tls:
            self.tls_port, (self.certificate, self.key) = free_port(), certificate(self.folder, "tls")
        self.root = self.folder / "root"
        self.root.mkdir()
        owner = "user root;" if os.geteuid() == 0 else ""
        (self.folder / "nginx.conf").write_text(f"""
{owner}
worker_processes 2;
daemon off;
pid {self.folder}/pid;
error_log {self.folder}/error.log;
events {{ worker_connections 4096; }}
http {{
  access_log off;
  sendfile on;
  tcp_nodelay on;
  keepalive_requests 100000000;
  keepalive_timeout 600s;
  client_max_body_size 0;
  client_body_temp_path {self.folder}/body;
  proxy_temp_path {self.folder}/proxy;
  fastcgi_temp_path {self.folder}/fastcgi;
  uwsgi_temp_path {self.folder}/uwsgi;
  scgi_temp_path {self.folder}/scgi;
  server {{
    listen 127.0.0.1:{self.port} backlog=4096;
    {self.listen_tls()}
    root {self.root};
    location / {{
      {self.location()}
    }}
  }}
  {self.extra()}
}}
""")
        self.process = subprocess.Popen(["nginx", "-p", str(self.folder), "-c", str(self.folder / "nginx.conf"),
                                         "-e", str(self.folder / "error.log")], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for(self.answers, 10, "nginx answers")

    def location(self):
        return """dav_methods PUT DELETE;
      create_full_put_path on;"""

    def extra(self):
        return ""

    def listen_tls(self):
        return f"""listen 127.0.0.1:{self.tls_port} ssl backlog=4096;
    ssl_certificate {self.certificate};
    ssl_certificate_key {self.key};
    ssl_protocols TLSv1.3;""" if self.certificate else ""

    def pids(self):
        children = pathlib.Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return [self.process.pid, *map(int, children)]


class Cluster:
    """Members on this machine; a weight of 0: without chunks."""

    def __init__(self, folder, binary, weights=(1, 1, 1, 0), tls=False, **settings):
        self.folder, self.nodes = folder, []
        folder.mkdir(parents=True, exist_ok=True)
        certs = folder / "certs"
        tokens = "--token-only" in subprocess.run([binary, "cluster", "add", "--help"], capture_output=True, text=True).stdout  # since they exist
        if tls:
            subprocess.run([binary, "cluster", "certs", "init", "--dir", certs, "--name", "bench"], check=True, stdout=subprocess.DEVNULL)
        ports = [free_port() for _ in weights]
        for n, weight in enumerate(weights):
            join = json.dumps([f"127.0.0.1:{p}" for p in ports[:n]])
            member = {"cluster_listen": f"127.0.0.1:{ports[n]}", "cluster_name": "bench", "node_weight": weight, "cluster_join": join}
            if n > 0 and tokens:
                member["cluster_join_token"] = self.nodes[0].join_token()
            self.nodes.append(start_member(folder / f"node-{n}", binary, certs if tls else None, member | settings))
        wait_for(self.settled, 120, "the cluster has settled")

    def status(self, node=None):
        return json.loads((node or self.nodes[0]).admin("/cluster")[1])

    def settled(self):
        s = self.status()
        return len([n for n in s["nodes"] if n["up"]]) == len(self.nodes) and s["partitions_under_replicated"] == 0 and \
            s["repairs_waiting"] == 0 and all(n["partitions_incoming"] == 0 for n in s["nodes"]) and \
            all(n["partitions_owned"] > 0 for n in s["nodes"] if n["weight"] > 0 and n["state"] == "active")

    def leader(self):
        wait_for(lambda: self.status()["leader"] is not None, 30, "a leader")
        number = self.status()["leader"]
        return next(n for n in self.nodes if self.status(n)["self"] == number)

    def follower(self):
        leader = self.leader()
        return next(n for n in self.nodes if n is not leader)

    def cpu(self):
        return sum(n.cpu() for n in self.nodes)

    def report_memory(self, report, what):
        """The most memory that any node ever had."""
        cache = next(n for n in self.nodes).metric("cairn_cache_limit_bytes")
        peak = max(n.resident("VmHWM") for n in self.nodes)
        report.require(f"cluster, {what}, cache of {cache / MIB:.0f} MiB: resident memory of the largest node over limits.memory and limits.cache, MiB",
                       (peak - cache) / MIB - MEMORY_MIB, at_most=64)

    def wait_until_clean(self):
        for n in self.nodes:
            n.wait_until_clean()

    def remove(self):
        for n in self.nodes:
            if n.process is not None:
                n.process.send_signal(signal.SIGCONT)
                n.process.send_signal(signal.SIGTERM)
        for n in self.nodes:
            if n.process is not None:
                try:
                    n.process.wait(60)
                except subprocess.TimeoutExpired:
                    n.process.kill()
                n.process = None
            n.remove()


def start_member(folder, binary, certs, settings):
    issue = None
    if certs:
        settings |= {f"cluster_tls.{k}": folder / "data" / f for k, f in (("ca", "ca.crt"), ("cert", "node.crt"), ("key", "node.key"))}

        def issue():
            subprocess.run([binary, "cluster", "certs", "issue", "--dir", certs, "--data-dir", folder / "data", "127.0.0.1"],
                           check=True, stdout=subprocess.DEVNULL)
    return Cairn(folder, binary, prepare=issue, **settings)


class Proxy(Nginx):
    """nginx that hands everything to another nginx."""
    name = "nginx → nginx"

    def __init__(self, folder, behind):
        self.behind = behind
        super().__init__(folder)

    def location(self):
        return f"""
      proxy_pass {"https" if self.behind.certificate else "http"}://behind;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_buffers 16 128k;
      proxy_buffer_size 128k;
      proxy_busy_buffers_size 256k;
      proxy_max_temp_file_size 0;
      proxy_ssl_protocols TLSv1.3;
      proxy_ssl_session_reuse on;
"""

    def extra(self):
        port = self.behind.tls_port or self.behind.port
        return f"upstream behind {{ server 127.0.0.1:{port}; keepalive 64; }}"

    def cpu(self):
        return super().cpu() + self.behind.cpu()
