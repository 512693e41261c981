"""A file is either the old one or the whole new one."""

import csv
import math
import os
from pathlib import Path

import numpy as np
import pytest

from lrfr.files import atomic_path, read_json, write_csv, write_json, write_text


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
