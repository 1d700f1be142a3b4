"""Objects in the console in a real browser, against a real node: fixtures and steps of the tests."""
import re
import urllib.parse

import pytest

from browser import KEY, SECRET, SIGNED_ONLY
from cairn_node import Node
from console_pages import go, sign_in
from signing import call
from usage import VERSIONED

ROOT = (KEY, SECRET)


@pytest.fixture(scope="module")
def node(tmp_path_factory):
    made = Node(tmp_path_factory.mktemp("objects"), **SIGNED_ONLY, node_stop_timeout="5s").start()
    yield made
    made.stop()


@pytest.fixture
def browser(chromium, node):
    chromium.complaints(), chromium.requests()
    sign_in(chromium, node)
    yield chromium
    assert chromium.complaints() == []
    assert chromium.driver.title != "owned"


@pytest.fixture
def bucket(node, request):
    """A bucket of the test's own."""
    name = re.sub(r"[^a-z0-9]+", "-", request.node.name.lower())[:60].strip("-")
    assert call(node, "PUT", f"/{name}", key=ROOT).status == 200
    return name


def quoted(key):
    return urllib.parse.quote(key, safe="")


def put(node, bucket, key, body=b"text", **headers):
    answer = call(node, "PUT", f"/{bucket}/{quoted(key)}", body, key=ROOT, **headers)
    assert answer.status == 200, answer


def get(node, bucket, key):
    return call(node, "GET", f"/{bucket}/{quoted(key)}", key=ROOT)


def keys(node, bucket):
    found = call(node, "GET", f"/{bucket}?list-type=2&encoding-type=url", key=ROOT).body.decode()
    return [urllib.parse.unquote(k) for k in re.findall("<Key>(.*?)</Key>", found)]


def versioned(node, bucket):
    assert call(node, "PUT", f"/{bucket}?versioning=", VERSIONED, key=ROOT).status == 200


def see(browser, bucket, prefix="", page="objects"):
    go(browser, f"{page}/{bucket}" + (f"/{quoted(prefix)}" if prefix else ""))
    of = ".drop" if page == "objects" else "main"
    browser.one(f"{of} table, {of} .quiet, {of} .notice")


def names(browser):
    return [e.text for e in browser.all("main tbody td[data-title=Name] a")]


def settled(browser, expected, what="the names"):
    return browser.patient(lambda: names(browser) == expected, 20, f"{what} {expected}")
