"""monitor and retrain, their parts replaced: what follows what, and what a kill or a failure leaves to be done."""

import errno
import logging
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest
from prefect.exceptions import CancelledRun, FailedRun
from prefect.states import Completed, Failed

from flows import monitor, retrain
from lrfr import flow_lock
from lrfr.errors import ReleaseError
from lrfr.retraining import challenge, champion, promotion
from lrfr.retraining.decisions import Decision, moment, read_decisions, write_decision

KEY = {"key": Path("release.key"), "public": Path("release.pub")}
PARAMS = Path(__file__).parents[2] / "params.yaml"


def decision(flow, decided, **more):
    reasons = [f"{decided}, because"]
    at = moment(datetime(2026, 1, 5, tzinfo=UTC))
    return Decision(flow=flow, at=at, decision=decided, reasons=reasons, champion="tiny@v0.1.0", **more)


@pytest.fixture
def flows(tmp_path, monkeypatch):
    """The flows without Prefect; gives what is asked of their parts, in order, and what these answer."""
    monkeypatch.chdir(tmp_path)
    Path("params.yaml").write_text(PARAMS.read_text())
    asked, answers = [], {"look": "retrain", "challenge": "promote", "pipeline": Completed(), "release": Completed()}

    def look():
        made = decision("monitor", answers["look"])
        write_decision(made)
        asked.append("look")
        return made

    def challenged():
        version = "v0.2.0" if answers["challenge"] == "promote" else None
        made = decision("retrain", answers["challenge"], version=version)
        write_decision(made)
        asked.append("challenge")
        return made

    def pipeline(targets=None, return_state=True):
        asked.append(f"pipeline {' '.join(targets or ['all'])}")
        return answers["pipeline"]

    def release(return_state=True, **signing):
        asked.append(f"release by {signing['key']}")
        return answers["release"]

    for module in (monitor, retrain):
        monkeypatch.setattr(module, "prepare", lambda: asked.append("prepare"))
        monkeypatch.setattr(module, "attach", lambda made: None)
        monkeypatch.setattr(module, "tell", lambda block, message: asked.append(f"tell {message[:26]}"))
    monkeypatch.setattr(monitor, "look_at_arrivals", look)
    monkeypatch.setattr(retrain, "hold_against_champion", challenged)
    monkeypatch.setattr(retrain, "pipeline", pipeline)
    monkeypatch.setattr(retrain, "release", release)
    monkeypatch.setattr(retrain, "commit", lambda message: asked.append(f"commit {message[:11]}"))
    monkeypatch.setattr(retrain, "get_run_logger", logging.getLogger)
    monkeypatch.setattr(monitor, "retrain", lambda return_state, **given: retrain.retrain.fn(**given))
    known = champion.Champion(Path("signed"), "tiny@v0.1.0", champion.Version(0, 1, 0), "weights")
    for module in (champion, challenge, promotion):
        monkeypatch.setattr(module, "champion", lambda params: known)
    return asked, answers


RELEASED = ["pipeline all", "commit Retrained: ", "release by release.key", "commit Release tin"]


def test_nothing_that_arrived_is_nothing_that_happens(flows):
    asked, answers = flows
    answers["look"] = "nothing"
    state = monitor.monitor.fn(**KEY)
    assert (state.name, asked) == ("Completed", ["prepare", "look"])


def test_a_warning_is_told(flows):
    asked, answers = flows
    answers["look"] = "warn"
    state = monitor.monitor.fn(notify="slack-webhook/team")
    assert state.name == "Warned" and state.is_completed() and asked[-1].startswith("tell monitor: warn")


def test_a_better_model_is_released(flows):
    asked, _ = flows
    state = monitor.monitor.fn(**KEY)
    assert state.name == "Retrained" and "tiny@v0.1.0 is made" in state.message
    parts = [part for part in asked if not part.startswith(("tell", "prepare"))]
    assert parts == ["look", "pipeline evaluate@baseline", "challenge", *RELEASED]
    assert asked.count("prepare") == 1  # the flow around has done it
    assert "  version: v0.2.0 " in Path("params.yaml").read_text()
    assert [made.decision for made in read_decisions()] == ["retrain", "promote", "released"]


def test_without_a_key_people_release_it(flows):
    asked, _ = flows
    state = retrain.retrain.fn()
    assert state.name == "Promoted" and "release.version: v0.2.0" in state.message
    assert not any(part.startswith(("release", "commit")) for part in asked)
    assert Path("params.yaml").read_text() == PARAMS.read_text()


def test_a_model_that_is_no_better_changes_nothing(flows):
    asked, answers = flows
    answers["challenge"] = "keep"
    state = retrain.retrain.fn(**KEY)
    assert state.name == "Kept" and "tiny@v0.1.0 stays: keep, because" in state.message
    assert not any(part.startswith(("release", "commit")) for part in asked)


def test_a_training_that_fails_decides_nothing(flows):
    asked, answers = flows
    answers["pipeline"] = Failed(message="the stage 'validate' failed")
    state = retrain.retrain.fn(**KEY)
    assert state.is_failed() and state.message == "the stage 'validate' failed"
    assert not read_decisions() and "tell retrain failed: the stag" in [part[:29] for part in asked]


@pytest.mark.parametrize("part", ["pipeline", "release"])
def test_a_release_that_did_not_come_to_its_end_is_done_before_anything_else(flows, part):
    asked, answers = flows
    write_decision(decision("retrain", "promote", version="v0.2.0"))
    answers[part] = Failed(message="the disk is full")
    assert monitor.monitor.fn(**KEY).is_failed()
    assert "look" not in asked and len(read_decisions()) == 1
    answers |= {part: Completed(), "look": "nothing"}
    asked.clear()
    assert monitor.monitor.fn(**KEY).is_completed()
    assert [part for part in asked if not part.startswith(("tell", "prepare"))] == [*RELEASED, "look"]


def test_a_champion_that_is_gone_is_one_message_before_anything_is_trained(flows, monkeypatch):
    def gone(params):
        raise ReleaseError("tiny@v0.1.0 is not here", remedy="dvc pull")

    asked, _ = flows
    monkeypatch.setattr(champion, "champion", gone)
    state = retrain.retrain.fn(**KEY)
    assert state.is_failed() and state.message == "tiny@v0.1.0 is not here" and "dvc pull" in str(state.data)
    assert not any(part.startswith("pipeline") for part in asked)


def test_a_run_that_another_one_leaves_no_room_for_is_skipped(flows, monkeypatch):
    def occupied(flow, run):
        raise flow_lock._occupied()

    flow_lock.NOTE.parent.mkdir(parents=True)
    flow_lock.NOTE.write_text('{"flow": "pipeline", "process": 7, "since": "2026-01-05T03:00:00Z"}')
    monkeypatch.setattr("flows.alone.held", occupied)
    state = monitor.monitor.fn()
    assert (state.name, state.type.value) == ("Skipped", "CANCELLED")
    assert state.message == "a flow already runs in this project: pipeline, process 7, since 2026-01-05T03:00:00Z"


@pytest.mark.parametrize(
    ("error", "is_logged"), [(CancelledRun("x"), False), (FailedRun("x"), False), (OSError(), True)]
)
def test_prefect_logs_no_traceback_of_what_a_state_has_said(flows, error, is_logged):
    monitor.monitor.fn()
    log = logging.getLogger("prefect.flow_runs")
    record = log.makeRecord(log.name, logging.ERROR, "f", 1, "unexpected", (), (type(error), error, None))
    assert bool(log.filter(record)) is is_logged and record.exc_info


@pytest.mark.parametrize("error", [ReleaseError("gone"), OSError(errno.ENOSPC, "No space left on device")])
def test_prefect_logs_what_a_user_can_mend_without_a_traceback(flows, error):
    monitor.monitor.fn()
    log = logging.getLogger("prefect.task_runs")
    record = log.makeRecord(log.name, logging.ERROR, "f", 1, "failed: gone", (), (type(error), error, None))
    assert log.filter(record) and record.exc_info is None


@pytest.fixture
def repository(tmp_path, monkeypatch, git):
    """A new repository with parameters."""
    monkeypatch.chdir(tmp_path)
    subprocess.run([git, "init", "-q"], check=True)
    Path("params.yaml").write_text(PARAMS.read_text())


def test_a_commit_has_what_a_retraining_changes_and_nothing_else(repository, git):
    for command in (["config", "user.name", "t"], ["config", "user.email", "t@t"]):
        subprocess.run([git, *command], check=True)
    write_decision(decision("monitor", "nothing"))
    Path("signed/tiny/v0.1.0").mkdir(parents=True)  # a release that DVC does not track: git knows nothing there
    Path("signed/tiny/v0.1.0/model").touch()
    Path(".gitignore").write_text("/signed/*/v*/")
    Path("mine.txt").write_text("people's own work")
    subprocess.run([git, "add", "mine.txt"], check=True)
    for _ in range(2):  # the second time there is nothing to commit
        retrain.commit.fn("Retrained")
    shown = subprocess.run([git, "show", "--name-only", "--format=%s"], capture_output=True, text=True).stdout.split()
    assert shown == ["Retrained", "decisions/0001-2026-01-05-monitor.json", "params.yaml"]


def test_git_that_does_not_know_who_commits_is_one_message(repository, monkeypatch):
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", "user.useConfigOnly")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", "true")
    with pytest.raises(ReleaseError, match=r"git commit failed[\s\S]*user\.name"):
        retrain.commit.fn("Retrained")
