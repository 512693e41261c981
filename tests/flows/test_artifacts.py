"""What Prefect's pages show of a decision: all that decided it, and no link that a browser does not follow."""

from pathlib import Path

import pytest

from flows import artifacts
from lrfr import paths
from lrfr.retraining.decisions import Batch, Decision, write_decision

DRIFT = {
    "columns": {"brightness": {"p_value": 1e-9, "reference_mean": 0.5, "current_mean": 0.25}},
    "embeddings": {"p_value": 0.25, "auc": 0.5},
    "below_quality": {"p_value": 0.5, "reference": 0.05, "current": 0.75},
}
GATE = {
    "gate": "better on native LR: interval above 0", "passed": False,
    "observed": "rank-1 -1.0 points", "name": "native LR", "difference": -0.01, "interval": [-0.02, 0.0],
}  # fmt: skip
BATCH = Batch(digest="d", admitted=False, files=3, faces=1, named=1, people=1, reasons=["two are torn", "one is not"])
DECISION = Decision(
    flow="monitor", at="2026-01-05T03:00:00Z", decision="warn", reasons=["w1: refused by m@v1", "the data drifted"],
    champion="tiny@v0.1.0", batches={"w1": BATCH}, drift=DRIFT, gates=[GATE],
)  # fmt: skip


@pytest.fixture
def attached(tmp_path, monkeypatch):
    """Attaches the decision, or what it is given; gives what Prefect is asked to keep, by key."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(artifacts.PAGES, raising=False)
    for page in (paths.REPORT, paths.QUALITY_PAGE):
        page.parent.mkdir(exist_ok=True)
        page.touch()

    def attach(what=artifacts.attach, *given):
        kept = {}
        for kind in ("table", "markdown", "link"):
            keep = lambda what, *more, key, description: kept.update({key: (what, *more)})  # noqa: E731
            monkeypatch.setattr(artifacts, f"create_{kind}_artifact", keep)
        write_decision(DECISION)
        what(*given or [DECISION])
        return kept

    return attach


def test_a_decision_is_there_with_all_its_reasons(attached):
    (said,) = attached()["decision"]
    assert "# monitor: warn" in said and "tiny@v0.1.0" in said and "- w1: refused by m v1\n- the data drifted" in said
    assert "](data:image/svg+xml;base64," in said


def test_the_tables_say_what_decided(attached):
    kept = attached()
    (row,) = kept["decisions"][0]
    assert row["at"] == "2026-01-05 03:00" and row["released"] == "v0.1.0" and list(row)[-1] == "why"
    assert row["why"] == "w1: refused by m v1"  # no address of mail, which the pages would link
    (row,) = kept["batches"][0]
    assert (row["became"], row["why"]) == ("refused", "two are torn; one is not")
    (row,) = kept["gates"][0]
    assert (row["gate"], row["passed"]) == ("better on native LR", "NO")
    assert row["asked for"] == "interval above 0"
    assert [list(row.values()) for row in kept["drift"][0]] == [
        ["brightness", "1e-09", "0.5", "0.25"],
        ["embeddings", "0.25", "", "AUC 0.5"],
        ["share of low quality", "0.5", "0.05", "0.75"],
    ]


def test_a_page_that_is_not_served_is_named_and_not_linked(attached):
    (said,) = attached()["report-page"]
    assert said == f"`{(Path.cwd() / paths.REPORT).as_uri()}`"


def test_a_page_that_is_served_is_linked(attached, monkeypatch):
    monkeypatch.setenv(artifacts.PAGES, "http://127.0.0.1:8000/")
    kept = attached()
    assert kept["report-page"] == ("http://127.0.0.1:8000/index.html", "reports/index.html")
    assert kept["quality-page"] == ("http://127.0.0.1:8000/quality.html", "reports/quality.html")


def test_a_page_that_was_not_made_is_not_named(attached):
    paths.REPORT.unlink()
    assert "report-page" not in attached()


def test_a_failed_validation_is_there_with_what_it_said_and_its_page(attached):
    kept = attached(artifacts.attach_failure, "validate", "the stage 'validate' failed\nerror: too few people")
    assert "error: too few people" in kept["failure"][0] and "quality.html" in kept["quality-page"][0]
    assert set(attached(artifacts.attach_failure, "embed@x", "no")) == {"failure"}
