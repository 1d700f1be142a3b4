"""A node under test: its own directory, its own ports, its log kept, stopped cleanly at the end."""
import http.client
import os
import pathlib
import re
import signal
import socket
import ssl
import subprocess
import threading
import time
import urllib.parse

REPOSITORY = pathlib.Path(__file__).parents[3]
BINARY = os.environ.get("CAIRN_BINARY") or str(REPOSITORY / "build/release/cairn")
MIB = 1 << 20
KIB = 1 << 10


given_ports = set()


def free_port():
    """Never the same again: the system may give a port that is not in use yet a second time."""
    while True:
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            port = s.getsockname()[1]
        if port not in given_ports:
            given_ports.add(port)
            return port


def eventually(condition, seconds=10.0, every=0.05, what="condition"):
    """The first truthy value of condition(); fails when the time is over."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < deadline, f"{what}: not within {seconds} s"
        time.sleep(every)


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def header(self, name):
        return self.headers.get(name.lower())

    def code(self):
        """Of S3's error XML."""
        found = re.search(rb"<Code>(.*?)</Code>", self.body)
        return found.group(1).decode() if found else None

    def __repr__(self):
        return f"<{self.status} {self.headers} {self.body[:300]!r}>"


def toml_value(value):
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return str(value)
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(toml_value(v) for v in value) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{k} = {toml_value(v)}" for k, v in value.items()) + "}"
    return '"' + str(value) + '"'


def certificate(folder, name):
    """A self-signed one for 127.0.0.1: (certificate, key)."""
    cert, key = folder / f"{name}.pem", folder / f"{name}.key"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                    "-subj", f"/CN={name}", "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost", "-keyout", str(key), "-out", str(cert)],
                   check=True, capture_output=True)
    return cert, key


class Node:
    def __init__(self, folder, program=BINARY, **settings):
        """settings: section_key=value, such as limits_memory="64MiB"."""
        self.program = program
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.config = self.folder / "cairn.toml"
        self.log_path = self.folder / "node.log"
        self.http_port, self.admin_port = free_port(), free_port()
        self.settings = {
            "node.data_dir": str(self.folder / "data"),
            "http.listen": f"127.0.0.1:{self.http_port}",
            "admin.listen": f"127.0.0.1:{self.admin_port}",
            "storage.segment_size": "64MiB",
            "storage.reserve": "64MiB",
        }
        self.settings.update({k.replace("_", ".", 1): v for k, v in settings.items()})
        self.process = None
        self.trusting = None  # what requests need to know of its certificate
        self.environment = {}  # of the process, beside this one's
        self.write_config()

    def write_config(self):
        sections = {}
        for name, value in self.settings.items():
            section, key = name.split(".", 1)
            sections.setdefault(section, []).append(f"{key} = {toml_value(value)}")
        self.config.write_text("\n".join(f"[{s}]\n" + "\n".join(lines) + "\n" for s, lines in sections.items()))

    def encrypt(self):
        """Before the start: the HTTP port is to speak TLS."""
        cert, key = certificate(self.folder, "node")
        self.settings.update({"http.tls.cert": str(cert), "http.tls.key": str(key)})
        self.write_config()
        self.trusting = ssl.create_default_context(cafile=cert)
        return self

    # Life

    def spawn(self):
        log = open(self.log_path, "ab")
        self.process = subprocess.Popen([self.program, "serve", "--config", str(self.config)], stdin=subprocess.DEVNULL,
                                        stdout=log, stderr=log, cwd=self.folder,
                                        env={**os.environ, **self.environment})
        log.close()
        return self

    def start(self, seconds=20):
        self.spawn()
        deadline = time.monotonic() + seconds
        while True:
            assert self.process.poll() is None, f"the node ended with {self.process.returncode}:\n{self.log()[-4000:]}"
            if self.ready():
                break
            assert time.monotonic() < deadline, f"not ready:\n{self.log()[-4000:]}"
            time.sleep(0.01)
        if self.settings.get("auth.anonymous", "read-write") == "read-write":
            made = self.request("PUT", "/files")  # a node with a configuration file begins without buckets
            assert made.status in (200, 409), made
        return self

    def ready(self):
        try:
            return self.admin("/health/ready").status == 200
        except OSError:
            return False

    def running(self):
        return self.process is not None and self.process.poll() is None

    def stop(self, seconds=40):
        """SIGTERM; the node must end by itself with 0."""
        self.process.send_signal(signal.SIGTERM)
        self.ended(seconds)

    def ended(self, seconds=40):
        """After a SIGTERM: it must end by itself with 0. (A second SIGTERM would end it at once.)"""
        try:
            code = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.send_signal(signal.SIGABRT)
            self.process.wait(30)
            raise AssertionError(f"the node did not stop within {seconds} s:\n{self.log()[-4000:]}")
        self.process = None
        assert code == 0, f"the node ended with {code}:\n{self.log()[-4000:]}"

    def refuses_to_start(self, said, seconds=60):
        """It ends by itself and says why."""
        before = len(self.log())
        self.spawn()
        code = self.process.wait(seconds)
        self.process = None
        assert code == 1, self.log()[-4000:]
        assert said in self.log()[before:], self.log()[-4000:]

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(30)
        self.process = None

    def log(self):
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""

    # Requests

    def connect(self, timeout=30):
        if self.trusting:
            return http.client.HTTPSConnection("127.0.0.1", self.http_port, timeout=timeout, context=self.trusting)
        return http.client.HTTPConnection("127.0.0.1", self.http_port, timeout=timeout)

    def request(self, method, path, body=None, headers=None, connection=None, timeout=60):
        """path is sent as it is; a generator as body is sent chunked."""
        c = connection or self.connect(timeout)
        try:
            c.request(method, path, body=body, headers=headers or {},
                      encode_chunked=body is not None and not isinstance(body, (bytes, str)) and not hasattr(body, "read"))
            r = c.getresponse()
            return Answer(r.status, {k.lower(): v for k, v in r.getheaders()}, r.read())
        finally:
            if connection is None:
                c.close()

    def put(self, path, body, **headers):
        return self.request("PUT", path, body, {k.replace("_", "-"): v for k, v in headers.items()})

    def get(self, path, **headers):
        return self.request("GET", path, headers={k.replace("_", "-"): v for k, v in headers.items()})

    def head(self, path, **headers):
        return self.request("HEAD", path, headers={k.replace("_", "-"): v for k, v in headers.items()})

    def delete(self, path, **headers):
        return self.request("DELETE", path, headers={k.replace("_", "-"): v for k, v in headers.items()})

    def bucket(self, name):
        answer = self.request("PUT", f"/{name}")
        assert answer.status == 200, answer
        return name

    def keys(self, bucket, prefix=""):
        found, token = [], None
        while True:
            query = {"list-type": "2", "encoding-type": "url", "prefix": prefix}
            if token:
                query["continuation-token"] = token
            answer = self.get(f"/{bucket}?" + urllib.parse.urlencode(query))
            assert answer.status == 200, answer
            text = answer.body.decode()
            found += [urllib.parse.unquote_plus(k) for k in re.findall(r"<Contents>.*?<Key>(.*?)</Key>", text, re.S)]
            token = re.search(r"<NextContinuationToken>(.*?)</NextContinuationToken>", text)
            token = token and token.group(1)
            if not token:
                return found

    def url(self, path=""):
        return f"http://127.0.0.1:{self.http_port}{path}"

    def socket(self, timeout=20, receive_buffer=None):
        s = socket.socket()
        if receive_buffer:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        s.settimeout(timeout)
        s.connect(("127.0.0.1", self.http_port))
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return s

    # The admin port

    def data_dir(self):
        return str(self.settings["node.data_dir"])

    def admin_token(self):
        """Of the configuration, or the one that the node made for itself."""
        return self.settings.get("admin.token") or (pathlib.Path(self.data_dir()) / "admin.token").read_text().strip()

    def admin(self, path):
        c = http.client.HTTPConnection("127.0.0.1", self.admin_port, timeout=10)
        try:
            c.request("GET", path)
            r = c.getresponse()
            return Answer(r.status, {k.lower(): v for k, v in r.getheaders()}, r.read())
        finally:
            c.close()

    def metric(self, name, **labels):
        """The sum of the samples of this name whose labels match."""
        total, seen = 0.0, False
        for line in self.admin("/metrics").body.decode().splitlines():
            found = re.match(r"([a-zA-Z_:][a-zA-Z0-9_:]*)(\{.*\})?\s+(\S+)$", line)
            if not found or found.group(1) != name:
                continue
            have = dict(re.findall(r'(\w+)="([^"]*)"', found.group(2) or ""))
            if all(have.get(k) == v for k, v in labels.items()):
                total, seen = total + float(found.group(3)), True
        assert seen, f"no metric {name} {labels}"
        return total

    # The process

    def memory(self, field="VmRSS"):
        for line in pathlib.Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith(field + ":"):
                return int(line.split()[1]) * KIB
        raise AssertionError(field)

    def disk_bytes(self):
        """Allocated bytes of the segment files."""
        total = 0
        for path in self.segments():
            try:
                total += path.stat().st_blocks * 512
            except FileNotFoundError:
                pass  # an empty segment, unlinked meanwhile
        return total

    def segments(self):
        return sorted(self.folder.glob("data/**/segments/*.seg"))

    def command_environment(self):
        """Of a command against this node, without keys of the caller's."""
        own = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        return own | {"CAIRN_ENDPOINT": self.url(), "CAIRN_DATA_DIR": self.data_dir()}

    def cairn(self, *arguments, **options):
        """Runs the command against this node."""
        environment = self.command_environment() | options.pop("environment", {})
        options.setdefault("timeout", 120)
        return subprocess.run([BINARY, *map(str, arguments)], env=environment, stdin=options.pop("stdin", subprocess.DEVNULL)
                              if "input" not in options else None, capture_output=True, **options)


def in_threads(count, work):
    """work(i) in `count` threads at once; the first failure is raised."""
    failures = []

    def run(i):
        try:
            work(i)
        except BaseException as failure:  # noqa: BLE001 (handed to the test)
            failures.append(failure)

    threads = [threading.Thread(target=run, args=(i,)) for i in range(count)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    if failures:
        raise failures[0]
