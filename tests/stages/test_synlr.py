import numpy as np
import pyarrow as pa
import pytest

from lrfr import faces, paths
from lrfr.core.resampling import bicubic
from lrfr.errors import BenchmarkError
from lrfr.stages import synlr
from tests.face_tables import face, split_rows, whole, write_params, write_split


def imported(people: int, images: int, strangers: int, height: int = 80, **columns: object) -> list[dict]:
    """Writes an imported set of HR faces; returns its rows."""
    rng = np.random.default_rng(1)
    rows = [
        face(rng, f"h{person} {image}", height, identity=f"h{person}", **columns)
        for person in range(people)
        for image in range(images)
    ]
    rows += [face(rng, f"s{number}", height, **columns) for number in range(strangers)]
    faces.write_faces(pa.Table.from_pylist(rows, faces.FACE_SCHEMA), paths.test_set("people"))
    return rows


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_params(synlr={"faces": "people"})
    write_split()


def made() -> list[dict]:
    synlr.run()
    return whole(paths.SYNLR).to_pylist()


def native() -> dict[str, dict]:
    return {row["face_id"]: row for row in split_rows()[0] if row["split"] != "train"}


def test_enough_hr_faces_make_the_same_benchmark_again(capsys):
    hr = {row["face_id"]: row for row in imported(people=5, images=4, strangers=20)}
    rows = made()
    of = [dict(row["attributes"]) for row in rows]
    assert sorted(attributes["native_face_id"] for attributes in of) == sorted(native())
    heights = [row["height"] for row in split_rows()[0]]
    widths = [row["width"] for row in split_rows()[0]]
    size = round(np.mean(heights)), round(np.mean(widths))
    for row, attributes in zip(rows, of, strict=True):
        synlr_of, source = native()[attributes["native_face_id"]], hr[attributes["hr_face_id"]]
        assert row["split"] == synlr_of["split"]
        assert (row["height"], row["width"]) == size
        assert row["identity"] == source["identity"]
        assert (row["identity"] is None) == (synlr_of["identity"] is None)
        assert np.array_equal(faces.decode(row["image"]), bicubic(faces.decode(source["image"]), *size))
        assert np.allclose(row["landmarks"][::2], np.array(source["landmarks"][::2]) * size[1] / source["width"])
    said = capsys.readouterr().out
    assert "5 of 5 identities, probe 10 of 10, gallery 10 of 10, distractor 20 of 20" in said
    assert "no more" not in said


def test_with_a_training_half_it_is_the_whole_benchmark_of_other_people(capsys):
    write_params(synlr={"faces": "people", "training": True})
    hr = {row["face_id"]: row for row in imported(people=14, images=5, strangers=20)}
    rows = made()
    whole_benchmark = {row["face_id"]: row for row in split_rows()[0]}
    of = [dict(row["attributes"]) for row in rows]
    assert sorted(attributes["native_face_id"] for attributes in of) == sorted(whole_benchmark)
    people, stand_ins = {}, {}
    for row, attributes in zip(rows, of, strict=True):
        played = whole_benchmark[attributes["native_face_id"]]
        assert row["split"] == played["split"]
        people.setdefault(row["split"] == "train", set()).add(row["identity"])
        if row["identity"]:
            assert row["identity"] == hr[attributes["hr_face_id"]]["identity"]
            assert stand_ins.setdefault(row["identity"], played["identity"]) == played["identity"]
    assert not people[True] & people[False]
    assert len(stand_ins) == len(set(stand_ins.values()))
    assert "train 20 of 20" in capsys.readouterr().out


def test_of_too_few_people_each_half_has_its_share():
    write_params(synlr={"faces": "people", "training": True})
    imported(people=4, images=5, strangers=20)
    people = {}
    for row in made():
        people.setdefault(row["split"], set()).add(row["identity"])
    assert len(people["train"]) == len(people["probe"]) == 2


def test_too_few_hr_faces_make_a_smaller_one_and_say_so(capsys):
    imported(people=3, images=2, strangers=4)
    rows = made()
    assert [sum(row["split"] == split for row in rows) for split in ("probe", "gallery", "distractor")] == [3, 3, 4]
    said = capsys.readouterr().out
    assert "3 of 5 identities, probe 3 of 10, gallery 3 of 10, distractor 4 of 20" in said
    assert "'people' has no more HR faces" in said


def test_the_same_bytes_again_whatever_the_order_of_the_faces():
    rows = imported(people=3, images=2, strangers=4)
    made()
    first = paths.SYNLR.read_bytes()
    faces.write_faces(pa.Table.from_pylist(rows[::-1], faces.FACE_SCHEMA), paths.test_set("people"))
    made()
    assert paths.SYNLR.read_bytes() == first


@pytest.mark.parametrize("columns", [{"height": 12}, {"attributes": [("missing", "no_face")]}, {"images": 1}])
def test_without_hr_faces_there_is_no_synlr(columns):
    imported(**{"people": 3, "images": 3, "strangers": 2} | columns)
    with pytest.raises(BenchmarkError, match="no identity of 'people' has two faces of at least"):
        synlr.run()
    assert not paths.SYNLR.exists()
