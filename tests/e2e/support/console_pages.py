"""The console in a browser: fixtures and steps that its tests share."""
import contextlib
import os

import pytest

from browser import KEY, SECRET, Browser
from npm_packages import installed

EVIL = "<img src=x onerror=document.title='owned'>\"'&</script>"


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    return os.environ.get("CAIRN_SCREENSHOTS") or tmp_path_factory.mktemp("pictures")


@pytest.fixture(scope="module")
def chromium(pictures):
    b = Browser(pictures)
    yield b
    b.quit()


def url(node, page=""):
    return f"http://127.0.0.1:{node.admin_port}/console/" + (f"#/{page}" if page else "")


def sign_in(browser, node, key=KEY, secret=SECRET):
    browser.driver.get("about:blank")
    browser.driver.get(url(node))
    browser.one("nav, [name=key]")
    if browser.all("nav"):
        return
    browser.fill("key", key)
    browser.fill("secret", secret)
    browser.press("Sign in")
    browser.one("nav")


def sign_out(browser):
    browser.press("Sign out")
    browser.one("[name=key]")


def go(browser, page):
    browser.driver.execute_script("location.hash = arguments[0]", "#/" + page)
    browser.one("main h1")


@contextlib.contextmanager
def accessible(kind, pictures):
    """A browser of its own, and what examines the page that it shows: axe must find nothing wrong with it."""
    axe = (installed("axe") / "node_modules/axe-core/axe.min.js").read_text()
    b = Browser(pictures, *((390, 844) if kind == "phone" else (1280, 900)), dark=kind == "dark")
    found = []

    def examine(name):
        b.driver.execute_script(axe)
        found.extend((name, v["id"], [n["target"] for n in v["nodes"]][:3])
                     for v in b.driver.execute_async_script("axe.run().then(r => arguments[arguments.length - 1](r.violations))"))
        wide = b.driver.execute_script("return document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0, f"{name} is wider than the screen"
        b.picture(f"{kind}-{name.replace('/', '-')}")

    try:
        yield b, examine
        assert found == []
    finally:
        b.quit()
