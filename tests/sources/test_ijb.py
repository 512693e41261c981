from pathlib import Path

import pytest

from lrfr.errors import SourceError
from lrfr.faces import ENROLMENT_SCHEMA, PAIR_SCHEMA
from lrfr.sources.ijb import PROTOCOL, Settings, acquire
from tests.sources.layouts import by_name, put, reasons, tree

IMAGES = [
    ("1.jpg", "1", "69544"),
    ("2.jpg", "1", "69544"),
    ("3.jpg", "2", "7"),
    ("4.jpg", "30", "8"),
    ("5.jpg", "9", "9"),
]
POINTS = "10.5 11 20.25 11 15 16 11 21 19 21"
GALLERIES = {"G1": "TEMPLATE_ID,SUBJECT_ID\n1,100\n", "G2": "TEMPLATE_ID,SUBJECT_ID\n2,200\n"}
PROBES = "TEMPLATE_ID,SUBJECT_ID,FILENAME\n30,100,img/4.png\n30,100,img/5.png\n"


def ijb(root: Path, name: str = "ijbc", galleries: tuple[str, str] = ("G1", "G2")) -> Path:
    tree(root, *(f"loose_crop/{image}" for image, _, _ in IMAGES))
    meta = root / "meta"
    put(meta / f"{name}_face_tid_mid.txt", "".join(f"{' '.join(row)}\n" for row in IMAGES))
    put(meta / f"{name}_template_pair_label.txt", "1 2 0\n1 30 1\n2 30 0\n")
    shuffled = [image for image, _, _ in IMAGES[::-1] if image != "5.jpg"]
    put(meta / f"{name}_name_5pts_score.txt", "".join(f"{image} {POINTS} 0.9{image[0]}\n" for image in shuffled))
    for ending, text in zip(galleries, GALLERIES.values(), strict=True):
        put(meta / f"{name}_1N_gallery_{ending}.csv", text)
    put(meta / f"{name}_1N_probe_mixed.csv", PROBES)
    return root


@pytest.mark.parametrize(
    ("name", "galleries"), [("ijbc", ("G1", "G2")), ("ijbb", ("G1", "G2")), ("ijbb", ("S1", "S2"))]
)
def test_templates_media_landmarks_and_subjects(tmp_path, name, galleries):
    acquired = acquire(ijb(tmp_path, name, galleries), Settings(), 1)
    rows = by_name(acquired.faces)
    told = [(row["attributes"]["template"], row["attributes"]["media"], row["identity"]) for row in rows.values()]
    assert told == [(t, m, {"1": "100", "2": "200", "30": "100"}.get(t)) for _, t, m in IMAGES]
    assert {row["source"] for row in rows.values()} == {name} and PROTOCOL == "ijb"
    face = rows["loose_crop/2.jpg"]
    assert face["landmarks"] == [float(value) for value in POINTS.split()] and face["score"] == pytest.approx(0.92)
    assert rows["loose_crop/5.jpg"]["landmarks"] is None and rows["loose_crop/5.jpg"]["score"] is None
    assert face["image"] == (tmp_path / "loose_crop/2.jpg").read_bytes() and face["split"] is None
    roles = [(row["template"], row["identity"], row["role"]) for row in acquired.enrolment.to_pylist()]
    assert roles == [("1", "100", "G1"), ("2", "200", "G2"), ("30", "100", "probe")]
    assert acquired.enrolment.schema == ENROLMENT_SCHEMA


def test_pairs_of_templates(tmp_path):
    pairs = acquire(ijb(tmp_path), Settings(), 1).pairs
    assert pairs.schema == PAIR_SCHEMA
    told = [(row["left"], row["right"], row["same"], row["fold"]) for row in pairs.to_pylist()]
    assert told == [("1", "2", False, None), ("1", "30", True, None), ("2", "30", False, None)]


def test_an_absent_image_is_a_miss_and_an_unlisted_one_excluded(tmp_path):
    root = tree(ijb(tmp_path), "loose_crop/99.jpg")
    (root / "loose_crop/3.jpg").unlink()
    acquired = acquire(root, Settings(), 1)
    gone = by_name(acquired.faces)["loose_crop/3.jpg"]
    assert gone["attributes"]["missing"] == "unreadable" and gone["attributes"]["template"] == "2"
    assert reasons(acquired.excluded) == {"loose_crop/99.jpg": "unlisted"}


@pytest.mark.parametrize(
    ("file", "text", "what"),
    [
        ("face_tid_mid.txt", "1.jpg 1 2\n1.jpg 3 4\n", "1 images stand twice, such as 1.jpg"),
        ("face_tid_mid.txt", "NAME TEMPLATE MEDIA\n1.jpg 1 2\n", "the first line names no picture: NAME"),
        ("name_5pts_score.txt", f"1.jpg {POINTS} 0.9\n1.jpg {POINTS} 0.8\n", "1 images stand twice"),
        ("name_5pts_score.txt", f"x.jpg {POINTS} 0.9\n", "none of the 5 listed images has landmarks, such as 1.jpg"),
        ("1N_gallery_G1.csv", "1,100\n", "the first line does not name the columns TEMPLATE_ID, SUBJECT_ID"),
        ("1N_gallery_G1.csv", "TEMPLATE_ID,SUBJECT_ID\n2,100\n", "template 2 has two subjects: 100 and 200"),
        ("1N_gallery_G1.csv", "TEMPLATE_ID,SUBJECT_ID\n1,\n", "a line has no identity"),
        ("face_tid_mid.txt", "1.jpg 1\n", "the first line has 2 columns, not 3"),
        ("face_tid_mid.txt", "", "the first line has 1 columns"),
        ("template_pair_label.txt", "1 2 0\n1 2\n", "a line does not fit"),
        ("template_pair_label.txt", "1 2 3\n", "neither 0 nor 1: 3"),
        ("template_pair_label.txt", "1 777 0\n", "1 templates of the pairs have no image, such as 777"),
        ("name_5pts_score.txt", "1.jpg 1 2 3 4 5 6 7 8 9 x 0.5\n", "a line does not fit"),
        ("1N_gallery_G1.csv", "TEMPLATE_ID,SUBJECT_ID\n1,100\n1,101\n", "template 1 has two subjects"),
        ("face_tid_mid.txt", "../secret.jpg 1 2\n", "leads out of the dataset"),
    ],
)
def test_a_file_that_cannot_be_right_says_why(tmp_path, file, text, what):
    put(ijb(tmp_path) / f"meta/ijbc_{file}", text)
    with pytest.raises(SourceError, match=what):
        acquire(tmp_path, Settings(), 1)


@pytest.mark.parametrize(
    "file", ["template_pair_label.txt", "name_5pts_score.txt", "1N_gallery_G2.csv", "1N_probe_mixed.csv"]
)
def test_a_missing_file_is_named(tmp_path, file):
    (ijb(tmp_path) / f"meta/ijbc_{file}").unlink()
    with pytest.raises(SourceError, match=f"looked for meta/ijbc_{file}"):
        acquire(tmp_path, Settings(), 1)


def test_without_any_meta_file_both_benchmarks_are_named(tmp_path):
    with pytest.raises(SourceError, match=r"ijbc_face_tid_mid.txt or meta/ijbb_face_tid_mid.txt"):
        acquire(tmp_path, Settings(), 1)


def test_lists_may_have_their_columns_in_any_order_and_numbers_as_floats(tmp_path):
    root = ijb(tmp_path / "one")
    other = ijb(tmp_path / "other")
    put(other / "meta/ijbc_1N_gallery_G1.csv", "SUBJECT_ID,TEMPLATE_ID\n100.0,1\n")
    put(other / "meta/ijbc_1N_probe_mixed.csv", "FILENAME,subject_id,template_id\nimg/4.png,100,30.0\n")
    one, two = acquire(root, Settings(), 1), acquire(other, Settings(), 1)
    assert one.enrolment.equals(two.enrolment) and one.faces["identity"].equals(two.faces["identity"])


def test_spaces_at_the_ends_of_lines_are_no_column(tmp_path):
    root = ijb(tmp_path)
    path = root / "meta/ijbc_face_tid_mid.txt"
    put(path, path.read_text().replace("\n", " \r\n"))
    assert acquire(root, Settings(), 1).faces.num_rows == len(IMAGES)
