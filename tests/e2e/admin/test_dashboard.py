"""deploy/grafana: every query of the dashboard is one that Prometheus answers from what a real cluster exports."""
import json
import os
import re
import time

from cairn_node import MIB
from prometheus import DEPLOY, RULES, Prometheus

DASHBOARD = DEPLOY / "grafana/cairn.json"
VARIABLES = {"$__rate_interval": "10s", "$cluster": "blue", "$instance": ".*"}


def queries():
    """(panel, expression) with Grafana's variables filled in."""
    for panel in json.loads(DASHBOARD.read_text())["panels"]:
        for target in panel.get("targets", []):
            expression = target["expr"]
            for name, value in VARIABLES.items():
                expression = expression.replace(name, value)
            assert "$" not in expression, expression
            yield panel["title"], expression


def test_the_dashboard_is_one_that_grafana_imports():
    dashboard = json.loads(DASHBOARD.read_text())
    assert dashboard["uid"] and dashboard["title"] and "id" not in dashboard
    panels = dashboard["panels"]
    assert len({p["id"] for p in panels}) == len(panels)
    taken = set()
    for p in panels:
        at = p["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert at["x"] + at["w"] <= 24 and not cells & taken, p["title"]
        taken |= cells
        if p["type"] != "row":
            assert p["description"] and p["datasource"]["uid"] == "${datasource}" and p["fieldConfig"]["defaults"]["unit"], p["title"]
    assert [v["name"] for v in dashboard["templating"]["list"]] == ["datasource", "cluster", "instance"]


def families(page):
    """The names of the series that these families have."""
    found = set()
    for name, kind in re.findall(r"^# TYPE (\S+) (\S+)$", page, re.M):
        found |= {name} if kind != "histogram" else {f"{name}_bucket", f"{name}_sum", f"{name}_count"}
    return found


def test_every_query_is_answered_from_what_a_cluster_exports(make_cluster, tmp_path):
    cluster = make_cluster(3, cluster_replicas=2, cluster_write_quorum=2)  # so that nodes read from each other
    exported = families(cluster.nodes[0].admin("/metrics").body.decode())
    for what, expression in [*queries(), ("rules", RULES.read_text())]:
        missing = set(re.findall(r"\bcairn_\w+", expression)) - exported
        assert not missing, (what, missing)

    def traffic():
        for node in cluster.nodes:
            assert node.put("/files/k", os.urandom(8 * MIB)).status == 200
            assert node.get("/files/k").status == 200
            assert node.get("/files/absent").status == 404
    with Prometheus(tmp_path / "prometheus", cluster.nodes) as p:
        deadline = time.monotonic() + 60
        while True:
            traffic()
            empty = [(panel, e) for panel, e in queries() if not any(r["value"][1] != "NaN" for r in p.query(e))]
            if not empty:
                break
            assert time.monotonic() < deadline, empty
            time.sleep(0.5)
