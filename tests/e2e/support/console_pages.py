"""The console in a browser: fixtures and steps that its tests share."""
import os

import pytest

from browser import Browser

KEY, SECRET = "rootkey", "root-secret-0123456789"
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
