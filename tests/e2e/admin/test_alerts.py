"""deploy/prometheus: the rules are valid, and each alert fires and clears on recorded series. test_alert_faults.py has the
faults of real nodes."""
import pathlib
import re
import subprocess

from prometheus import DEPLOY, RULES, needs

ALERTS = re.findall(r"- alert: (\w+)", RULES.read_text())


def promtool(*arguments):
    done = subprocess.run([needs("promtool"), *arguments], cwd=DEPLOY / "prometheus", capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_rules_and_the_example_configuration_are_valid():
    promtool("check", "rules", "cairn.rules.yaml")
    promtool("check", "config", "prometheus.yaml")


def test_each_alert_is_silent_before_its_fault_fires_and_clears_on_recorded_series():
    promtool("test", "rules", "cairn.rules.test.yaml")
    recorded = re.findall(r"- name: (\w+)", (DEPLOY / "prometheus/cairn.rules.test.yaml").read_text())
    assert sorted(recorded) == sorted(ALERTS)


def test_each_alert_names_a_section_of_the_documents():
    def anchors(path):
        titles = re.findall(r"^#+ (.*)$", path.read_text(), re.M)
        return {re.sub(r"[^\w -]", "", t.lower()).replace(" ", "-") for t in titles}
    for page, anchor in re.findall(r"runbook: docs/([\w.]+)#(\S+)", RULES.read_text()):
        assert anchor in anchors(DEPLOY.parent / "docs" / page), (page, anchor)
    assert RULES.read_text().count("runbook: ") == len(ALERTS)


def test_each_alert_has_a_fault_of_real_nodes():
    page = pathlib.Path(__file__).with_name("test_alert_faults.py").read_text()
    assert not [a for a in ALERTS if f'"{a}"' not in page]
