"""The console in a real browser, against three nodes: each page and action, also with a node killed; what pages and names of
others try."""
import json
import signal

import pytest

from browser import SIGNED_ONLY, missing
from cairn_cluster import Cluster, admin_of
from cairn_node import eventually
from console_pages import EVIL, KEY, SECRET, accessible, chromium, go, pictures, sign_in, sign_out, url  # noqa: F401 (fixtures)

PAGES = ("overview", "nodes", "moves", "buckets", "keys")

pytestmark = pytest.mark.skipif(bool(missing()), reason=missing())


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    made = Cluster(tmp_path_factory.mktemp("console"), **SIGNED_ONLY, node_stop_timeout="5s")
    made.grow(3)
    yield made
    made.stop()


@pytest.fixture
def browser(chromium, cluster):
    chromium.complaints(), chromium.requests()
    sign_in(chromium, cluster.nodes[0])
    yield chromium
    assert chromium.complaints() == []


def as_root(node, *arguments):
    done = node.cairn(*arguments, environment={"AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET})
    assert done.returncode == 0, done.stderr
    return done.stdout.decode()


def state_of(cluster, number):
    return next(n for n in cluster.status()["nodes"] if n["number"] == number)


def test_signs_in_and_out(chromium, cluster):
    node = cluster.nodes[0]
    chromium.driver.get(url(node))
    chromium.fill("key", KEY)
    chromium.fill("secret", "wrong")
    chromium.press("Sign in")
    chromium.sees("the access key or its secret is wrong")
    chromium.fill("secret", SECRET)
    chromium.press("Sign in")
    chromium.sees("Overview")
    assert chromium.driver.execute_script("return document.cookie") == "", "no script reads the session"
    chromium.driver.refresh()
    chromium.sees("Overview")
    sign_out(chromium)
    chromium.driver.refresh()
    chromium.one("[name=key]")
    chromium.press("Use the admin token")
    chromium.fill("token", node.admin_token())
    chromium.press("Sign in")
    chromium.sees("Admin token")
    sign_out(chromium)
    chromium.picture("sign-in")


def test_no_field_has_what_another_was_given(chromium, cluster):
    sign_in(chromium, cluster.nodes[0])
    sign_out(chromium)
    sign_in(chromium, cluster.nodes[0])
    go(chromium, "keys")
    chromium.press("Create an access key…")
    assert chromium.one("dialog [name=label]").get_attribute("value") == ""
    chromium.fill("label", "typed", "dialog")
    chromium.tick("create_buckets")
    chromium.press("Cancel", "dialog")
    chromium.press("Create an access key…")
    assert chromium.one("dialog [name=label]").get_attribute("value") == ""
    assert not chromium.one("dialog [name=create_buckets]").is_selected()
    chromium.press("Cancel", "dialog")


def test_shows_health_and_load_without_a_request_elsewhere(browser, cluster):
    node = cluster.nodes[0]
    browser.sees("3 of 3 up")
    browser.sees("Healthy")
    browser.requests()
    for i in range(30):
        node.get(f"/files/{i}")
    browser.patient(lambda: any(e.text not in ("0.0/s", "") for e in browser.all(".card .value")[3:4]), 20, "requests a second")
    browser.picture("overview")
    asked = browser.requests()
    assert asked and all(a.startswith(url(node).removesuffix("console/")) for a in asked), asked
    for page in PAGES:
        go(browser, page)
        browser.one("main table, .cards, main .quiet")
        browser.picture(page)


def test_drains_and_activates_with_a_preview(browser, cluster):
    go(browser, "nodes")
    browser.press("Drain node 2")
    browser.sees("Node 2 owns")
    browser.sees("configured for 3 replicas")
    browser.picture("drain")
    browser.press("Cancel", "dialog")
    assert not browser.all("dialog")
    assert state_of(cluster, 2)["state"] == "active"
    browser.press("Drain node 2")
    browser.press("Drain", "dialog")
    eventually(lambda: state_of(cluster, 2)["state"] == "draining", what="drained")
    browser.press("Activate node 2")
    browser.press("Activate", "dialog")
    eventually(lambda: state_of(cluster, 2)["state"] == "active", what="active")
    browser.button("Drain node 2")


def test_sets_weight_and_zone_and_refuses_to_remove(browser, cluster):
    go(browser, "nodes")
    before = state_of(cluster, 1)["weight"]
    browser.press("Weight node 1")
    browser.fill("value", "70", "dialog")
    browser.press("Set", "dialog")
    eventually(lambda: state_of(cluster, 1)["weight"] == 70, what="the weight")
    cluster.command("weight", "1", str(before))
    browser.press("Zone node 1")
    browser.fill("value", "rack-9", "dialog")
    browser.press("Set", "dialog")
    browser.sees("rack-9")
    assert state_of(cluster, 1)["zone"] == "rack-9"
    assert not [b for b in browser.all("button") if (b.get_attribute("aria-label") or "").startswith("Remove")], "active nodes are drained first"
    cluster.command("drain", "1")
    browser.press("Remove node 1")
    browser.fill("typed", "7", "dialog")
    browser.press("Remove for good", "dialog")
    browser.sees("Type 1 to confirm.")
    browser.press("Cancel", "dialog")
    cluster.command("activate", "1")
    browser.button("Drain node 1")


def test_makes_a_token_for_a_new_node(browser, cluster):
    go(browser, "nodes")
    browser.press("Add a node…")
    browser.press("Make a token", "dialog")
    assert "join_token" in browser.one("dialog pre").text and "JOIN-TOKEN" not in browser.one("dialog pre").text
    browser.press("Close", "dialog")


def test_asks_for_a_scan(browser):
    go(browser, "moves")
    browser.sees("By node")
    browser.press("Scan for missing and damaged replicas now…")
    browser.press("Look now", "dialog")
    browser.patient(lambda: browser.one(".said.shown"), 10, "what was done")


def test_makes_changes_and_deletes_keys(browser, cluster):
    as_root(cluster.nodes[0], "mb", "papers")
    go(browser, "keys")
    browser.press("Create an access key…")
    browser.fill("label", EVIL, "dialog")
    browser.press("Create", "dialog")
    key = browser.one("#made-key").text
    assert len(browser.one("#made-secret").text) == 40
    browser.press("I have it", "dialog")
    browser.sees(key)
    browser.press(f"Rights of {key}")
    browser.fill("bucket", "papers", "dialog")
    browser.press("Change", "dialog")
    browser.sees("A bucket and rights on it go together.")
    browser.tick("read")
    browser.press("Change", "dialog")
    browser.sees("papers: read")
    browser.picture("keys-made")
    listed = json.loads(cluster.nodes[0].cairn("key", "list", "--json", *admin_of(cluster.nodes[0])).stdout)
    assert [(k["label"], k["grants"]) for k in listed if k["access_key"] == key] == \
        [(EVIL, [{"bucket": "papers", "read": True, "write": False, "owner": False}])]
    assert browser.driver.title != "owned" and not browser.all("main img"), "labels are text"
    go(browser, "buckets/papers")
    browser.sees(key)
    go(browser, "keys")
    browser.press(f"Delete {key}")
    browser.press("Delete", "dialog")
    browser.patient(lambda: key not in browser.one("main").text, 20, "it is gone")
    as_root(cluster.nodes[0], "rb", "papers")


def test_opens_and_closes_buckets(browser, cluster):
    as_root(cluster.nodes[0], "mb", "downloads")
    go(browser, "buckets")
    browser.one("a[href='#/buckets/downloads']").click()
    browser.sees("private")
    browser.press("Make it public…")
    browser.press("Make it public", "dialog")
    browser.sees("Anybody may list it")
    assert cluster.nodes[1].get("/downloads").status == 200
    browser.press("Make it private…")
    browser.press("Make it private", "dialog")
    browser.button("Make it public…")
    assert cluster.nodes[1].get("/downloads").status == 403
    as_root(cluster.nodes[0], "rb", "downloads")


def test_addresses_of_others_make_nothing_run(browser, cluster):
    for fragment in ("buckets/" + EVIL, "buckets/%zz", "buckets/%3Cimg%20src%3Dx%20onerror%3Dalert(1)%3E", "constructor", "__proto__"):
        browser.driver.get(url(cluster.nodes[0]) + "#/" + fragment)
        browser.one("main h1")
        assert browser.driver.title != "owned" and not browser.all("main img")
    # Inline scripts and styles are refused by the policy.
    ran = browser.driver.execute_script(
        "const s = document.createElement('script'); s.textContent = 'window.ran = true'; document.body.append(s); return window.ran")
    assert ran is None
    refused = browser.complaints()
    assert any("Content Security Policy" in c for c in refused)


def test_a_page_of_the_object_port_cannot_use_the_session(browser, cluster):
    """Same host, other port: for the browser it is the same site, so it sends the cookie."""
    node = cluster.nodes[0]
    as_root(node, "mb", "pages")
    page = node.folder / "attack.html"
    page.write_text("<!doctype html><title>attack</title>")
    as_root(node, "put", page, "pages/attack.html")
    node.cairn("bucket", "public-read", "pages", "on", *admin_of(node))
    browser.driver.get(f"http://127.0.0.1:{node.http_port}/pages/attack.html")
    attack = """
      const done = arguments[arguments.length - 1], admin = arguments[0], out = [];
      const attempt = (path, options) => fetch(admin + path, {credentials: 'include', ...options})
        .then(r => r.text().then(t => out.push([path, r.type, r.status, t])), e => out.push([path, 'failed', 0, '']));
      (async () => {
        await attempt('/v1/keys', {});
        await attempt('/v1/keys', {mode: 'no-cors'});
        await attempt('/v1/keys?label=forged', {method: 'POST', mode: 'no-cors'});
        await attempt('/v1/keys?label=forged', {method: 'POST', headers: {'Cairn-CSRF': 'x'}});
        const frame = document.createElement('iframe'); frame.src = admin + '/console/'; document.body.append(frame);
        await new Promise(r => setTimeout(r, 500));
        let seen = null; try { seen = frame.contentDocument && frame.contentDocument.querySelector('#console') } catch (e) {}
        done([out, !!seen]);
      })();
    """
    attempts, framed = browser.driver.execute_async_script(attack, url(node).removesuffix("/console/"))
    assert all(text == "" for _, _, _, text in attempts), attempts
    assert not framed
    listed = json.loads(node.cairn("key", "list", "--json", *admin_of(node)).stdout)
    assert all(k["label"] != "forged" for k in listed)
    as_root(node, "rm", "pages/attack.html")
    as_root(node, "rb", "pages")
    browser.complaints()


def test_a_key_is_offered_what_it_may(chromium, cluster):
    node = cluster.nodes[0]
    made = json.loads(node.cairn("key", "create", "--json", "--create-buckets", *admin_of(node)).stdout)
    done = node.cairn("mb", "mine", environment={"AWS_ACCESS_KEY_ID": made["access_key"], "AWS_SECRET_ACCESS_KEY": made["secret_key"]})
    assert done.returncode == 0, done.stderr
    sign_in(chromium, node)
    sign_out(chromium)
    sign_in(chromium, node, made["access_key"], made["secret_key"])
    chromium.sees("Not an operator")
    for page in PAGES:
        go(chromium, page)
        chromium.one("main table, .cards, main .quiet")
        assert [b.text for b in chromium.all("main button") if not b.text.startswith(("‹", "Next", "Open"))] == []
    go(chromium, "buckets")
    chromium.sees("mine")
    node.cairn("key", "delete", made["access_key"], *admin_of(node))
    go(chromium, "keys")
    chromium.one("[name=key]")
    as_root(node, "rb", "mine")


def test_is_used_by_keyboard(browser):
    from selenium.webdriver.common.keys import Keys
    go(browser, "nodes")
    browser.button("Zone node 0").send_keys(Keys.ENTER)
    browser.one("dialog")
    browser.driver.switch_to.active_element.send_keys(Keys.ESCAPE)
    browser.patient(lambda: not browser.all("dialog"), 10, "Escape closes it")
    focused = browser.driver.switch_to.active_element.get_attribute("aria-label")
    assert focused == "Zone node 0", "the focus is back where it was"
    go(browser, "keys")
    browser.patient(lambda: browser.driver.switch_to.active_element.tag_name == "h1", 10, "the focus is at the new page's heading")


@pytest.mark.parametrize("kind", ["light", "dark", "phone"])
def test_is_accessible(kind, cluster, pictures):
    with accessible(kind, pictures) as (b, examine):
        b.driver.get(url(cluster.nodes[0]))
        b.one("[name=key]")
        examine("sign-in")
        sign_in(b, cluster.nodes[0])
        for page in PAGES:
            go(b, page)
            b.one("main table, .cards, main .quiet")
            examine(page)
        go(b, "nodes")
        b.press("Drain node 0")
        examine("drain-dialog")


def test_says_what_a_killed_node_means(browser, cluster):
    node = cluster.nodes[2]
    node.process.send_signal(signal.SIGKILL)
    node.process.wait()
    browser.sees("2 of 3 up", 60)
    browser.sees("Action needed")
    browser.sees("is down")
    browser.picture("node-killed")
    go(browser, "nodes")
    browser.sees("down")
    go(browser, "keys")
    browser.press("Create an access key…")
    browser.fill("label", "made while a node is down", "dialog")
    browser.press("Create", "dialog")
    browser.one("#made-key")
    browser.press("I have it", "dialog")
    node.start(seconds=60)
    cluster.settled(3)
    go(browser, "overview")
    browser.sees("3 of 3 up", 60)
    # The node that serves the page: what is shown stays, and the page says that it is old.
    serving = cluster.nodes[0]
    serving.process.send_signal(signal.SIGKILL)
    serving.process.wait()
    browser.sees("The node does not answer. What is shown is the last that it said.", 60)
    browser.sees("3 of 3 up")
    serving.start(seconds=60)
    browser.one("[name=key]", 60)  # sessions end with the process
    cluster.settled(3)
