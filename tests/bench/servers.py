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
import time

MIB = 1 << 20
TICKS = os.sysconf("SC_CLK_TCK")


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


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
        self.process = None

    def url(self, path):
        return f"http://127.0.0.1:{self.port}{path}"

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

    def __init__(self, folder, binary, prepare=None, **settings):
        """settings: section_key=value in TOML; prepare: called before the start."""
        super().__init__(folder)
        if prepare:
            prepare()
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
        self.tls_port = free_port() if tls is True and type(self) is Nginx else None
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
        if not self.tls_port:
            return ""
        key, certificate = self.folder / "tls.key", self.folder / "tls.crt"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                        "-subj", "/CN=127.0.0.1", "-keyout", key, "-out", certificate], check=True, stderr=subprocess.DEVNULL)
        return f"""listen 127.0.0.1:{self.tls_port} ssl backlog=4096;
    ssl_certificate {certificate};
    ssl_certificate_key {key};
    ssl_protocols TLSv1.3;"""

    def pids(self):
        children = pathlib.Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return [self.process.pid, *map(int, children)]


def cairn_bench(binary, *arguments):
    """Runs `cairn bench …`; answers its JSON."""
    done = subprocess.run([binary, "bench", *map(str, arguments)], capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"bench: cairn bench {' '.join(map(str, arguments))}: {done.stderr.strip()}")
    return json.loads(done.stdout)


def wrk(server, seconds, path, script=None, environment=None):
    """Requests a second with 32 connections and two threads; any error or refusal ends the benchmark."""
    command = ["wrk", "-t2", "-c32", f"-d{seconds}s"] + (["-s", str(script)] if script else []) + [server.url(path)]
    variables = {**os.environ, **(environment or {})}
    text = subprocess.run(command, capture_output=True, text=True, check=True, env=variables).stdout
    if "Non-2xx" in text or "Socket errors" in text:
        raise SystemExit(f"bench: wrk against {server.name}:\n{text}")
    return float(re.search(r"Requests/sec:\s+([\d.]+)", text).group(1))
