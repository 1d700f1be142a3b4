"""Debian's Prometheus, scraping nodes under test with the rules of deploy/, and what it says."""
import json
import re
import shutil
import subprocess
import urllib.parse
import urllib.request

import pytest

from cairn_node import REPOSITORY, eventually, free_port

DEPLOY = REPOSITORY / "deploy"
RULES = DEPLOY / "prometheus/cairn.rules.yaml"
UNITS = {"s": 1, "m": 60, "h": 3600}


def needs(program):
    found = shutil.which(program)
    if not found:
        pytest.skip(f"{program} is not installed: Debian's package prometheus has it")
    return found


def shortened(rules, longest):
    """The rules with every minute of `for`, `offset` and ranges as a second, and none longer than `longest` seconds."""
    def short(found):
        seconds = min(int(found[2]) * UNITS[found[3]] // 60, longest)
        return f"{found[1]}{max(seconds, 1)}s"
    return re.sub(r"(for: |offset |\[)(\d+)([smh])\b", short, rules)


class Prometheus:
    def __init__(self, folder, nodes, longest=10):
        program = needs("prometheus")
        folder.mkdir()
        self.port, self.log_path = free_port(), folder / "log"
        (folder / "rules.yaml").write_text(shortened(RULES.read_text(), longest))
        targets = [{"targets": [f"127.0.0.1:{n.admin_port}"], "labels": {"cluster": "blue"}} for n in nodes]
        (folder / "prometheus.yaml").write_text(json.dumps({
            "global": {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"},
            "rule_files": ["rules.yaml"], "scrape_configs": [{"job_name": "cairn", "static_configs": targets}]}))
        with open(self.log_path, "wb") as log:
            self.process = subprocess.Popen(
                [program, f"--config.file={folder / 'prometheus.yaml'}", f"--storage.tsdb.path={folder / 'data'}",
                 f"--web.listen-address=127.0.0.1:{self.port}"], stdout=log, stderr=log)

    def __enter__(self):
        try:
            eventually(lambda: self.query("up"), seconds=60, what="Prometheus has scraped")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(30)

    def api(self, path, **arguments):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/api/v1/{path}?" + urllib.parse.urlencode(arguments), timeout=20) as answer:
                return json.load(answer)["data"]
        except OSError as failure:
            assert self.process.poll() is None, self.log_path.read_text()[-3000:]
            if getattr(failure, "code", 503) != 503:  # 503: it starts
                raise AssertionError(f"{path} {arguments}: {failure.read().decode()}") from failure
            return None

    def query(self, expression):
        answer = self.api("query", query=expression)
        return None if answer is None else answer["result"]

    def firing(self, alert, **labels):
        """The alerts of this name that fire with these labels."""
        answer = self.api("alerts")
        found = [a for a in (answer or {}).get("alerts", []) if a["state"] == "firing" and a["labels"]["alertname"] == alert and
                 labels.items() <= a["labels"].items()]
        for a in found:
            for text in a["annotations"].values():
                assert "error" not in text and "<no value>" not in text, a
        return found

    def fires(self, alert, seconds=60, meanwhile=None, **labels):
        def seen():
            if meanwhile:
                meanwhile()
            return self.firing(alert, **labels)
        return eventually(seen, seconds, 0.3, f"{alert} {labels} fires")

    def clears(self, *alerts, seconds=90, meanwhile=None, **labels):
        def gone():
            if meanwhile:
                meanwhile()
            return not any(self.firing(a, **labels) for a in alerts)
        eventually(gone, seconds, 0.3, f"{alerts} {labels} clear")
