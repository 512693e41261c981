import os
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.io import savemat

from lrfr.errors import SourceError
from lrfr.sources.reading import mat_lists
from lrfr.sources.reading.mat_lists import identities_of, pairs_of
from tests.sources.layouts import cells, put


def write(root: Path, names: object, ids: object) -> Path:
    savemat(root / "list.mat", {"probe_set": names, "probe_ids": ids})
    return root


def read(root: Path) -> dict[str, str]:
    return identities_of(root, "list.mat", "probe_set", "probe_ids")


@pytest.mark.parametrize("kind", [np.uint16, np.int32, np.float64])
def test_names_and_ids_whatever_their_type(tmp_path, kind):
    write(tmp_path, cells("7_b.jpg", "7_a.jpg"), np.array([[12], [7]], kind))
    assert read(tmp_path) == {"7_b.jpg": "12", "7_a.jpg": "7"}


def test_cells_in_cells_and_ids_as_text(tmp_path):
    nested = np.empty((2, 1), object)
    nested[:, 0] = [cells("a.jpg"), cells("b.jpg")]
    assert read(write(tmp_path, nested, cells("3", "0004"))) == {"a.jpg": "3", "b.jpg": "4"}


def test_names_as_rows_of_characters(tmp_path):
    assert read(write(tmp_path, np.array(["a.jpg", "bcd.jpg"]), np.array([[1], [2]]))) == {"a.jpg": "1", "bcd.jpg": "2"}


def test_folders_in_a_name_are_dropped_and_repetitions_are_one(tmp_path):
    write(tmp_path, cells("Probe\\a.jpg", "Probe/b.jpg", "a.jpg "), np.array([[1], [2], [1]]))
    assert read(tmp_path) == {"a.jpg": "1", "b.jpg": "2"}


@pytest.mark.parametrize("name", ["../../a.jpg", "/etc/passwd", "D:\\faces\\a.jpg", "x/../../../a.jpg"])
def test_a_name_that_leads_out_is_refused(tmp_path, name):
    with pytest.raises(SourceError, match="leads out of the dataset") as error:
        read(write(tmp_path, cells("a.jpg", name), np.array([[1], [2]])))
    assert name in str(error.value)


@pytest.mark.parametrize(
    ("names", "ids", "what"),
    [
        (cells("a.jpg", "b.jpg"), [[1]], "lists 2 images and probe_ids 1"),
        (cells("a.jpg", "a.jpg"), [[1], [2]], "a.jpg has two identities: 1 and 2"),
        (cells("a.jpg"), [[1.5]], "no whole number: 1.5"),
        (cells("a.jpg"), [[np.nan]], "no whole number"),
        (cells("a.jpg"), cells("x"), "no whole number"),
        (cells(""), [[1]], "no file name"),
        (np.array([[3]]), [[1]], "no file name"),
    ],
)
def test_a_list_that_cannot_be_right_says_why(tmp_path, names, ids, what):
    with pytest.raises(SourceError, match=what) as error:
        read(write(tmp_path, names, ids))
    assert "list.mat" in str(error.value)


def test_a_missing_field_is_named(tmp_path):
    savemat(tmp_path / "list.mat", {"probe_set": cells("a.jpg")})
    with pytest.raises(SourceError, match="no field probe_ids"):
        read(tmp_path)


@pytest.mark.parametrize("content", [b"", b"x", b"MATLAB 5.0 MAT-file" + bytes(200)])
def test_what_is_no_mat_file(tmp_path, content):
    put(tmp_path / "list.mat", content)
    with pytest.raises(SourceError, match=r"not a readable \.mat file|no field"):
        read(tmp_path)


def test_version_7_3_says_how_to_convert(tmp_path):
    header = b"MATLAB 7.3 MAT-file, Platform: GLNXA64".ljust(116) + bytes(8) + (0x0200).to_bytes(2, "little") + b"IM"
    put(tmp_path / "list.mat", header + b"\x89HDF\r\n\x1a\n" + bytes(400))
    with pytest.raises(SourceError, match=r"7\.3(.|\n)*-v7"):
        read(tmp_path)


def test_pairs(tmp_path):
    savemat(tmp_path / "positive.mat", {"positive": cells(("a.jpg", "b.jpg"), ("a.jpg", "c.jpg"))})
    assert pairs_of(tmp_path, "positive.mat") == [("a.jpg", "b.jpg"), ("a.jpg", "c.jpg")]
    savemat(tmp_path / "three.mat", {"three": cells(("a.jpg", "b.jpg", "c.jpg"))})
    with pytest.raises(SourceError, match="not pairs in two columns"):
        pairs_of(tmp_path, "three.mat")


def test_a_damaged_file_that_crashes_its_reader_is_named(tmp_path, monkeypatch):
    """scipy's reader has crashed on damaged files; a stand-in for it does so on every file."""
    write(tmp_path, cells("a.jpg"), np.array([[1]]))
    (tmp_path / "crash.py").write_text("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)")
    monkeypatch.setattr(mat_lists.mat_fields, "__file__", str(tmp_path / "crash.py"))
    with pytest.raises(SourceError, match=r"crashed its reader \(SIGSEGV\)(.|\n)*list\.mat"):
        read(tmp_path)


def test_a_file_that_keeps_its_reader_busy_is_given_up(tmp_path, monkeypatch):
    os.mkfifo(tmp_path / "list.mat")  # opening it waits for somebody who writes
    monkeypatch.setattr(mat_lists, "SECONDS", 1)
    with pytest.raises(SourceError, match=r"could not be read in 1 s(.|\n)*list\.mat"):
        read(tmp_path)


@given(st.integers(0, 2**31), st.integers(1, 40))
@settings(max_examples=3, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_bytes_are_wrong_the_file_is_read_or_refused(tmp_path, seed, bytes_changed):
    write(tmp_path, cells("a.jpg", "b.jpg"), np.array([[1], [2]]))
    content = bytearray((tmp_path / "list.mat").read_bytes())
    draw = np.random.default_rng(seed)
    for place in draw.integers(128, len(content), bytes_changed):
        content[place] = draw.integers(256)
    (tmp_path / "list.mat").write_bytes(content)
    with suppress(SourceError):
        read(tmp_path)
