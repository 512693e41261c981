from pathlib import Path

import numpy as np
import pytest

from lrfr.detector import Detection
from lrfr.errors import SourceError
from lrfr.sources import lfw_pairs
from lrfr.sources.lfw_pairs import PROTOCOL, Settings, acquire
from tests.sources.layouts import by_name, put, reasons, tree

SAME, DIFFERENT = "Ann_A\t1\t2", "Ann_A\t1\tBob\t1"
LIST = "\n".join(["2\t1", SAME, DIFFERENT, "Bob\t1\t12", "Bob\t12\tAnn_A\t2"]) + "\n"
NAMES = ["lfw/Ann_A/Ann_A_0001.jpg", "lfw/Ann_A/Ann_A_0002.JPG", "lfw/Bob/Bob_0001.png", "lfw/Bob/Bob_0012.jpg"]


def lfw(root: Path, text: str = LIST, name: str = "pairs.txt") -> Path:
    tree(root, *NAMES, "lfw/Cy/Cy_0001.jpg")
    put(root / name, text)
    return root


@pytest.mark.parametrize("name", ["pairs.txt", "lfw_pairs.txt"])
def test_pairs_in_their_folds(tmp_path, name):
    acquired = acquire(lfw(tmp_path, name=name), Settings(), 1)
    rows = by_name(acquired.faces)
    names = {row["face_id"]: path.rpartition("/")[2][:-4] for path, row in rows.items()}
    pairs = [
        (names[pair["left"]], names[pair["right"]], pair["same"], pair["fold"]) for pair in acquired.pairs.to_pylist()
    ]
    assert pairs == [
        ("Ann_A_0001", "Ann_A_0002", True, 0),
        ("Ann_A_0001", "Bob_0001", False, 0),
        ("Bob_0001", "Bob_0012", True, 1),
        ("Bob_0012", "Ann_A_0002", False, 1),
    ]
    assert {name: row["identity"] for name, row in rows.items()} == dict(
        zip(NAMES, ["Ann_A"] * 2 + ["Bob"] * 2, strict=True)
    )
    assert reasons(acquired.excluded) == {"lfw/Cy/Cy_0001.jpg": "unlisted"} and PROTOCOL == "folds"


def test_landmarks_are_looked_for_when_they_are_asked_for(tmp_path, monkeypatch):
    points = np.arange(10.0)
    seen = []

    def middle_face(pixels):
        seen.append(pixels.shape)
        return None if len(seen) == 2 else Detection((0, 0, 5, 5), points, 0.9)

    monkeypatch.setattr(lfw_pairs, "middle_face", middle_face)
    assert acquire(lfw(tmp_path), Settings(), 1).faces["landmarks"].null_count == 4 and not seen
    put(tmp_path / NAMES[3], b"")  # nobody can read it
    rows = by_name(acquire(tmp_path, Settings(landmarks=True), 1).faces)
    assert seen == [(12, 10, 3)] * 3
    found = {name: row["landmarks"] for name, row in rows.items()}
    assert found == dict(zip(NAMES, [points.tolist(), None, points.tolist(), None], strict=True))


def test_a_picture_that_nobody_has_is_a_miss(tmp_path):
    root = lfw(tmp_path)
    (root / NAMES[3]).unlink()
    acquired = acquire(root, Settings(), 1)
    missing = [row for row in by_name(acquired.faces).values() if "missing" in row["attributes"]]
    assert [row["identity"] for row in missing] == ["Bob"] and acquired.pairs.num_rows == 4


def test_a_picture_that_is_there_twice_is_refused(tmp_path):
    with pytest.raises(SourceError, match=r"Bob_0001 stands twice, as Bob_0001\.png and lfw/Bob/Bob_0001\.webp"):
        acquire(tree(lfw(tmp_path), "lfw/Bob/Bob_0001.webp"), Settings(), 1)


def test_a_name_is_one_however_its_accents_are_written(tmp_path):
    put(tmp_path / "pairs.txt", "\ufeff1\nJos\u00e9 1 2\nJose\u0301 1 Ann 1\n")
    root = tree(tmp_path, "Jose\u0301/Jose\u0301_0001.jpg", "Jos\u00e9/Jos\u00e9_0002.jpg", "Ann/Ann_0001.jpg")
    acquired = acquire(root, Settings(), 1)
    assert sorted(acquired.faces["identity"].to_pylist()) == ["Ann", "Jos\u00e9", "Jos\u00e9"]
    assert not any("missing" in row["attributes"] for row in by_name(acquired.faces).values())


def test_a_list_of_one_fold(tmp_path):
    acquired = acquire(lfw(tmp_path, f"1\n{SAME}\n{DIFFERENT}\n"), Settings(), 1)
    assert acquired.pairs["fold"].to_pylist() == [0, 0] and acquired.pairs["same"].to_pylist() == [True, False]


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "not a list of pairs"),
        ("ten\n", "not a list of pairs"),
        (LIST + SAME, "the list holds 5 pairs, and its first line says 2 times 2 x 1"),
        (f"1\n{DIFFERENT}\n{SAME}\n", "line 2 is not of the form 'Name 1 2'"),
        (f"1\n{SAME}\nAnn_A 1 Bob x\n", "line 3 is not of the form 'Name 1 Other 2'"),
        (f"1\n{SAME}\nsomewhere/Ann_A 1 Bob 2\n", "line 3 is not of the form 'Name 1 Other 2': somewhere/Ann_A 1 Bob"),
        (f"1\n{SAME}\nAnn_A\n", "line 3"),
    ],
)
def test_a_list_that_cannot_be_right_says_where(tmp_path, text, what):
    with pytest.raises(SourceError, match=what):
        acquire(lfw(tmp_path, text), Settings(), 1)


def test_a_missing_list_is_looked_for_under_both_names(tmp_path):
    with pytest.raises(SourceError, match=r"looked for pairs.txt or lfw_pairs.txt"):
        acquire(tree(tmp_path, *NAMES), Settings(), 1)


def test_a_listed_name_that_leads_out_is_no_file(tmp_path):
    put(tmp_path / "secret_0001.jpg", "x")
    root = lfw(tmp_path / "root", f"1\n{SAME}\nAnn_A 1 ../../secret 1\n")
    with pytest.raises(SourceError, match="line 3 is not of the form 'Name 1 Other 2': Ann_A 1 "):
        acquire(root, Settings(), 1)
