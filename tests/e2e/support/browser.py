"""A real browser: Debian's Chromium by its driver. And one without a window."""
import base64
import http.client
import json
import pathlib
import shutil

import pytest

from cairn_node import eventually

PROGRAMS = ("chromium", "chromedriver")
KEY, SECRET = "rootkey", "root-secret-0123456789"
SIGNED_ONLY = {"auth_root_access_key": KEY, "auth_root_secret_key": SECRET, "auth_anonymous": "none"}


def missing():
    """Why there is no browser here; empty: there is one."""
    absent = [p for p in PROGRAMS if not shutil.which(p)]
    try:
        import selenium  # noqa: F401
    except ImportError:
        absent.append("python3-selenium")
    return f"not installed: {', '.join(absent)} (./dev test console installs them)" if absent else ""


class Client:
    """A browser without a window: it keeps the session's cookie and token, and says where its page comes from."""

    def __init__(self, node):
        self.node, self.cookie, self.csrf = node, None, None
        self.host = f"127.0.0.1:{node.admin_port}"
        self.origin = f"http://{self.host}"

    def ask(self, method, path, **headers):
        sent = {"Origin": self.origin, "Cookie": self.cookie, "Cairn-CSRF": self.csrf}
        sent |= {k.replace("_", "-"): v for k, v in headers.items()}
        c = http.client.HTTPConnection("127.0.0.1", self.node.admin_port, timeout=40)
        try:
            c.request(method, path, headers={k: v for k, v in sent.items() if v is not None})
            r = c.getresponse()
            body = r.read()
            self.headers = r.headers
            return r.status, json.loads(body) if "json" in r.headers["Content-Type"] else body
        finally:
            c.close()

    def sign_in(self, key, secret):
        basic = base64.b64encode(f"{key}:{secret}".encode()).decode()
        status, answer = self.ask("POST", "/v1/session", Authorization="Basic " + basic)
        if status == 200:
            self.cookie = self.headers["Set-Cookie"].split(";")[0]
            self.csrf = answer["csrf"]
        return status

    def done(self, method, path, **headers):
        status, answer = self.ask(method, path, **headers)
        assert status == 200, (method, path, answer)
        return answer


class Browser:
    def __init__(self, pictures, width=1280, height=900, dark=False):
        if why := missing():
            pytest.skip(why)
        from selenium import webdriver
        from selenium.webdriver.chrome.service import Service
        options = webdriver.ChromeOptions()
        for flag in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", f"--window-size={width},{height}",
                     "--no-first-run", "--disable-background-networking", "--disable-component-update"):
            options.add_argument(flag)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        self.driver = webdriver.Chrome(service=Service(shutil.which("chromedriver")), options=options)
        self.driver.set_page_load_timeout(60)
        self.pictures = pathlib.Path(pictures)
        scheme = "dark" if dark else "light"
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": scheme}]})
        if width < 600:
            self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride",
                                        {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": True})

    def quit(self):
        self.driver.quit()

    def all(self, css):
        return self.driver.find_elements("css selector", css)

    def one(self, css, seconds=30):
        """The first element that is shown."""
        def shown():
            return next((e for e in self.all(css) if e.is_displayed()), None)
        return self.patient(shown, seconds, css)

    def patient(self, condition, seconds, what):
        """As eventually(); an element that the page replaced meanwhile counts as not there."""
        from selenium.common.exceptions import StaleElementReferenceException

        def tried():
            try:
                return condition()
            except StaleElementReferenceException:
                return None
        try:
            return eventually(tried, seconds=seconds, every=0.1, what=what)
        except AssertionError:
            self.picture("failed")
            print(self.text())
            raise

    def text(self):
        return self.driver.find_element("css selector", "body").text

    def sees(self, text, seconds=30):
        return self.patient(lambda: text in self.text(), seconds, f"the text {text!r}")

    def button(self, name, within="body"):
        """By its label or text."""
        def found():
            for b in self.all(f"{within} button"):
                if b.is_displayed() and b.is_enabled() and name in (b.get_attribute("aria-label"), b.text):
                    return b
            return None
        return self.patient(found, 30, f"the button {name!r}")

    def press(self, name, within="body"):
        from selenium.common.exceptions import StaleElementReferenceException

        def pressed():
            self.button(name, within).click()
            return True
        for _ in range(3):
            try:
                return pressed()
            except StaleElementReferenceException:
                continue
        return pressed()

    def fill(self, name, value, within="body"):
        field = self.one(f"{within} [name={name}]")
        field.clear()
        field.send_keys(value)

    def tick(self, name):
        self.one(f"dialog [name={name}]").click()

    def picture(self, name):
        self.pictures.mkdir(parents=True, exist_ok=True)
        self.driver.save_screenshot(str(self.pictures / f"{name}.png"))

    def requests(self):
        """The addresses of all requests since the last call."""
        messages = (json.loads(entry["message"])["message"] for entry in self.driver.get_log("performance"))
        return [m["params"]["request"]["url"] for m in messages if m["method"] == "Network.requestWillBeSent"]

    def complaints(self):
        """What the browser's console has of errors, but for answers that are no success."""
        return [e["message"] for e in self.driver.get_log("browser") if e["level"] == "SEVERE" and e["source"] != "network"]
