"""What names, metadata and contents that others stored try in the object browser of the console."""
import struct
import zlib

import pytest

from browser import missing
from cairn_node import MIB
from console_pages import EVIL, chromium, pictures, sign_in, url  # noqa: F401 (fixtures)
from object_pages import ROOT, browser, bucket, keys, names, node, put, see  # noqa: F401 (fixtures)
from signing import call

ATTACK = "<img src=x onerror=document.title='owned'>"
NAMES = [ATTACK, EVIL, "\"><script>document.title='owned'</script>", "\u202egpj.exe", "line\nbreak\r\ttab", "a&amp;b;c%2F+d",
         "\u200bunseen", "ü" * 511, "javascript:document.title='owned'", "../up", "{{7*7}}${7*7}"]

pytestmark = pytest.mark.skipif(bool(missing()), reason=missing())


def png(width, height):
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    rows = b"".join(b"\0" + b"\x20\x80\x60" * width for _ in range(height))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)) + chunk(b"IDAT", zlib.compress(rows)) + \
        chunk(b"IEND", b"")


def test_previews_text_and_images_and_runs_nothing(browser, node, bucket):
    svg = "<svg xmlns='http://www.w3.org/2000/svg' onload=\"document.title='owned'\"><script>document.title='owned'</script></svg>"
    html = f"<!doctype html><title>x</title>{ATTACK}<script>document.title='owned'</script>"
    put(node, bucket, "image.png", png(64, 48), Content_Type="image/png")
    put(node, bucket, "image.svg", svg.encode(), Content_Type="image/svg+xml")
    put(node, bucket, "page.html", html.encode(), Content_Type="text/html")
    put(node, bucket, "false.png", html.encode(), Content_Type="image/png")
    put(node, bucket, "large.txt", "ü".encode() * MIB, Content_Type="text/plain")
    put(node, bucket, "binary", bytes(range(256)))
    put(node, bucket, "packed.txt", b"\x1f\x8b\x08\0", Content_Type="text/plain", Content_Encoding="gzip")
    put(node, bucket, "empty", b"")
    see(browser, bucket, "image.png", "object")
    browser.patient(lambda: browser.driver.execute_script("return document.querySelector('img.preview').naturalWidth") == 64, 20, "the image")
    browser.picture("object-image")
    for key, text in (("image.svg", svg), ("page.html", html)):
        see(browser, bucket, key, "object")
        browser.patient(lambda: browser.one("pre.preview").text == text, 20, key)
    see(browser, bucket, "large.txt", "object")
    browser.sees("The first 64 KiB of 2.0 MiB.")
    assert browser.one("pre.preview").text == "ü" * (32 << 10)
    for key in ("binary", "packed.txt"):
        see(browser, bucket, key, "object")
        browser.sees("It is neither text nor an image.")
    see(browser, bucket, "false.png", "object")
    browser.sees("This is no image that the browser can show.")
    see(browser, bucket, "empty", "object")
    browser.sees("It is empty.")
    assert not browser.all("main script, main iframe, main object, main svg")


def test_stored_pages_are_no_pages_of_the_admin_port(browser, node, bucket):
    from selenium.common.exceptions import WebDriverException
    run = "<script>document.title='owned'; fetch('/v1/session').then(r => r.text()).then(t => document.title = 'owned ' + t)</script>"
    for key, kind in (("page.html", "text/html"), ("page.xml", "application/xhtml+xml"), ("image.svg", "image/svg+xml")):
        body = run if kind == "text/html" else f"<html xmlns='http://www.w3.org/1999/xhtml'><body>{run}</body></html>"
        put(node, bucket, key, body.encode(), Content_Type=kind, Content_Disposition="inline")
        at = url(node).removesuffix("console/") + f"v1/s3/{bucket}?key={key}"
        try:
            browser.driver.get(at)
        except WebDriverException as ended:
            assert "ERR_ABORTED" in str(ended), "it becomes a download"
        assert not browser.driver.title.startswith("owned")
        sign_in(browser, node)
        loaded = browser.driver.execute_async_script("""
            const done = arguments[arguments.length - 1], frame = document.createElement('iframe');
            frame.src = arguments[0]; document.body.append(frame);
            setTimeout(() => done([!!frame.contentDocument && !!frame.contentDocument.querySelector('script'), document.title]), 700)""", at)
        assert loaded[0] is False and not loaded[1].startswith("owned")
        script = browser.driver.execute_async_script("""
            const done = arguments[arguments.length - 1], s = document.createElement('script');
            s.src = arguments[0]; s.onload = () => done('ran'); s.onerror = () => done('refused'); document.body.append(s)""", at)
        assert script == "refused"
    browser.complaints()


def test_names_metadata_and_tags_of_others_are_text(browser, node, bucket):
    for name in NAMES:
        put(node, bucket, "x/" + name)
    put(node, bucket, "evil", **{"x_amz_meta_note": ATTACK, "Content_Type": "text/plain;" + "'\"><img src=x>", "Cache_Control": ATTACK})
    tags = f"<Tagging><TagSet><Tag><Key>{'a' * 100}</Key><Value>+-=._:/@</Value></Tag></TagSet></Tagging>"
    assert call(node, "PUT", f"/{bucket}/evil?tagging=", tags.encode(), key=ROOT).status == 200
    see(browser, bucket, "x/")
    browser.patient(lambda: len(names(browser)) == len(NAMES), 20, "all names")
    assert "⟨U+202E⟩gpj.exe" in names(browser) and "line⟨U+000A⟩break⟨U+000D⟩⟨U+0009⟩tab" in names(browser)
    browser.picture("objects-names")
    for name in NAMES:
        see(browser, bucket, "x/" + name, "object")
        browser.patient(lambda: browser.one("pre.preview").text == "text", 20, name)
        assert not browser.all("main img, main script"), name
        assert browser.driver.title != "owned"
    see(browser, bucket, "evil", "object")
    browser.sees(ATTACK)
    browser.sees("+-=._:/@")
    assert not browser.all("main img")
    see(browser, bucket, "x/")
    browser.patient(lambda: len(names(browser)) == len(NAMES), 20, "all names")
    for box in browser.all("main tbody input[type=checkbox]"):
        box.click()
    browser.press(f"Delete {len(NAMES)} selected…")
    browser.press("Delete", "dialog")
    browser.sees(f"Deleted {len(NAMES)} objects.")
    assert keys(node, bucket) == ["evil"]
