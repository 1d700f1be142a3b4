"""Nodes in network namespaces of their own, with two networks: one for clients, one between the nodes, which is cut and made
slow. Needs root and `ip`; skipped elsewhere."""
import http.client
import json
import os
import shutil
import subprocess
import threading
import time

import pytest
from cairn_cluster import NAME, cairn
from cairn_node import BINARY, Answer, Node, eventually
from cluster_load import Load

ip_command = shutil.which("ip") or "/usr/sbin/ip"
tag = f"c{os.getpid() % 10000}"


def ip(*arguments, check=True):
    done = subprocess.run([ip_command, *map(str, arguments)], capture_output=True, text=True)
    assert not check or done.returncode == 0, (arguments, done.stderr)
    return done.returncode == 0


def possible():
    if os.geteuid() != 0 or not os.access(ip_command, os.X_OK):
        return False
    ok = ip("netns", "add", tag + "probe", check=False)
    made = ok and ip("link", "add", tag + "br", "type", "bridge", check=False)
    ip("link", "del", tag + "br", check=False)
    ip("netns", "del", tag + "probe", check=False)
    return made


pytestmark = pytest.mark.skipif(not possible(), reason="needs root and network namespaces")


class RemoteNode(Node):
    """A node in a namespace: clients reach it at 10.77.0.N, its peers at 10.78.0.N."""

    def __init__(self, folder, number, **settings):
        self.number, self.space = number, f"{tag}n{number}"
        self.client_address, self.peer_address = f"10.77.0.{number}", f"10.78.0.{number}"
        super().__init__(folder, **settings)

    def write_config(self):
        self.settings["http.listen"] = f"{self.client_address}:{self.http_port}"
        self.settings["admin.listen"] = f"{self.client_address}:{self.admin_port}"
        super().write_config()

    def spawn(self):
        log = open(self.log_path, "ab")
        self.process = subprocess.Popen([ip_command, "netns", "exec", self.space, BINARY, "serve", "--config", str(self.config)],
                                        stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.folder)
        log.close()
        return self

    def connect(self, timeout=30):
        return http.client.HTTPConnection(self.client_address, self.http_port, timeout=timeout)

    def admin(self, path):
        c = http.client.HTTPConnection(self.client_address, self.admin_port, timeout=10)
        try:
            c.request("GET", path)
            r = c.getresponse()
            return Answer(r.status, {k.lower(): v for k, v in r.getheaders()}, r.read())
        finally:
            c.close()

    def cut(self):
        """Its peers don't hear it any more, nor does it hear them; nothing is told to either."""
        ip("link", "set", f"{tag}p{self.number}", "nomaster")

    def heal(self):
        ip("link", "set", f"{tag}p{self.number}", "master", tag + "peers")

    def slow(self, *rule):
        done = subprocess.run(["tc", "qdisc", "replace", "dev", f"{tag}p{self.number}", "root", "netem", *rule],
                              capture_output=True, text=True)
        if "unknown" in done.stderr:
            pytest.skip("this kernel has no netem")
        assert done.returncode == 0, done.stderr


class Network:
    def __init__(self, folder, count):
        self.folder, self.nodes = folder, []
        for bridge in ("clients", "peers"):
            ip("link", "add", tag + bridge, "type", "bridge")
            ip("link", "set", tag + bridge, "up")
        ip("addr", "add", "10.77.0.254/24", "dev", tag + "clients")
        cairn("cluster", "certs", "init", "--dir", folder / "ca", "--name", NAME)
        for number in range(1, count + 1):
            self.add(number)
        self.settled(count)

    def add(self, number):
        space = f"{tag}n{number}"
        ip("netns", "add", space)
        ip("-n", space, "link", "set", "lo", "up")
        for network, letter, address in (("clients", "c", f"10.77.0.{number}/24"), ("peers", "p", f"10.78.0.{number}/24")):
            host, inside = f"{tag}{letter}{number}", f"{tag}{letter}i{number}"
            ip("link", "add", host, "type", "veth", "peer", "name", inside, "netns", space)
            ip("link", "set", host, "master", tag + network, "up")
            ip("-n", space, "addr", "add", address, "dev", inside)
            ip("-n", space, "link", "set", inside, "up")
        data = self.folder / f"node-{number}" / "data"
        cairn("cluster", "certs", "issue", "--dir", self.folder / "ca", "--data-dir", data, f"10.78.0.{number}")
        node = RemoteNode(self.folder / f"node-{number}", number, cluster_listen=f"10.78.0.{number}:9100", cluster_name=NAME,
                          auth_allow_public_writes=True,
                          cluster_join=[f"10.78.0.{n.number}:9100" for n in self.nodes[:2]], node_stop_timeout="5s",
                          **{"cluster_tls.ca": data / "ca.crt", "cluster_tls.cert": data / "node.crt",
                             "cluster_tls.key": data / "node.key"})
        self.nodes.append(node)
        node.start(seconds=60)

    def status(self, node):
        return json.loads(node.admin("/cluster").body)

    def settled(self, count, seconds=120):
        def calm():
            s = self.status(self.nodes[0])
            up = [n for n in s["nodes"] if n["up"]]
            return len(up) == count and s["repairs_waiting"] == 0 and s["partitions_under_replicated"] == 0 and \
                all(n["partitions_incoming"] == 0 and n["partitions_owned"] > 0 for n in s["nodes"])
        eventually(calm, seconds=seconds, every=0.2, what="a settled cluster")

    def leader(self):
        def known():
            s = self.status(self.nodes[0])
            return None if s["leader"] is None else (s["leader"],)
        number = eventually(known, seconds=30, what="a leader")[0]
        return next(n for n in self.nodes if self.status(n)["self"] == number)

    def remove(self):
        for n in self.nodes:
            if n.running():
                n.process.terminate()
        failures = []
        for n in self.nodes:
            try:
                if n.process is not None:
                    n.ended()
            except AssertionError as failure:
                failures.append(failure)
        for number in range(1, len(self.nodes) + 2):
            for letter in "cp":
                ip("link", "del", f"{tag}{letter}{number}", check=False)
            ip("netns", "del", f"{tag}n{number}", check=False)
        for bridge in ("clients", "peers"):
            ip("link", "del", tag + bridge, check=False)
        shutil.rmtree(self.folder, ignore_errors=True)
        if failures:
            raise failures[0]


@pytest.fixture
def network(tmp_path):
    made = Network.__new__(Network)
    made.nodes = []
    try:
        made.__init__(tmp_path / "net", 3)
        yield made
    finally:
        made.remove()


def test_the_leader_is_cut_off_and_comes_back(network):
    leader = network.leader()
    others = [n for n in network.nodes if n is not leader]
    assert leader.put("/files/row", b"one").status == 200
    etag = leader.head("/files/row").header("etag")
    late = {}
    with Load(network, nodes=others) as load:
        load.more()
        leader.cut()

        def ask_the_old_one():
            late["stale"] = leader.request("PUT", "/files/row", b"late", {"If-Match": etag}, timeout=60).status
        asking = threading.Thread(target=ask_the_old_one)
        asking.start()
        load.more(20, seconds=30)
        eventually(lambda: others[0].request("PUT", "/files/row", b"two", {"If-Match": etag}).status in (200, 412),
                   seconds=30, what="the majority decides")
        asking.join(90)
        assert late["stale"] == 503, "a minority accepts nothing"
        assert leader.request("GET", "/files/row", timeout=60).status == 503
        leader.heal()
        load.more()
        network.settled(3)
    body = others[0].get("/files/row").body
    assert body == others[1].get("/files/row").body == leader.get("/files/row").body
    load.check(network.nodes)


def test_a_slow_and_lossy_network_loses_nothing(network):
    for node in network.nodes:
        node.slow("delay", "20ms", "10ms", "loss", "2%")
    with Load(network) as load:
        load.more(60, seconds=120)
    load.check(network.nodes)


def test_each_node_is_cut_off_in_turn_under_load(network):
    with Load(network) as load:
        load.more()
        for node in network.nodes:
            node.cut()
            time.sleep(8)  # long enough to be seen as down
            node.heal()
            load.more(20)
        network.settled(3)
    load.check(network.nodes)
    network.nodes[0].kill()
    load.check(network.nodes[1:])
