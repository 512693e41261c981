"""The doctor: what is well is said to be, and what is amiss gets a remedy."""

import json
import os
import shutil
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from lrfr import cli, doctor, flow_lock, offline, paths
from lrfr.retraining import decisions

ROOT = Path(__file__).parents[1]
VERDICTS = "face_id,verdict,labeller,at,note\nf1,face,anna,2024-05-01T10:00:00+00:00,\n"


@pytest.fixture
def project(tmp_path, monkeypatch, git):
    """A small project in which all is well."""
    monkeypatch.chdir(tmp_path)
    for name, value in offline.VARIABLES.items():
        monkeypatch.setenv(name, value)
    shutil.copy(ROOT / "params.yaml", "params.yaml")
    Path("requirements.lock").write_text("typer==" + doctor.metadata.version("typer") + "\n")
    for folder in (".dvc/tmp", "annotations/verdicts"):
        Path(folder).mkdir(parents=True)
    Path(".dvc/config").write_text("[core]\n    analytics = false\n    check_update = false\n")
    Path("annotations/verdicts/anna.csv").write_text(VERDICTS)
    Path(".gitignore").write_text(".dvc/tmp\n")
    named = [git, "-c", "user.name=t", "-c", "user.email=t@example.org"]
    for command in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "all"]):
        subprocess.run([*named, *command], check=True)
    return tmp_path


def test_all_is_well(project):
    statuses = {name: check().status for name, check in doctor.CHECKS.items() if name not in ("disk", "memory")}
    assert set(statuses.values()) == {"ok"}, statuses


def test_it_exits_with_the_answer(project):
    result = CliRunner().invoke(cli.app, ["doctor"])
    assert (result.exit_code, "problems: 0" in result.output) == (0, True), result.output
    Path("params.yaml").unlink()
    result = CliRunner().invoke(cli.app, ["doctor"])
    assert result.exit_code == 1
    assert "what to do: run from the project's root" in result.output


def test_it_imports_nothing_heavy(project):
    program = (
        "import sys; from lrfr import doctor; doctor.examine(); heavy = {'torch', 'prefect', 'dvc', 'pandas', 'cv2'};"
        "sys.exit(len(heavy & sys.modules.keys()))"
    )
    assert subprocess.run([sys.executable, "-c", program], capture_output=True).returncode == 0


def check(name, status, *says):
    finding = doctor.CHECKS[name]()
    assert finding.status == status
    for words in says:
        assert words in f"{finding.text}\n{finding.remedy}"
    assert finding.remedy or status == "ok"


def test_packages(project):
    Path("requirements.lock").write_text("typer==0.0.1\nnumpy==1.0\n")
    check("packages", "warning", "locked: ==0.0.1", "uv pip install -r requirements.lock")
    Path("requirements.lock").write_text("no-such-package==1.0\n")
    check("packages", "problem", "no-such-package")
    Path("requirements.lock").write_text("no-such-package==1.0 ; sys_platform == 'no-such-platform'\n")
    check("packages", "ok", "all 0 as locked")
    Path("requirements.lock").unlink()
    check("packages", "problem", "project's root")


def test_another_build_of_the_same_version_is_as_locked(project, monkeypatch):
    monkeypatch.setattr(doctor.metadata, "version", lambda name: "2.15.0+cpu")
    Path("requirements.lock").write_text("torch==2.15.0\n")
    check("packages", "ok")


@pytest.mark.parametrize(("free", "status"), [(500e9, "ok"), (1.5e9, "warning"), (0.2e9, "problem")])
def test_disk(project, monkeypatch, free, status):
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda place: shutil._ntuple_diskusage(1e12, 0, free))
    check("disk", status, f"{free / 1e9:.0f} GB free")


def test_places(project, monkeypatch):
    Path("reports").write_text("a file where a folder belongs")
    check("places", "problem", "reports (Not a directory)")
    Path("reports").unlink()
    monkeypatch.setattr(doctor, "SHARED_MEMORY", "/proc/self")
    check("places", "problem", "/proc/self (")


def test_processors(project, monkeypatch, tmp_path):
    for script, status, says in (("echo 'H100, 80 GB'", "ok", "H100, 80 GB"), ("exit 9", "warning", "driver")):
        tool = tmp_path / "nvidia-smi"
        tool.write_text(f"#!/bin/sh\n{script}\n")
        tool.chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
        check("processors", status, says)


def test_git(project):
    Path("new.txt").write_text("x")
    check("git", "warning", "1 files differ", "commit")
    shutil.rmtree(".git")
    check("git", "problem", "git init")
    Path(".dvc/config.local").write_text("[core]\n    no_scm = true\n")
    check("git", "warning", "no git repository, and DVC knows")


def test_a_repository_without_git(project, monkeypatch):
    monkeypatch.setenv("PATH", str(project))
    check("git", "warning", "git is not installed", "install git")
    Path("worktree").mkdir()  # of which .git is a file
    Path("worktree/.git").write_text("gitdir: ../.git/worktrees/worktree\n")
    monkeypatch.chdir("worktree")
    check("git", "warning", "git is not installed")


def test_dvc(project):
    Path(".dvc/config").write_text("[core]\n    analytics = true\n")
    check("DVC", "warning", "dvc config core.analytics false")
    Path(".dvc/config").unlink()
    check("DVC", "problem", "dvc init")


def test_what_a_killed_dvc_left_is_mended(project):
    lock = Path(".dvc/tmp/rwlock")
    lock.write_text(json.dumps({"write": {"/a": {"pid": os.getpid(), "cmd": "dvc repro"}}, "read": {}}))
    check("DVC's lock", "warning", "dvc repro", "wait")
    gone = subprocess.Popen(["true"])
    gone.wait()
    lock.write_text(json.dumps({"write": {}, "read": {"/a": [{"pid": gone.pid, "cmd": "dvc repro"}]}}))
    check("DVC's lock", "ok")
    lock.write_text('{"write": ')
    check("DVC's lock", "warning", ".dvc/tmp/rwlock", "make repro")
    check("DVC's lock", "ok")


def test_offline(project, monkeypatch):
    monkeypatch.setenv("PREFECT_SERVER_ANALYTICS_ENABLED", "true")
    check("offline", "warning", "export PREFECT_SERVER_ANALYTICS_ENABLED=false")


def test_params(project):
    params = Path("params.yaml")
    params.write_text(params.read_text() + "sede: 3\n")
    check("params", "problem", "unknown parameter 'sede'", "did you mean 'seed'?")


def test_verdicts(project):
    manifest = Path("annotations/verdicts/anna.csv")
    check("verdicts", "ok", "1 in 1 manifests")
    manifest.write_text(VERDICTS + "f2,perhaps,anna,2024-05-01T10:00:00+00:00,\n")
    check("verdicts", "problem", "anna.csv:3", "unknown verdict 'perhaps'")
    manifest.write_bytes(b"\xff\xfe\x00")
    check("verdicts", "problem", "anna.csv")
    assert manifest.read_bytes() == b"\xff\xfe\x00"


@pytest.mark.parametrize(
    "content", [b"seed: \x80\n", b"seed: " + b"[" * 10_000, b"seed: " + b"9" * 6_000, b"a: 1\na: 2\n"]
)
def test_a_parameter_file_that_cannot_be_read_is_a_problem(tmp_path, monkeypatch, content):
    monkeypatch.chdir(tmp_path)
    paths.PARAMS.write_bytes(content)
    found = doctor.check_params()
    assert found.status == "problem" and "params.yaml" in found.text and found.remedy


def test_names_and_verdicts_on_pairs(project):
    for folder, text in (("names", "face_id,identity"), ("pairs", "face_id,other_face_id,verdict")):
        place = Path("annotations") / folder
        place.mkdir(parents=True)
        (place / "anna.csv").write_text(f"{text},labeller,at,note\n")
    check("verdicts", "ok", "1 in 1 manifests; names: 0 in 1 manifests; on pairs: 0 in 1 manifests")
    (Path("annotations/names") / "boris.CSV").write_text("face_id,identity,labeller,at,note\n")
    check("verdicts", "warning", "no command reads annotations/names/boris.CSV", "<labeller>.csv")


def test_a_flow_that_runs_and_one_that_was_killed(project):
    check("flows", "ok", "no flow is running")
    with flow_lock.held("monitor"):
        check("flows", "warning", "a flow runs: monitor", str(os.getpid()))
    flow_lock.NOTE.write_text(json.dumps({"flow": "retrain", "process": 1, "since": "2026-01-05T03:00:00Z"}))
    check("flows", "warning", "a flow was killed: retrain, process 1, since 2026")


@pytest.mark.parametrize(("days", "status", "says"), [(8, "ok", "monitor decided: warn"), (30, "warning", "30 days")])
def test_decisions_that_are_overdue(project, days, status, says):
    at = decisions.moment(datetime.now(UTC) - timedelta(days=days, minutes=1))
    made = {"flow": "monitor", "at": at, "decision": "warn", "reasons": ["so"], "champion": "tiny@v0.1.0"}
    decisions.write_decision(decisions.Decision(**made))
    check("decisions", status, says, "tiny@v0.1.0")
