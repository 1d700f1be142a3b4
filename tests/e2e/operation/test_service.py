"""A node and its service manager: sd_notify's datagrams, the watchdog's sign of life, and `cairn health`."""
import re
import signal
import socket
import time

import pytest

from cairn_node import Node, eventually, free_port


class ServiceManager:
    """The end of $NOTIFY_SOCKET that systemd has."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(path))
        self.address = str(path)

    def next(self, seconds=20):
        """The next datagram's assignments; None when none comes."""
        self.socket.settimeout(seconds)
        try:
            return dict(line.split("=", 1) for line in self.socket.recv(4096).decode().splitlines())
        except TimeoutError:
            return None


@pytest.fixture
def manager(tmp_path):
    m = ServiceManager(tmp_path / "notify")
    yield m
    m.socket.close()


def test_a_service_manager_is_told_of_the_start_a_reload_and_the_stop(manager, tmp_path):
    node = Node(tmp_path / "node")
    node.environment["NOTIFY_SOCKET"] = manager.address
    node.spawn()
    try:
        ready = manager.next()
        assert ready["READY"] == "1" and node.url() in ready["STATUS"]
        assert node.get("/files/absent").status in (404, 503), "it answers requests"
        eventually(lambda: node.admin("/health/ready").status == 200, what="and is ready soon")
        before = time.monotonic_ns() // 1000
        node.process.send_signal(signal.SIGHUP)
        reloading = manager.next()
        assert reloading["RELOADING"] == "1"
        assert before <= int(reloading["MONOTONIC_USEC"]) <= time.monotonic_ns() // 1000
        assert manager.next() == {"READY": "1"}
        node.process.send_signal(signal.SIGTERM)
        assert manager.next() == {"STOPPING": "1"}
        node.ended()
        assert manager.next(0.1) is None
    finally:
        if node.process:
            node.kill()


def test_a_node_that_waits_to_join_is_not_reported_ready(manager, tmp_path):
    node = Node(tmp_path / "node", cluster_listen=f"127.0.0.1:{free_port()}", cluster_join=[f"127.0.0.1:{free_port()}"])
    node.environment |= {"NOTIFY_SOCKET": manager.address, "WATCHDOG_USEC": "200000"}
    node.spawn()
    try:
        eventually(lambda: "admin" in node.log() or node.log(), what="it runs")
        assert manager.next(2) is None, "neither ready nor a sign of life that nobody waits for yet"
        node.process.send_signal(signal.SIGTERM)
        assert manager.next() == {"STOPPING": "1"}
        node.ended()
    finally:
        if node.process:
            node.kill()


def test_the_watchdog_is_fed_while_the_node_runs_and_is_idle(manager, tmp_path):
    node = Node(tmp_path / "node", node_shards=2)
    node.environment |= {"NOTIFY_SOCKET": manager.address, "WATCHDOG_USEC": "400000"}
    node.start()
    try:
        assert manager.next()["READY"] == "1"
        for _ in range(10):
            assert manager.next(5) == {"WATCHDOG": "1"}
        node.process.send_signal(signal.SIGSTOP)
        while manager.next(0.3):
            pass
        assert manager.next(2) is None, "a process that hangs gives no sign of life"
        node.process.send_signal(signal.SIGCONT)
        assert manager.next(5) == {"WATCHDOG": "1"}
        node.stop()
    finally:
        if node.process:
            node.kill()


def test_health_tells_whether_the_node_is_ready_and_why_not(start_node):
    node = start_node()
    asked = ("health", "--admin", f"http://127.0.0.1:{node.admin_port}")
    ready = node.cairn(*asked)
    assert (ready.returncode, ready.stdout) == (0, b"ready\n")
    waiting = start_node(wait=False, cluster_listen=f"127.0.0.1:{free_port()}", cluster_join=[f"127.0.0.1:{free_port()}"])
    asked = ("health", "--admin", f"http://127.0.0.1:{waiting.admin_port}")
    eventually(lambda: re.search(rb"starts|join", waiting.cairn(*asked).stderr), what="the reason")
    assert waiting.cairn(*asked).returncode == 1
    waiting.kill()
    assert waiting.cairn(*asked).returncode == 1
