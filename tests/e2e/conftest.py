import itertools
import os
import shutil

import pytest

from cairn_cluster import Cluster
from cairn_node import BINARY, Node
from http_between import Between
from older_directories import reopened_cluster, unpack
from rights import GUARDED


def pytest_configure():
    if not os.access(BINARY, os.X_OK):
        pytest.exit(f"{BINARY} is not there: build first (./dev build) or set CAIRN_BINARY", returncode=2)


@pytest.fixture(scope="session")
def node(tmp_path_factory):
    """One node for the tests that leave it as they found it."""
    n = Node(tmp_path_factory.mktemp("shared"), http_header_timeout="2s", http_idle_timeout="3s").start()
    yield n
    assert n.running(), f"the shared node died:\n{n.log()[-4000:]}"
    n.stop()
    shutil.rmtree(n.folder / "data")


@pytest.fixture(scope="module")
def guarded(tmp_path_factory):
    """A node that lets nobody in without a signature, for the tests of a module."""
    n = Node(tmp_path_factory.mktemp("guarded"), **GUARDED).start()
    yield n
    n.stop()


@pytest.fixture(scope="module")
def issuer(tmp_path_factory):
    """An OpenID Connect issuer for the tests of a module."""
    from issuer import Issuer  # needs packages that most tests do not need
    i = Issuer(tmp_path_factory.mktemp("issuer"))
    yield i
    i.stop()


@pytest.fixture
def start_node(tmp_path):
    """Makes nodes of the test's own; they must stop cleanly at its end."""
    nodes = []

    def start(name=None, wait=True, **settings):
        n = Node(tmp_path / (name or f"node{len(nodes)}"), **settings)
        nodes.append(n)
        return n.start() if wait else n.spawn()

    yield start
    failures = []
    for n in nodes:
        try:
            if n.process is not None:
                n.stop()
        except AssertionError as failure:
            failures.append(failure)
        shutil.rmtree(n.folder / "data", ignore_errors=True)  # pytest keeps the folders of three runs: logs suffice
    if failures:
        raise failures[0]


@pytest.fixture
def older_node(start_node, tmp_path):
    """A running node whose directory an older build left."""
    unpack("standalone", tmp_path)
    (tmp_path / "node").mkdir()
    (tmp_path / "standalone").rename(tmp_path / "node/data")
    return start_node("node")


@pytest.fixture
def older_cluster(tmp_path):
    """The members of a cluster whose directories an older build left. They are not started, and stop at the test's end whatever happens:
    the next test needs their addresses."""
    cluster = reopened_cluster(tmp_path)
    yield cluster
    cluster.stop()


@pytest.fixture
def ended():
    """Nodes of the test's own that it is given are stopped at its end."""
    nodes = []
    yield nodes.append
    for n in nodes:
        if n.running():
            n.stop()


@pytest.fixture
def make_cluster(tmp_path):
    """Makes settled clusters of the test's own; their nodes must stop cleanly at its end."""
    made = []

    def make(count, **settings):
        settings.setdefault("node_stop_timeout", "5s")
        cluster = Cluster(tmp_path / f"cluster{len(made)}", **settings)
        made.append(cluster)
        return cluster.grow(count)

    yield make
    failures = []
    for cluster in made:
        try:
            cluster.stop()
        except AssertionError as failure:
            failures.append(failure)
        for n in cluster.nodes:
            shutil.rmtree(n.folder / "data", ignore_errors=True)
    if failures:
        raise failures[0]


@pytest.fixture
def two(start_node):
    """Two nodes, of which the second imports from the first."""
    return start_node("source"), start_node("target")


@pytest.fixture
def guarded_two(start_node):
    """The same, with root keys."""
    return start_node("source", **GUARDED), start_node("target", **GUARDED)


@pytest.fixture
def between():
    """Makes proxies in front of nodes (http_between.py)."""
    made = []

    def make(node, hook):
        made.append(Between(node, hook))
        return made[-1]

    yield make
    for one in made:
        one.stop()


_numbers = itertools.count()


@pytest.fixture
def bucket(node):
    """An empty bucket of the shared node."""
    return node.bucket(f"test-{os.getpid()}-{next(_numbers)}")


@pytest.fixture
def s3(node):
    """boto3's client of the shared node, without credentials."""
    from s3_client import client_of
    return client_of(node)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    report = (yield).get_result()
    if report.failed:
        for name, value in getattr(item, "funcargs", {}).items():
            if isinstance(value, Node):
                report.sections.append((f"log of {name}", value.log()[-6000:]))
