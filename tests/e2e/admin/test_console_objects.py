"""The object browser of the console in a real browser, against a real node: each action."""
import json
import os
import re
import urllib.error
import urllib.request

import pytest

from browser import missing
from cairn_cluster import admin_of
from cairn_node import MIB, eventually, in_threads
from console_pages import KEY, SECRET, accessible, chromium, go, pictures, sign_in, sign_out, url  # noqa: F401 (fixtures)
from cut_line import CutLine
from object_pages import ROOT, browser, bucket, get, keys, names, node, put, see, settled, versioned  # noqa: F401 (fixtures)
from signing import call

pytestmark = pytest.mark.skipif(bool(missing()), reason=missing())


def choose_files(browser, *paths):
    browser.button("Upload files…")
    browser.driver.find_element("css selector", "input[type=file]").send_keys("\n".join(map(str, paths)))


def done_uploads(browser, count):
    browser.sees(f"{count} of {count} uploaded", 60)
    browser.press("Clear the list")


def test_browses_folders_in_pages(browser, node, bucket):
    in_threads(8, lambda i: [put(node, bucket, f"many/{n:03}.txt") for n in range(i, 230, 8)])
    put(node, bucket, "many/below/one.txt")
    put(node, bucket, "top.txt")
    go(browser, "buckets")
    browser.one(f"a[href='#/objects/{bucket}']").click()
    settled(browser, ["many/", "top.txt"])
    browser.requests()
    browser.one("a[href$='many%2F']").click()
    browser.sees("Page 1")
    assert names(browser) == [f"{n:03}.txt" for n in range(100)], "folders and objects come in one order"
    browser.press("Next ›")
    browser.sees("Page 2")
    settled(browser, [f"{n:03}.txt" for n in range(100, 200)])
    browser.press("Next ›")
    settled(browser, ["below/"] + [f"{n:03}.txt" for n in range(200, 230)])
    browser.press("‹ Previous")
    settled(browser, [f"{n:03}.txt" for n in range(100, 200)])
    browser.driver.find_element("css selector", "input[type=search]").send_keys("00")
    settled(browser, [f"{n:03}.txt" for n in range(10)])
    asked = [a for a in browser.requests() if "/v1/s3/" in a]
    assert asked and all("max-keys=100&" in a and "delimiter=%2F" in a for a in asked), asked
    assert all(a.startswith(url(node).removesuffix("console/")) for a in asked)
    browser.picture("objects")
    browser.one("nav.path li:last-child a").click()
    settled(browser, ["many/", "top.txt"])


def test_uploads_by_the_file_picker_and_replaces_when_asked(browser, node, bucket, tmp_path):
    small, large = tmp_path / "small.txt", tmp_path / "large.bin"
    small.write_text("first")
    content = os.urandom(1 << 16) * (40 * MIB >> 16)
    large.write_bytes(content)  # in parts
    see(browser, bucket, "in/a folder/")
    choose_files(browser, small, large)
    browser.one("progress")
    done_uploads(browser, 2)
    settled(browser, ["large.bin", "small.txt"])
    assert get(node, bucket, "in/a folder/large.bin").body == content
    found = get(node, bucket, "in/a folder/small.txt")
    assert found.body == b"first" and found.header("Content-Type") == "text/plain"
    assert b"<Upload>" not in call(node, "GET", f"/{bucket}?uploads=", key=ROOT).body
    small.write_text("second")
    large.write_bytes(b"second" * (3 * MIB))
    choose_files(browser, small, large)
    browser.sees("There is an object of this name already.")
    assert get(node, bucket, "in/a folder/small.txt").body == b"first"
    browser.press("Replace in/a folder/small.txt")
    browser.press("Replace in/a folder/large.bin")
    done_uploads(browser, 2)
    assert get(node, bucket, "in/a folder/small.txt").body == b"second"
    assert get(node, bucket, "in/a folder/large.bin").body == b"second" * (3 * MIB)


def test_the_next_session_sees_no_uploads(browser, node, bucket, tmp_path):
    (tmp_path / "secret-name.txt").write_text("x")
    see(browser, bucket)
    choose_files(browser, tmp_path / "secret-name.txt")
    browser.sees("1 of 1 uploaded", 60)
    sign_out(browser)
    browser.fill("key", KEY)  # without a reload of the page
    browser.fill("secret", SECRET)
    browser.press("Sign in")
    browser.one("nav")
    assert not browser.all(".uploads")


def drop(browser, *paths):
    """As a user drops them: by the browser's own events."""
    area = browser.one(".drop").rect
    at = {"x": area["x"] + 40, "y": area["y"] + 40}
    data = {"items": [], "files": [str(p) for p in paths], "dragOperationsMask": 1}
    for kind in ("dragEnter", "dragOver", "drop"):
        browser.driver.execute_cdp_cmd("Input.dispatchDragEvent", {"type": kind, **at, "data": data})


def test_uploads_what_is_dropped_with_folders(browser, node, bucket, tmp_path):
    below = tmp_path / "photos" / "2024"
    below.mkdir(parents=True)
    (below / "a.txt").write_text("a")
    (tmp_path / "photos" / "b.txt").write_text("b")
    (tmp_path / "c.txt").write_text("c")
    see(browser, bucket)
    browser.button("Upload files…")
    drop(browser, tmp_path / "photos", tmp_path / "c.txt")
    done_uploads(browser, 3)
    assert keys(node, bucket) == ["c.txt", "photos/2024/a.txt", "photos/b.txt"]
    settled(browser, ["photos/", "c.txt"])


def test_an_upload_is_cancelled(browser, node, bucket, tmp_path):
    large = tmp_path / "large.bin"
    large.write_bytes(bytes(60 * MIB))
    see(browser, bucket)
    browser.driver.execute_cdp_cmd("Network.enable", {})
    slow = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": 2 * MIB}
    browser.driver.execute_cdp_cmd("Network.emulateNetworkConditions", slow)
    try:
        choose_files(browser, large)
        browser.one("progress")
        browser.press("Cancel large.bin")
        browser.sees("Cancelled")
    finally:
        browser.driver.execute_cdp_cmd("Network.emulateNetworkConditions", {**slow, "uploadThroughput": -1})
    eventually(lambda: b"<Upload>" not in call(node, "GET", f"/{bucket}?uploads=", key=ROOT).body, 20, what="the upload is aborted")
    assert keys(node, bucket) == []
    browser.press("Clear the list")


def test_downloads(browser, node, bucket, tmp_path):
    content = os.urandom(1 << 16) * (20 * MIB >> 16)
    put(node, bucket, "a/page.html", content, Content_Type="text/html", Content_Disposition="inline")
    see(browser, bucket, "a/")
    browser.driver.execute_cdp_cmd("Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(tmp_path)})
    browser.one("[aria-label='Download page.html']").click()
    saved = tmp_path / "page.html"
    browser.patient(lambda: saved.exists() and saved.read_bytes() == content, 30, "the file")
    assert "objects/" in browser.driver.current_url, "the page stays"


def test_a_download_that_broke_off_goes_on(chromium, node, bucket, tmp_path):
    content = os.urandom(1 << 16) * (20 * MIB >> 16)
    put(node, bucket, "large.bin", content)
    line = CutLine(node)
    try:
        sign_in(chromium, line)
        see(chromium, bucket)
        chromium.driver.execute_cdp_cmd("Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(tmp_path)})
        line.cut(b"key=large.bin", 5 * MIB)
        chromium.one("[aria-label='Download large.bin']").click()
        saved = tmp_path / "large.bin"
        chromium.patient(lambda: saved.exists() and saved.read_bytes() == content, 60, "the file")
        asked = [h for h in line.heads if b"key=large.bin" in h]
        assert len(asked) == 2 and b"\r\nRange: bytes=5" in asked[1], "from where it broke off"
    finally:
        line.stop()


def test_makes_folders_and_deletes_what_is_selected(browser, node, bucket):
    for key in ("a/1", "a/b/2", "a/b/3", "c", "d", "a&<b>"):
        put(node, bucket, key)
    see(browser, bucket)
    browser.press("Make a folder…")
    browser.press("Make", "dialog")
    browser.sees("A folder needs a name.")
    browser.fill("name", "new <b>", "dialog")
    browser.press("Make", "dialog")
    settled(browser, ["a/", "new <b>/", "a&<b>", "c", "d"])
    assert get(node, bucket, "new <b>/").body == b""
    for name in ("a/", "a&<b>", "c"):
        browser.one(f"[aria-label='Select {name}']").click()
    browser.press("Delete 3 selected…")
    browser.sees("With all objects in the folder.")
    browser.picture("objects-delete")
    browser.press("Cancel", "dialog")
    assert len(keys(node, bucket)) == 7
    browser.press("Delete 3 selected…")
    browser.press("Delete", "dialog")
    browser.sees("Deleted 5 objects.")
    settled(browser, ["new <b>/", "d"])
    assert keys(node, bucket) == ["d", "new <b>/"]
    see(browser, bucket, "d", "object")
    browser.press("Delete…")
    browser.press("Delete", "dialog")
    browser.sees("There is no such object now")
    assert keys(node, bucket) == ["new <b>/"]


def test_edits_tags(browser, node, bucket):
    from selenium.webdriver.common.keys import Keys
    put(node, bucket, "k", x_amz_tagging="colour=blue&old=1", x_amz_meta_note="hello")
    see(browser, bucket, "k", "object")
    browser.sees("hello")
    browser.press("Edit the tags…")
    browser.fill("value-0", "grün & gelb", "dialog")
    for name in ("tag-1", "value-1"):
        browser.one(f"dialog [name={name}]").send_keys(Keys.CONTROL + "a", Keys.DELETE)
    browser.fill("value-2", "no name", "dialog")
    browser.press("Save", "dialog")
    browser.sees("A tag needs a name.")
    browser.fill("tag-2", "new", "dialog")
    browser.press("Save", "dialog")
    browser.sees("Saved the tags.")
    browser.sees("grün & gelb")
    found = call(node, "GET", f"/{bucket}/k?tagging=", key=ROOT).body.decode()
    assert re.findall("<Key>(.*?)</Key><Value>(.*?)</Value>", found) == [("colour", "grün &amp; gelb"), ("new", "no name")]


def test_shows_and_restores_versions(browser, node, bucket):
    versioned(node, bucket)
    put(node, bucket, "k", b"first", x_amz_meta_note="of the first")
    put(node, bucket, "k", b"second")
    put(node, bucket, "k2", b"another key that begins so")
    see(browser, bucket, "k", "object")
    browser.patient(lambda: len(browser.all("main table caption")) and len([r for r in browser.all("main tbody tr") if "current" in r.text]) == 1, 20,
                    "versions")
    browser.press("Delete…")
    browser.press("Delete", "dialog")
    browser.sees("There is no such object now")
    browser.sees("delete marker")
    browser.picture("object-deleted")
    see(browser, bucket)
    settled(browser, ["k2"])
    browser.one("input[type=checkbox]:not([aria-label])").click()
    settled(browser, ["k", "k2"], "with the deleted")
    browser.sees("deleted")
    see(browser, bucket, "k", "object")
    browser.press("Restore the object")
    browser.press("Restore", "dialog")
    browser.patient(lambda: browser.one("pre.preview").text == "second", 20, "the version before it")
    assert get(node, bucket, "k").body == b"second"
    oldest = browser.all("main tbody tr")[-1].find_element("css selector", "code").text
    browser.press(f"Restore version {oldest}")
    browser.press("Restore", "dialog")
    browser.patient(lambda: browser.one("pre.preview").text == "first", 20, "the first version")
    assert get(node, bucket, "k").body == b"first" and get(node, bucket, "k").header("x-amz-meta-note") == "of the first"
    browser.press(f"Remove version {oldest}")
    browser.sees("It cannot be restored.")
    browser.press("Remove for good", "dialog")
    browser.sees("Removed the version.")
    assert call(node, "GET", f"/{bucket}/k?versionId={oldest}", key=ROOT).status == 404
    assert get(node, bucket, "k").body == b"first"


def test_shares_a_link(browser, node, bucket):
    put(node, bucket, "a b", b"shared")
    see(browser, bucket, "a b", "object")
    browser.press("Share…")
    browser.fill("endpoint", "not an address", "dialog")
    browser.press("Make a link", "dialog")
    browser.sees("endpoint: expected http://HOST[:PORT]")
    browser.fill("endpoint", "", "dialog")
    browser.press("Make a link", "dialog")
    link = browser.one("#link").get_attribute("value")
    assert "X-Amz-Expires=3600&" in link
    with urllib.request.urlopen(link) as answer:
        assert answer.read() == b"shared"
    with pytest.raises(urllib.error.HTTPError):
        urllib.request.urlopen(link.replace("a%20b", "other"))
    browser.picture("object-shared")
    browser.press("Close", "dialog")


def test_a_key_is_offered_what_it_may(chromium, node, bucket):
    put(node, bucket, "k", x_amz_tagging="a=b")
    versioned(node, bucket)
    put(node, bucket, "k", x_amz_tagging="a=b")
    made = json.loads(node.cairn("key", "create", "--json", *admin_of(node)).stdout)
    allowed = node.cairn("key", "allow", made["access_key"], bucket, "--read", *admin_of(node))
    assert allowed.returncode == 0, allowed.stderr
    sign_in(chromium, node)
    sign_out(chromium)
    sign_in(chromium, node, made["access_key"], made["secret_key"])
    see(chromium, bucket)
    settled(chromium, ["k"])
    assert [b.text for b in chromium.all("main button, main tbody input, main input[type=file]")] == []
    chromium.one("[aria-label='Download k']")
    see(chromium, bucket, "k", "object")
    chromium.sees("Versions")
    assert [b.text for b in chromium.all("main button")] == ["Share…"]
    refused = chromium.driver.execute_async_script("""
        const done = arguments[arguments.length - 1];
        fetch('/v1/session').then(r => r.json()).then(({csrf}) => Promise.all(['PUT', 'DELETE'].map(method =>
          fetch('/v1/s3/' + arguments[0] + '?key=k', {method, headers: {'Cairn-CSRF': csrf}}).then(r => r.status)))).then(done)""", bucket)
    assert refused == [403, 403]
    policy = {"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": "*", "Action": ["s3:ListBucket", "s3:PutObject"],
         "Resource": [f"arn:aws:s3:::{bucket}-2", f"arn:aws:s3:::{bucket}-2/*"]}]}
    assert call(node, "PUT", f"/{bucket}-2", key=ROOT).status == 200
    assert call(node, "PUT", f"/{bucket}-2?policy=", json.dumps(policy).encode(), key=ROOT).status == 204
    go(chromium, "buckets")
    chromium.fill("bucket", f"{bucket}-2")
    chromium.press("Open")
    chromium.button("Upload files…")
    chromium.button("Make a folder…")
    go(chromium, "objects/absent-bucket")
    chromium.sees("bucket")
    sign_out(chromium)
    chromium.press("Use the admin token")
    chromium.fill("token", node.admin_token())
    chromium.press("Sign in")
    see(chromium, bucket)
    chromium.sees("the admin token has no rights on objects")
    sign_out(chromium)
    assert chromium.complaints() == []


def test_is_used_by_keyboard(browser, node, bucket):
    from selenium.webdriver.common.keys import Keys
    put(node, bucket, "k")
    see(browser, bucket)
    browser.button("Make a folder…").send_keys(Keys.ENTER)
    browser.one("dialog [name=name]")
    browser.one("dialog [name=name]").send_keys("by keys" + Keys.ENTER)
    settled(browser, ["by keys/", "k"])
    assert browser.driver.switch_to.active_element.text == "Make a folder…", "the focus is back where it was"
    browser.one("[aria-label='Select k']").send_keys(Keys.SPACE)
    browser.button("Delete 1 selected…").send_keys(Keys.ENTER)
    browser.one("dialog")
    browser.driver.switch_to.active_element.send_keys(Keys.ESCAPE)
    browser.patient(lambda: not browser.all("dialog"), 10, "Escape closes it")
    browser.one("main tbody a").send_keys(Keys.ENTER)
    browser.patient(lambda: browser.driver.switch_to.active_element.tag_name == "h1", 10, "the focus is at the new page's heading")


@pytest.mark.parametrize("kind", ["light", "dark", "phone"])
def test_is_accessible(kind, node, pictures):
    bucket = f"accessible-{kind}"
    assert call(node, "PUT", f"/{bucket}", key=ROOT).status == 200
    versioned(node, bucket)
    for key in ("folder/a-long-name-without-any-place-to-break-" + "x" * 120, "notes.txt", "notes.txt"):
        put(node, bucket, key, b"some text\n" * 40, x_amz_tagging="a=b", x_amz_meta_note="hello")
    with accessible(kind, pictures) as (b, examine):
        sign_in(b, node)
        see(b, bucket)
        b.one("[aria-label='Select notes.txt']").click()
        examine("objects")
        b.press("Delete 1 selected…")
        examine("objects-delete-dialog")
        b.press("Cancel", "dialog")
        see(b, bucket, "folder/")
        examine("objects-long-name")
        see(b, bucket, "notes.txt", "object")
        b.one("pre.preview")
        b.sees("Versions")
        examine("object")
        b.press("Edit the tags…")
        examine("object-tags-dialog")
        b.press("Cancel", "dialog")
        b.press("Share…")
        examine("object-share-dialog")
