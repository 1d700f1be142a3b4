"""Real nodes that make a cluster on loopback: certificates, joining, status, and what happens to them."""
import json
import os
import signal
import subprocess

from cairn_node import BINARY, Node, eventually, free_port

NAME = "blue"


def cairn(*arguments, check=True, **environment):
    done = subprocess.run([BINARY, *map(str, arguments)], capture_output=True, text=True, timeout=60,
                          env={**os.environ, **environment})
    assert not check or done.returncode == 0, (arguments, done.stdout, done.stderr)
    return done


def admin_of(node):
    """What tells the command which node's admin port to use, and where its token is."""
    environment = ["--admin", f"http://127.0.0.1:{node.admin_port}"]
    token = node.folder / "admin-token"
    token.write_text(node.admin_token())
    return environment + ["--token-file", str(token)]


class Cluster:
    def __init__(self, folder, tls=True, **settings):
        self.folder, self.tls, self.settings = folder, tls, settings
        self.nodes = []
        if tls:
            cairn("cluster", "certs", "init", "--dir", folder / "ca", "--name", NAME)

    def add(self, wait=True, prepare=None, **settings):
        """A further node; the first one founds the cluster, the others join through the first two."""
        folder = self.folder / f"node-{len(self.nodes) + 1}"
        link_port = free_port()
        own = {"cluster_listen": f"127.0.0.1:{link_port}", "cluster_name": NAME,
               "cluster_join": [n.settings["cluster.listen"] for n in self.nodes[:2]]}
        if self.tls:
            data = folder / "data"
            cairn("cluster", "certs", "issue", "--dir", self.folder / "ca", "--data-dir", data, "127.0.0.1")
            own |= {"cluster_tls.ca": data / "ca.crt", "cluster_tls.cert": data / "node.crt",
                    "cluster_tls.key": data / "node.key"}
        if any(n.running() for n in self.nodes):
            own["cluster_join_token"] = self.command("add", "--token-only").stdout.strip()
        node = Node(folder, **{**own, **self.settings, **settings})
        self.nodes.append(node)
        if prepare:
            prepare(node)
        if wait:
            node.start(seconds=60)
        else:
            node.spawn()
        return node

    def grow(self, count):
        while len(self.nodes) < count:
            self.add()
        if count:
            self.settled(count)
        return self

    def status(self, node=None):
        answer = (node or self.any()).admin("/cluster")
        assert answer.status == 200, answer
        return json.loads(answer.body)

    def any(self):
        return next(n for n in self.nodes if n.running())

    def others(self, node):
        return [n for n in self.nodes if n is not node and n.running()]

    def leader(self):
        """The running node that leads, as a majority of the running ones says."""
        def agreed():
            said = []
            for n in self.nodes:
                if n.running():
                    try:
                        said.append(self.status(n)["leader"])
                    except OSError:
                        return None
            best = max(set(said), key=said.count)
            return None if best is None or said.count(best) * 2 <= len(said) else (best,)

        number = eventually(agreed, seconds=30, what="a leader")[0]
        return next(n for n in self.nodes if n.running() and self.status(n)["self"] == number)

    def settled(self, count, seconds=120):
        """All of them members, up, and nothing left to move or to repair."""
        def calm():
            s = self.status()
            members = [n for n in s["nodes"] if n["state"] == "active" and n["up"]]
            idle = all(n["partitions_incoming"] == 0 for n in s["nodes"])
            shared = all(n["partitions_owned"] > 0 for n in members if n["weight"] > 0)  # also the newest one
            return len(members) == count and idle and shared and s["repairs_waiting"] == 0 and \
                s["partitions_under_replicated"] == 0
        eventually(calm, seconds=seconds, every=0.2, what=f"{count} settled nodes")

    def command(self, *arguments, node=None, check=True, **environment):
        return cairn("cluster", *arguments, *admin_of(node or self.any()), check=check, **environment)

    def stop(self):
        """All at once, so that none waits for another; each must end with 0."""
        running = [n for n in self.nodes if n.process is not None]
        for n in running:
            n.process.send_signal(signal.SIGCONT)
            n.process.send_signal(signal.SIGTERM)
        failures = []
        for n in running:
            try:
                n.ended()
            except AssertionError as failure:
                failures.append(failure)
        if failures:
            raise failures[0]
