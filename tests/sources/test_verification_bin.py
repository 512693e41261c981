import os
import pickle
from pathlib import Path

import numpy as np
import pytest

from lrfr.errors import SourceError
from lrfr.faces import PAIR_SCHEMA
from lrfr.sources.verification_bin import PROTOCOL, Settings, acquire
from tests.sources.layouts import by_name, picture, put

IMAGES = [picture(seed) for seed in range(40)]
SAME = [number // 3 % 2 == 0 for number in range(20)]


def packed(path: Path, content: object, protocol: int | None = None) -> Path:
    put(path, pickle.dumps(content, protocol))
    return path


def python2(images: list[bytes], same: list[bool]) -> bytes:
    """The same tuple as Python 2 pickles it: its strings are bytes, which Python 3 has no way to write."""
    strings = b"".join(b"T" + len(image).to_bytes(4, "little") + image for image in images)
    truths = b"".join(b"\x88" if one else b"\x89" for one in same)
    return b"\x80\x02](" + strings + b"e](" + truths + b"e\x86."


def check(path: Path) -> None:
    acquired = acquire(path, Settings(), 1)
    assert acquired.faces["image"].to_pylist() == IMAGES
    assert acquired.pairs["same"].to_pylist() == SAME
    ids = acquired.faces["face_id"].to_pylist()
    assert acquired.pairs["left"].to_pylist() == ids[::2] and acquired.pairs["right"].to_pylist() == ids[1::2]


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_every_pickle_protocol(tmp_path, protocol):
    check(packed(tmp_path / "lfw.bin", (IMAGES, SAME), protocol))


def test_a_file_by_python_2(tmp_path):
    put(tmp_path / "lfw.bin", python2(IMAGES, SAME))
    check(tmp_path / "lfw.bin")


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_arrays_in_place_of_bytes_and_booleans(tmp_path, protocol):
    images = [np.frombuffer(image, np.uint8) for image in IMAGES]
    check(packed(tmp_path / "one.bin", (images, np.array(SAME)), protocol))
    check(packed(tmp_path / "two.bin", [[image.copy() for image in images], list(np.array(SAME))], protocol))


def test_sources_parts_and_folds(tmp_path):
    acquired = acquire(packed(tmp_path / "agedb_30.bin", (IMAGES, SAME)), Settings(), 1)
    rows = by_name(acquired.faces)
    assert list(rows)[:2] == ["agedb_30.bin/00000", "agedb_30.bin/00001"] and PROTOCOL == "folds"
    assert {row["source"] for row in rows.values()} == {"agedb_30"}
    assert {row["attributes"]["part"] for row in rows.values()} == {"verification"}
    assert acquired.pairs["fold"].to_pylist() == [number // 2 for number in range(20)]
    assert acquired.pairs.schema == PAIR_SCHEMA


def test_folds_are_as_even_as_can_be_and_the_first_ones_longer(tmp_path):
    images = [IMAGES[number % 40] for number in range(50)]
    pairs = acquire(packed(tmp_path / "lfw.bin", (images, [True, False] * 12 + [True])), Settings(), 1).pairs
    assert [pairs["fold"].to_pylist().count(fold) for fold in range(10)] == [3] * 5 + [2] * 5


def test_an_image_that_stands_in_two_pairs_is_two_faces_and_an_empty_one_a_miss(tmp_path):
    acquired = acquire(packed(tmp_path / "lfw.bin", ([IMAGES[0]] * 3 + [b""], [True, False])), Settings(), 1)
    assert len(set(acquired.faces["face_id"].to_pylist())) == 4
    assert [row["attributes"].get("missing") for row in by_name(acquired.faces).values()] == [None] * 3 + ["unreadable"]


class Hostile:
    """Runs a command when a plain reader loads it."""

    def __init__(self, function: object, *arguments: object) -> None:
        self.called = (function, arguments)

    def __reduce__(self) -> tuple:
        return self.called


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize(
    ("function", "named"),
    [(os.system, "system"), (eval, "eval"), (getattr, "getattr"), (np.load, "numpy"), (Path, "pathlib")],
)
def test_no_code_is_run(tmp_path, monkeypatch, protocol, function, named):
    monkeypatch.chdir(tmp_path)
    command = "open('ran', 'w')" if function is eval else "touch ran"
    for content in (Hostile(function, command), (IMAGES, [Hostile(function, command)])):
        with pytest.raises(SourceError, match=rf"it asks for \S*{named}"):
            acquire(packed(tmp_path / "lfw.bin", content, protocol), Settings(), 1)
    assert not Path("ran").exists()


def test_the_hostile_file_would_run_in_a_plain_reader(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    pickle.loads(pickle.dumps(Hostile(os.system, "touch ran")))
    assert Path("ran").exists()


@pytest.mark.parametrize(
    ("content", "what"),
    [
        ((IMAGES, SAME[:-1]), "40 images do not make 19 pairs"),
        (([], []), "0 images do not make 0 pairs"),
        ({"images": IMAGES}, "does not hold images and issame"),
        ((IMAGES, SAME, 3), "does not hold images and issame"),
        ((IMAGES, "yes"), "a str in place of a list"),
        (([*IMAGES[:-1], 3], SAME), "a int in place of an image"),
        ((IMAGES, [*SAME[:-1], 2]), "issame holds more"),
        (([np.zeros((2, 3), np.uint8)], SAME), "no row of single bytes"),
        (([np.zeros(3, np.float32)], SAME), "no row of single bytes"),
        (([np.array([Path], object)], SAME), "it asks for pathlib"),
    ],
)
def test_what_is_no_list_of_pairs_says_why(tmp_path, content, what):
    with pytest.raises(SourceError, match=what) as error:
        acquire(packed(tmp_path / "lfw.bin", content), Settings(), 1)
    assert "lfw.bin" in str(error.value)


@pytest.mark.parametrize(
    "content", [b"", b"no pickle", pickle.dumps((IMAGES, SAME))[:-200], b"\x80\x04\x95" + b"\xff" * 8]
)
def test_what_is_no_pickle(tmp_path, content):
    put(tmp_path / "lfw.bin", content)
    with pytest.raises(SourceError, match="not a list of image pairs"):
        acquire(tmp_path / "lfw.bin", Settings(), 1)


def test_a_missing_file_and_a_folder(tmp_path):
    with pytest.raises(SourceError, match="no such file"):
        acquire(tmp_path / "lfw.bin", Settings(), 1)
    with pytest.raises(SourceError, match="not a list of image pairs"):
        acquire(tmp_path, Settings(), 1)
