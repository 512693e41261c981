"""The flow of a release: nothing that is out of date is released, and a failure is one message."""

import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest

from flows import release
from flows.plan import Stage
from lrfr.errors import ReleaseError
from lrfr.release import making, publishing, trial
from lrfr.release.manifest import Manifest

ROOT = Path(__file__).parents[2]
FOLDER = "signed/tiny/v0.1.0"
TASKS = ("check_up_to_date", "make_release", "verify_release", "run_dvc", "publish_release")


@pytest.fixture
def steps(tmp_path, monkeypatch):
    """The flow without Prefect, its parts replaced; what it asks of them, in order."""
    asked = []
    monkeypatch.chdir(tmp_path)
    for name in TASKS:
        monkeypatch.setattr(release, name, getattr(release, name).fn)
    monkeypatch.setattr(release, "get_run_logger", logging.getLogger)
    monkeypatch.setattr(release, "read_plan", dict)
    monkeypatch.setattr(release, "has_remote", lambda: True)

    def make(key, certificate, say):
        asked.append("make")
        return Path(FOLDER)

    def verify(what, key, say):
        asked.append(f"verify {what} {key}")
        return Manifest("tiny", "v0.1.0", {})

    def stream(command, say):
        asked.append(" ".join(command[2:]))
        away = "push" in command and Path("away").exists()
        return (1, ["...", "ERROR: failed to push data to the cloud"]) if away else (0, [])

    monkeypatch.setattr(making, "make", make)
    monkeypatch.setattr(trial, "verify", verify)
    monkeypatch.setattr(publishing, "publish", lambda what, place, key, say: asked.append(f"publish {what} {place}"))
    monkeypatch.setattr(release.processes, "stream", stream)
    return asked


MADE = ["make", f"verify {FOLDER} public", f"dvc add {FOLDER}", f"dvc push {FOLDER}"]


def test_the_parts_of_a_release_follow_each_other(steps, caplog):
    caplog.set_level(logging.INFO)
    state = release.release.fn(Path("key"), Path("public"), place=Path("place"))
    assert state.is_completed() and steps == [*MADE, f"publish {FOLDER} place"]
    assert "gto register tiny --version v0.1.0" in caplog.text and f"git add {FOLDER}.dvc" in caplog.text


def test_a_remote_that_is_away_is_one_message_and_nothing_is_published(steps):
    Path("away").touch()
    state = release.release.fn(Path("key"), Path("public"), place=Path("place"))
    assert state.is_failed() and steps == MADE
    assert "dvc push failed: ERROR: failed to push data to the cloud\n  what to do: " in str(state.data)


def test_what_is_out_of_date_is_not_released(steps, monkeypatch):
    plan = {name: Stage(name, frozenset(), 1, True) for name in "abcdefg"}
    monkeypatch.setattr(release, "read_plan", lambda: plan)
    state = release.release.fn(Path("key"), Path("public"))
    assert state.is_failed() and not steps
    assert "stages are out of date: a, b, c, d, e, and 2 more\n  what to do: dvc repro" in str(state.data)


def test_without_a_key_nothing_is_asked_of_dvc(steps, monkeypatch):
    def no_key(key, certificate, say):
        raise ReleaseError("a release is signed, and there is no key", remedy="--key release.key")

    monkeypatch.setattr(making, "make", no_key)
    state = release.release.fn(None, None)
    assert state.is_failed() and not steps and "there is no key" in str(state.data)


def test_the_command_runs_the_flow(tmp_path):
    """A real run, in a repository that has nothing to release."""
    for command in (["git", "init", "-q"], [sys.executable, "-m", "dvc", "init", "-q"]):
        subprocess.run(command, cwd=tmp_path, check=True)
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'src'}"}
    done = subprocess.run(
        [sys.executable, "-m", "flows.release"], cwd=tmp_path, capture_output=True, text=True, env=environment
    )
    assert done.returncode == 1 and "error: a release is signed, and there is no key" in done.stderr, done.stderr


def test_whether_there_is_a_remote_is_dvc_s_to_say(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path(".dvc").mkdir()
    Path(".dvc/config").write_text("[core]\n    no_scm = true\n")
    assert not release.has_remote()
    Path(".dvc/config").write_text("[core]\n    no_scm = true\n    remote = s\n['remote \"s\"']\n    url = x\n")
    assert release.has_remote()
