"""A file is either the old one or the whole new one."""

import csv
import errno
import json
import math
import os
import socket
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from lrfr.errors import ResultError
from lrfr.files import UNFINISHED, atomic_path, check_writable, read_json, write_csv, write_json, write_text


@pytest.fixture
def old(tmp_path: Path) -> Path:
    path = tmp_path / "file.json"
    path.write_text('{"old": 1}')
    return path


def assert_untouched(path: Path) -> None:
    assert path.read_text() == '{"old": 1}'
    assert list(path.parent.iterdir()) == [path]  # no temporary file is left


def test_a_block_that_fails_leaves_the_old_file(old):
    with pytest.raises(ZeroDivisionError), atomic_path(old) as temporary:
        temporary.write_text("half of the new")
        raise ZeroDivisionError
    assert_untouched(old)


def test_until_the_block_ends_the_old_file_stands(old):
    with atomic_path(old) as temporary:
        temporary.write_text("new")
        assert old.read_text() == '{"old": 1}'
    assert old.read_text() == "new"
    assert list(old.parent.iterdir()) == [old]


@pytest.mark.parametrize("value", [{"rank1": float("nan")}, [float("inf")], {"path": Path("x")}])
def test_json_refuses_what_is_no_json_and_leaves_the_old_file(old, value):
    with pytest.raises((ValueError, TypeError)):
        write_json(old, value)
    assert_untouched(old)


def test_text_that_cannot_be_encoded_leaves_the_old_file(old):
    with pytest.raises(UnicodeEncodeError):
        write_text(old, "a lone surrogate: \ud800")
    assert_untouched(old)


def test_a_first_write_that_fails_leaves_nothing(tmp_path):
    with pytest.raises(UnicodeEncodeError):
        write_text(tmp_path / "new.txt", "\ud800")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("umask", [0o000, 0o077])
def test_everybody_may_read_what_is_written(tmp_path, umask):
    path = tmp_path / "folder/file.json"
    before = os.umask(umask)
    try:
        write_json(path, {"b": 1, "a": [0.5]})
    finally:
        os.umask(before)
    assert path.stat().st_mode & 0o777 == 0o644
    assert read_json(path) == {"b": 1, "a": [0.5]}


def test_equal_json_gives_equal_bytes(tmp_path):
    write_json(tmp_path / "one", {"b": 1, "a": 2})
    write_json(tmp_path / "other", {"a": 2, "b": 1})
    assert (tmp_path / "one").read_bytes() == (tmp_path / "other").read_bytes()


@pytest.mark.parametrize("text", ["", "{", '{"a": 1, "a": 2}', "[" * 100_000, "1" * 5000, "\x00"], ids=range(6))
def test_what_is_no_json_is_named(tmp_path, text):
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(ResultError, match=r"not JSON(.|\n)*a\.json(.|\n)*lrfr split"):
        read_json(tmp_path / "a.json", "lrfr split")


def test_a_csv_has_six_digits_and_blank_cells(tmp_path):
    cells = [1, 1.0, 1 / 3, 1e-7 / 3, np.float32(0.1), np.int64(1_234_567), True, None, math.nan, np.float64("nan"), ""]
    write_csv(tmp_path / "a.csv", [f"c{n}" for n in range(len(cells))], [cells])
    header, row = (tmp_path / "a.csv").read_bytes().decode().removesuffix("\n").split("\n")
    assert header == ",".join(f"c{n}" for n in range(11))
    assert row == "1,1.0,0.333333,3.33333e-08,0.1,1234567,True,,,,"


def test_a_csv_quotes_what_would_break_a_row(tmp_path):
    rows = [["a,b", 'say "c"'], ["two\nlines", "0.1000000"]]
    write_csv(tmp_path / "a.csv", ["x", "y"], rows)
    with (tmp_path / "a.csv").open(newline="") as lines:
        assert list(csv.reader(lines)) == [["x", "y"], *rows]


def test_a_csv_whose_rows_fail_leaves_the_old_file(old):
    with pytest.raises(ZeroDivisionError):
        write_csv(old, ["x"], ([1 / n] for n in (1, 0)))
    assert_untouched(old)


def test_a_link_stays_and_the_file_that_it_leads_to_is_written(tmp_path, old):
    link, far = tmp_path / "link.json", tmp_path / "elsewhere" / "new.json"
    link.symlink_to(old)
    write_json(link, {"new": 1})
    assert link.is_symlink() and read_json(old) == {"new": 1}
    dangling = tmp_path / "dangling.json"
    dangling.symlink_to(far)
    write_json(dangling, {"new": 2})
    assert dangling.is_symlink() and read_json(far) == {"new": 2}


def test_a_link_into_dvc_s_cache_is_replaced_and_the_cache_stays(tmp_path):
    kept = tmp_path / "cache/files/md5/60/b725f10c9c85c70d97880dfe8191b3"
    kept.parent.mkdir(parents=True)
    kept.write_text("of another run")
    output = tmp_path / "output.json"
    output.symlink_to(kept)
    write_json(output, {"new": 1})
    assert not output.is_symlink() and read_json(output) == {"new": 1}
    assert kept.read_text() == "of another run"


def test_a_pipe_gets_the_bytes_and_stays_a_pipe(tmp_path):
    pipe = tmp_path / "pipe.json"
    os.mkfifo(pipe)
    with subprocess.Popen(["cat", pipe], stdout=subprocess.PIPE, text=True) as reader:
        write_json(pipe, {"new": 1})
        assert json.loads(reader.communicate()[0]) == {"new": 1}
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    assert list(tmp_path.iterdir()) == [pipe]


def test_a_device_stays_a_device(tmp_path):
    """One of our own, so that a fault does not reach the machine's."""
    null = tmp_path / "null"
    try:
        os.mknod(null, 0o20666, os.makedev(1, 3))
        null.write_bytes(b"")
    except PermissionError:
        pytest.skip("only root makes devices, and not everywhere")
    check_writable(null)
    write_json(null, {"new": 1})
    assert stat.S_ISCHR(null.stat().st_mode)


def test_what_is_open_already_is_written_to(tmp_path):
    program = "from pathlib import Path; from lrfr.files import write_text; write_text(Path('/dev/stdout'), 'new')"
    with (tmp_path / "file").open("w") as out:
        out.write("begun, ")
        out.flush()
        subprocess.run([sys.executable, "-c", program], stdout=out, check=True)
    assert (tmp_path / "file").read_text() in ("new", "begun, new")  # as the system opens it, but in this very file
    assert list(tmp_path.iterdir()) == [tmp_path / "file"]


@pytest.mark.parametrize("writes", [lambda path: write_text(path, "new"), check_writable])
def test_a_folder_a_socket_and_a_link_to_itself_are_refused(tmp_path, writes):
    folder, loop, place = tmp_path / "folder", tmp_path / "loop", tmp_path / "socket"
    folder.mkdir()
    loop.symlink_to(loop)
    with pytest.raises(ResultError, match=r"this is a folder(.|\n)*folder(.|\n)*name of a file"):
        writes(folder)
    with pytest.raises(OSError, match="loop"):
        writes(loop)
    assert loop.is_symlink()
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(place.relative_to(Path.cwd()) if place.is_relative_to(Path.cwd()) else place))
        with pytest.raises(ResultError, match="a socket"):
            writes(place)


def test_what_a_kill_left_is_taken_over(old):
    program = (
        f"import os; from pathlib import Path; from lrfr.files import atomic_path\n"
        f"with atomic_path(Path({str(old)!r})) as temporary:\n"
        f"    temporary.write_text('half'); os.kill(os.getpid(), 9)"
    )
    for _ in range(2):
        assert subprocess.run([sys.executable, "-c", program]).returncode == -9
        assert sorted(path.name for path in old.parent.iterdir()) == [".file.json.unfinished", "file.json"]
    write_text(old, "n")
    assert old.read_text() == "n"
    assert list(old.parent.iterdir()) == [old]


def test_dvc_and_git_pass_over_what_a_kill_left():
    for name in (".dvcignore", ".gitignore"):
        assert f".*{UNFINISHED}" in (Path(__file__).parents[1] / name).read_text().splitlines()


def test_two_writers_of_one_file_take_turns(old):
    """Each leaves the whole of what it wrote, whoever is last."""
    texts = [character * 100_000 for character in "abcdefgh"]
    with ThreadPoolExecutor(len(texts)) as pool:
        list(pool.map(lambda text: write_text(old, text), texts * 3))
    assert old.read_text() in texts
    assert list(old.parent.iterdir()) == [old]


def test_a_long_name_has_room(tmp_path):
    path = tmp_path / ("é" * 127)
    write_text(path, "new")
    assert path.read_text() == "new"


def test_a_full_disk_names_the_file(old, monkeypatch):
    def full(handle):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left") as caught:
        write_text(old, "new")
    assert caught.value.filename == str(old)
    assert_untouched(old)
