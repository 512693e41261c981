"""What the machine lacks is told in one message, with the place; a defect of ours is not."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from lrfr import memory, parallel
from lrfr.circumstances import told

ROOT = Path(__file__).parents[1]


def caught(work):
    try:
        work()
    except Exception as error:
        return told(error)
    raise AssertionError("nothing went wrong")


@pytest.mark.parametrize(
    "work",
    [
        lambda: torch.empty(10**15),
        lambda: torch.empty(2**62, 8),
        lambda: torch.zeros(1, dtype=torch.half).expand(10**14).float(),
        lambda: torch.nn.Linear(10**12, 512),
        lambda: np.empty(10**15),
        lambda: bytearray(10**15),
    ],
)
def test_sizes_beyond_all_memory(work):
    assert caught(work).startswith("out of memory; ")


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (OSError(errno.EROFS, "Read-only file system", "reports"), "Read-only file system: reports; make it writable"),
        (OSError(errno.EACCES, "Permission denied", "models"), "Permission denied: models; allow lrfr"),
        (FileExistsError(errno.EEXIST, "File exists", "data"), "File exists: data; a folder is needed there"),
        (IsADirectoryError(errno.EISDIR, "Is a directory", "x.json"), "Is a directory: x.json; a file is needed"),
        (OSError(errno.ELOOP, "Too many levels", "x"), "the link leads to itself"),
        (OSError(errno.EBUSY, "Device or resource busy", "x"), "give another place"),
        (OSError(errno.EMFILE, "Too many open files", "x"), "ulimit -n"),
        (OSError(errno.ENOSPC, "No space left on device", "x"), "the disk is full: x; nothing half-written"),
        (OSError(errno.ENOSPC, "No space left on device"), "the disk is full; nothing"),
        (FileNotFoundError(errno.ENOENT, "No usable temporary directory found in ['/tmp']"), "TMPDIR"),
    ],
)
def test_places(error, says):
    assert says in told(error)
    assert "None" not in told(error)


@pytest.mark.parametrize(
    "error", [ZeroDivisionError("x"), FileNotFoundError(errno.ENOENT, "x", "y"), RuntimeError("x")]
)
def test_a_defect_is_no_circumstance(error):
    assert told(error) is None


def test_shared_memory_that_cannot_be_used_is_named(monkeypatch):
    def refuse(*_, **__):
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(parallel, "ProcessPoolExecutor", refuse)
    monkeypatch.setattr(parallel, "cores", lambda: 2)
    assert "/dev/shm" in caught(lambda: list(parallel.parallel_map(abs, range(20), "counting", "number")))


def test_a_container_s_limit_counts(tmp_path, monkeypatch):
    machine = memory.usable()
    (tmp_path / "limit").write_text("1000000\n")
    monkeypatch.setattr(memory, "LIMITS", (str(tmp_path / "absent"), str(tmp_path / "limit")))
    assert memory.usable() == 1_000_000
    assert memory.excess(999_999) is None
    assert "5 GB" in memory.excess(5 * 10**9)
    (tmp_path / "limit").write_text("max\n")
    assert memory.usable() >= machine


# In a namespace of its own, and only there, what is named is read-only
READ_ONLY = """
set -e
mount --make-rprivate /
for place in $PLACES; do mount -t tmpfs -o ro none "$place"; done
exec "$@"
"""


def in_read_only(places, *command, cwd):
    inside = ["unshare", "-m", "sh", "-c", READ_ONLY, "sh", *command]
    environment = os.environ | {"PLACES": " ".join(map(str, places))}
    return subprocess.run(inside, cwd=cwd, env=environment, capture_output=True, text=True)


@pytest.fixture
def project(tmp_path):
    """A folder, where this user can take the right to write from some places, for one command alone."""
    if subprocess.run(["unshare", "-m", "true"], capture_output=True).returncode:
        pytest.skip("no namespaces of mounts here")
    (tmp_path / "params.yaml").write_text((ROOT / "params.yaml").read_text())
    for name in (".dvc", "data", "reports", "src/lrfr/sources/rendering"):
        (tmp_path / name).mkdir(parents=True)
    return tmp_path


@pytest.mark.parametrize(
    ("place", "command"),
    [(".dvc", ["recover"]), ("data", ["code"])],
)
def test_a_read_only_place_is_one_message(project, place, command):
    done = in_read_only([project / place], sys.executable, "-m", "lrfr", *command, cwd=project)
    assert done.returncode == 1, done.stderr
    assert done.stderr.count("\n") == 1 and done.stderr.startswith("error: "), done.stderr
    assert "Read-only file system" in done.stderr and place in done.stderr
