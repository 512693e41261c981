"""What a killed DVC left: recognised, said, mended; and DVC goes on with it."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from lrfr import recovery
from lrfr.recovery import KEPT, LOCK, TORN, AtWorkError, keep_lock, recover

ROOT = Path(__file__).parents[1]
WHOLE = (ROOT / "dvc.lock").read_text(encoding="utf-8")
SMALL = """\
schema: '2.0'
stages:
  one:
    cmd: cat a > b
    deps:
    - path: a
      hash: md5
      md5: 60b725f10c9c85c70d97880dfe8191b3
      size: 2
    params:
      params.yaml:
        seed: 7
    outs:
    - path: b
      hash: md5
      md5: 60b725f10c9c85c70d97880dfe8191b3
      size: 2
  two@x:
    cmd: cp -r b c
    deps:
    - path: b
      hash: md5
      md5: 60b725f10c9c85c70d97880dfe8191b3
      size: 2
    outs:
    - path: c
      hash: md5
      md5: 60b725f10c9c85c70d97880dfe8191b4.dir
      size: 2
      nfiles: 1
"""
PIPELINE = """\
stages:
  one: {cmd: cat a > b, deps: [a], outs: [b]}
  two: {cmd: cat b > c, deps: [b], outs: [c]}
"""


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A folder with DVC's own and a lock of two stages, no git."""
    monkeypatch.chdir(tmp_path)
    Path(".dvc/tmp").mkdir(parents=True)
    LOCK.write_text(SMALL)
    return tmp_path


def commit(project):
    git = ["git", "-c", "user.name=t", "-c", "user.email=t@example.org"]
    for command in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "all"]):
        subprocess.run([*git, *command], check=True)


def test_all_is_well_and_a_copy_is_kept(project):
    assert recover() == []
    assert KEPT.read_text() == LOCK.read_text() == SMALL


def test_elsewhere_there_is_nothing_to_mend(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert recover() == []
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("whole", [SMALL, WHOLE], ids=["small", "default"])
def test_wherever_the_lock_was_cut_it_comes_back(project, whole):
    """At every byte of a small lock, and at some of the default run's, which takes long to read."""
    LOCK.write_text(whole)
    recover()
    for end in range(0, len(whole), 1 if whole is SMALL else 40009):
        LOCK.write_text(whole[:end])
        told = recover()
        assert LOCK.read_text() == whole
        assert len(told) == 1 and "killed while it wrote dvc.lock" in told[0], end
        assert TORN.read_text() == whole[:end]


def test_without_a_kept_copy_the_committed_lock_comes_back(project):
    commit(project)
    LOCK.write_text("")
    assert "the last whole one is back" in recover()[0]
    assert LOCK.read_text() == SMALL


def test_a_first_lock_that_was_cut_is_begun_anew(project):
    LOCK.write_text(SMALL[:-30])
    assert "a new one is begun" in recover()[0]
    assert not LOCK.exists()


def test_a_lock_of_another_commit_with_fewer_stages_stays(project):
    fewer = SMALL.partition("  two@x:")[0]
    LOCK.write_text(fewer)
    commit(project)
    KEPT.write_text(SMALL)
    assert recover() == []
    assert LOCK.read_text() == fewer == KEPT.read_text()


def test_a_lock_that_lost_other_stages_than_the_last_stays(project):
    recover()
    head, _, rest = SMALL.partition("  one:")
    without_the_first = head + "  two@x:" + rest.partition("  two@x:")[2]
    LOCK.write_text(without_the_first)
    assert recover() == []
    assert LOCK.read_text() == without_the_first


def test_a_conflict_of_git_is_for_people_to_resolve(project):
    recover()
    text = SMALL.replace("  two@x:", "<<<<<<< HEAD\n  two@x:\n=======\n  three:\n>>>>>>> other")
    LOCK.write_text(text)
    assert recover() == []
    assert LOCK.read_text() == text


def test_a_stage_keeps_the_lock_that_dvc_has_just_written(project):
    KEPT.write_text(WHOLE)
    keep_lock()
    assert KEPT.read_text() == SMALL
    LOCK.write_text(SMALL[:-20])
    keep_lock()
    assert KEPT.read_text() == SMALL
    LOCK.unlink()
    keep_lock()
    assert not KEPT.exists()


def test_the_command_keeps_it_where_dvc_waits_for_a_stage(project):
    environment = os.environ | {"DVC_STAGE": "acquire"}
    subprocess.run([sys.executable, "-m", "lrfr", "split"], env=environment, capture_output=True)
    assert KEPT.read_text() == SMALL


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", '{"write": 3}', '{"write": {"/a": {"pid": 1}}}', "\0\0\0", pytest.param("[" * 10**5, id="deep")],
)
def test_a_torn_note_of_who_is_at_work_is_removed(project, text):
    recovery.AT_WORK.write_text(text)
    told = recover()
    assert len(told) == 1 and "killed while it noted" in told[0]
    assert not recovery.AT_WORK.exists()


def holder(number):
    return json.dumps({"write": {"/a": {"pid": number, "cmd": "dvc repro"}}, "read": {}})


def test_who_is_gone_is_forgotten_also_where_the_number_is_another_process_s_now(project):
    recovery.AT_WORK.write_text(holder(os.getpid()))
    os.utime(recovery.AT_WORK, (1, 1))  # long before this process began
    assert recover() == []
    assert not recovery.AT_WORK.exists()


def test_who_was_killed_and_not_yet_buried_is_gone(project):
    """Where nobody waits for its children, as in some containers, they stay in the list of processes for ever."""
    process = subprocess.Popen([sys.executable, "-c", "pass"])
    recovery.AT_WORK.write_text(holder(process.pid))
    while Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z":
        time.sleep(0.02)
    assert recover() == []
    process.wait()


def test_a_command_that_is_at_work_is_waited_for(project, capsys):
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, text=True)
    recovery.AT_WORK.write_text(holder(process.pid))
    LOCK.write_text("")
    with pytest.raises(AtWorkError, match=rf"dvc repro \(process {process.pid}\)"):
        recover()
    assert LOCK.read_text() == ""  # not ours while somebody writes it

    def say(line):
        print(line)
        process.communicate("")

    recovery.recover_patiently(say)
    told = capsys.readouterr().out.splitlines()
    assert "another DVC command is at work" in told[0] and "waiting" in told[0]
    assert "a new one is begun" in told[1]


def test_the_lock_that_dvc_holds_is_waited_for(project):
    hold = "from zc.lockfile import LockFile; lock = LockFile('.dvc/tmp/lock'); print(1, flush=True); input()"
    command = [sys.executable, "-c", hold]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        process.stdout.readline()
        with pytest.raises(AtWorkError):
            recover()
        process.communicate("\n")
    assert recover() == []  # the kernel freed it, though the file is there
    assert Path(".dvc/tmp/lock").is_file()


def test_unfinished_notes_of_former_runs_are_removed(project):
    runs = Path(".dvc/cache/runs/ab")
    whole = runs / "abc/def"
    for path in (whole, runs / "abd/.token.tmp", runs / "abe/empty"):
        path.parent.mkdir(parents=True)
        path.write_text("" if path.name == "empty" else SMALL)
    (runs / "abf").mkdir()
    (told,) = recover()
    assert "3 unfinished notes" in told
    assert [path for path in runs.rglob("*") if path.is_file()] == [whole]
    assert list(runs.iterdir()) == [whole.parent]


def test_a_cache_elsewhere_is_looked_into(project):
    Path(".dvc/config").write_text("[core]\n    analytics = false\n")
    Path(".dvc/config.local").write_text("[cache]\n    dir = ../../elsewhere\n")
    lost = project.parent / "elsewhere/runs/ab/abc"
    lost.mkdir(parents=True)
    assert len(recover()) == 1
    assert not lost.exists()


@pytest.fixture(scope="module")
def real(tmp_path_factory):
    """A real DVC project whose two stages have run, with a third to come."""
    folder = tmp_path_factory.mktemp("real")
    subprocess.run(["git", "init", "-q"], cwd=folder, check=True)
    (folder / ".dvc").mkdir()
    (folder / ".dvc/config").write_text((ROOT / ".dvc/config").read_text())
    (folder / "dvc.yaml").write_text(PIPELINE)
    (folder / "a").write_text("1\n")
    assert repro(folder).returncode == 0
    return folder


def repro(folder):
    dvc = [sys.executable, "-m", "dvc", "repro"]
    environment = os.environ | {"DVC_SITE_CACHE_DIR": str(folder / ".dvc/site")}
    return subprocess.run(dvc, cwd=folder, env=environment, capture_output=True, text=True)


def damage_the_lock(folder):
    (folder / LOCK).write_text("")


def damage_the_notes(folder):
    (folder / recovery.AT_WORK).write_text("")


def damage_former_runs(folder):
    for path in (folder / ".dvc/cache/runs").glob("*/*/*"):
        path.unlink()
    (folder / "c").unlink()
    (folder / LOCK).unlink()


@pytest.mark.parametrize("damage", [damage_the_lock, damage_the_notes, damage_former_runs])
def test_dvc_fails_without_and_goes_on_with_it(real, monkeypatch, damage):
    monkeypatch.chdir(real)
    damage(real)
    assert repro(real).returncode != 0
    assert len(recover()) == 1
    done = repro(real)
    assert done.returncode == 0, done.stderr
    assert (real / "c").read_text() == "1\n"


def test_a_stage_whose_dvc_is_gone_ends(tmp_path):
    """The stage would go on, and write beside the next run."""
    stage = "import os; from lrfr.lifetime import stop_with_launcher as stop; stop(); print(os.getpid(), flush=True);"
    stage += "import time; time.sleep(60)"
    launcher = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {stage!r}])"
    process = subprocess.Popen([sys.executable, "-c", launcher], stdout=subprocess.PIPE, text=True)
    number = int(process.stdout.readline())
    process.kill()
    process.wait()
    for _ in range(200):
        if not Path(f"/proc/{number}").exists():
            return
        time.sleep(0.1)
    raise AssertionError("it goes on")
