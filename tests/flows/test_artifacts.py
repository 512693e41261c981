"""What a flow leaves in Prefect's pages: a browser opens it, so no link leads to a file, and the picture is inside."""

import base64
import re
from pathlib import Path

import pytest

from flows import artifacts
from lrfr import paths
from lrfr.retraining.decisions import Batch, Decision, write_decision

NATIVE = {"gate": "better on native LR", "passed": True, "observed": "rank-1 +13.8 points", "name": "native LR",
          "difference": 0.138, "interval": [0.065, 0.214]}  # fmt: skip
HR = NATIVE | {"gate": "no worse on HR", "name": "HR", "passed": False, "difference": 0.117, "interval": [0.0, 0.25]}
SIZE = {"gate": "size: 200 MB at most", "passed": True, "observed": "3.1 MB"}
DRIFT = {"columns": {"exposure": {"p_value": 2e-8, "current_mean": 0.4}}}


@pytest.fixture
def left(tmp_path, monkeypatch):
    """Attaches a decision; gives what was left, by key."""
    monkeypatch.chdir(tmp_path)
    found = {}
    for kind in ("markdown", "table"):
        monkeypatch.setattr(artifacts, f"create_{kind}_artifact", lambda said, key, **_: found.update({key: said}))

    def attach(flow, decided, reasons, **more):
        at = "2026-01-05T03:00:00Z"
        made = Decision(flow=flow, at=at, decision=decided, reasons=reasons, champion="tiny@v0.1.0", **more)
        write_decision(made)
        artifacts.attach(made)
        return found

    return attach


def test_a_decision_is_told_with_all_its_reasons_and_where_the_pages_are(left):
    paths.REPORT.parent.mkdir()
    paths.REPORT.touch()
    batch = Batch(digest="0", admitted=False, files=9, faces=4, named=4, people=2, reasons=["5 cannot be read"])
    found = left("monitor", "warn", ["w1: refused", "no drift"], batches={"w1": batch}, drift=DRIFT)
    assert set(found) == {"decision", "decisions", "batches", "drift"}
    told = found["decision"]
    assert told.startswith("# monitor: warn") and "tiny@v0.1.0" in told and "- w1: refused\n- no drift" in told
    assert f"`{Path('reports/index.html').absolute().as_uri()}`" in told and "](file:" not in told
    assert found["batches"][0]["became"] == "refused" and found["drift"][0]["p"] == "2e-08"


def test_gates_are_a_table_and_a_picture(left):
    found = left("retrain", "keep", ["fails: no worse on HR"], gates=[NATIVE, HR, SIZE])
    assert [row["passed"] for row in found["gates"]] == ["yes", "NO", "yes"]
    encoded = re.search(r"\(data:image/svg\+xml;base64,([^)]+)\)", found["decision"])[1]
    picture = base64.b64decode(encoded).decode()
    shown = re.findall(r'x="([\d.]+)" y="[\d.]+"[^>]*>(\+[\d.]+)<', picture)
    assert [figures for _, figures in shown] == ["+13.8", "+11.7"]
    assert all(float(x) > 300 for x, _ in shown)  # to the right of the intervals, where no name stands
