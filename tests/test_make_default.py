"""``make repro`` and the way back, by the Makefile and DVC themselves, over two stages in place of the pipeline's."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PIPELINE = """
stages:
  acquire:
    cmd: cat machine code > faces
    deps: [code]
    outs: [faces]
  train:
    cmd: cat faces params.yaml > model
    deps: [faces]
    params: [rate]
    outs: [model]
"""
LRFR = '#!/bin/sh\n[ "$1" != params ] || cat "$2"\n'  # the parameters need no check here


def call(folder, *command):
    own = str(folder / ".venv/bin")
    places = [place for place in os.environ["PATH"].split(os.pathsep) if place != own]
    done = subprocess.run(
        command, cwd=folder, env=os.environ | {"PATH": os.pathsep.join([own, *places])}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def write(folder, machine):
    """A project as it is in git, or in an archive, on a machine whose results are its own."""
    files = {
        "dvc.yaml": PIPELINE,
        "params/small.yaml": "rate: 1\n",
        "params.yaml": "rate: 1\n",
        "code": "code\n",
        "requirements.lock": "",
        "pyproject.toml": "",
        "tools/check.d": "CHECK_CODE :=\n",
        ".dvc/config": (ROOT / ".dvc/config").read_text(),
        ".dvc/.gitignore": (ROOT / ".dvc/.gitignore").read_text(),
        ".gitignore": "/faces\n/model\n/machine\n/.venv\n/params.yaml.*\n",
    }
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    shutil.copy(ROOT / "Makefile", folder)
    return equip(folder, machine)


def equip(folder, machine):
    """What is not in git."""
    (folder / "machine").write_text(f"{machine}\n")
    (folder / ".venv/bin").mkdir(parents=True)
    (folder / ".venv/bin/dvc").symlink_to(Path(sys.executable).parent / "dvc")
    (folder / ".venv/bin/lrfr").write_text(LRFR)
    (folder / ".venv/bin/lrfr").chmod(0o755)
    (folder / ".venv/.installed").touch()
    return folder


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
class TestMake:
    def test_the_way_back_in_a_fresh_clone_takes_this_machines_results(self, tmp_path, git):
        theirs = write(tmp_path / "theirs", "another processor")
        call(theirs, git, "init", "-q")
        call(theirs, "make", "repro")
        call(theirs, git, "add", "-A")
        call(theirs, git, "-c", "user.name=t", "-c", "user.email=t@t", "commit", "-qm", "with its lock")
        call(tmp_path, git, "clone", "-q", "theirs", "ours")
        ours = equip(tmp_path / "ours", "this processor")
        call(ours, "make", "repro")
        model = (ours / "model").read_text()
        assert "this processor" in model
        (ours / "params.yaml").write_text("rate: 2\n")
        call(ours, "make", "repro")
        assert (ours / "model").read_text() != model
        call(ours, git, "checkout", "dvc.lock")  # which names results that are not here
        said = call(ours, "make", "default")
        assert said.count("is cached - skipping run") == 2
        assert "Running stage" not in said
        assert (ours / "model").read_text() == model
        assert [kept.read_text() for kept in ours.glob("params.yaml.*.bak")] == ["rate: 2\n"]

    def test_an_archive_without_git_runs(self, tmp_path, git):
        archive = write(tmp_path / "archive", "this processor")
        call(archive, "make", "repro")
        assert (archive / "model").is_file()
        call(archive, git, "init", "-q")  # from now on DVC works with git
        call(archive, "make", "repro")
        assert "no_scm" not in (archive / ".dvc/config.local").read_text()

    def test_a_worktree_and_a_shallow_clone_are_git(self, tmp_path, git):
        whole = write(tmp_path / "whole", "this processor")
        call(whole, git, "init", "-q")
        call(whole, git, "add", "-A")
        call(whole, git, "-c", "user.name=t", "-c", "user.email=t@t", "commit", "-qm", "all")
        call(whole, git, "worktree", "add", "-q", "../tree")
        call(tmp_path, git, "clone", "-q", "--depth", "1", whole.as_uri(), "shallow")
        for name in ("tree", "shallow"):
            folder = equip(tmp_path / name, "this processor")
            call(folder, "make", "repro")
            assert (folder / "model").is_file()
            assert not (folder / ".dvc/config.local").exists()
