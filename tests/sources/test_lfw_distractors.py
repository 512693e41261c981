"""LFW's people with few pictures as a distractor set for P1 and P2."""

import cv2
import numpy as np
import pytest

from lrfr.config import settings
from lrfr.errors import ParameterError, SourceError
from lrfr.faces import FACE_SCHEMA, decode
from lrfr.sources.lfw_distractors import Settings, acquire
from tests.drawing import jpeg, portrait
from tests.sources.test_lfw import archive, folder

DRAWN = Settings(min_images=2, max_images=3, identities=2, distractors=2)
PEOPLE = {"Ann_A": 2, "Bob_B": 3, "Cy_C": 9, "Eve_E": 1, "Flo_F": 1}


def picture(number: int) -> bytes:
    """Somebody's head in the middle of 250 x 250 px."""
    return jpeg(portrait(250, number))


def pictures(people=PEOPLE) -> dict[str, bytes]:
    names = [f"{name}/{name}_{n:04d}.jpg" for name, count in people.items() for n in range(1, count + 1)]
    return {name: picture(number) for number, name in enumerate(names)}


def test_people_with_few_pictures_stand_among_people_with_one(tmp_path):
    faces = acquire(archive(tmp_path / "lfw.tar", pictures()), DRAWN, seed=1).faces
    assert faces.schema == FACE_SCHEMA
    by_split = {row["split"]: set() for row in faces.to_pylist()}
    for row in faces.to_pylist():
        by_split[row["split"]].add(row["identity"])
    assert by_split == {"probe": {"Ann_A", "Bob_B"}, "distractor": {None}}
    assert faces.num_rows == 5 + 2
    assert len(set(faces["face_id"].to_pylist())) == 7


def test_faces_are_cut_as_the_detector_finds_them(tmp_path):
    for row in acquire(folder(tmp_path / "lfw", pictures()), DRAWN, seed=1).faces.to_pylist():
        height, width = decode(row["image"]).shape[:2]
        assert (row["width"], row["height"]) == (width, height) and 90 < width < 160
        points = np.reshape(row["landmarks"], (5, 2))
        assert ((points > 0) & (points < [width, height])).all()
        assert points[0, 0] < points[2, 0] < points[1, 0] and points[:2, 1].max() < points[3:, 1].min()


def test_a_picture_without_a_face_or_that_cannot_be_read_is_excluded(tmp_path):
    files = pictures()
    blank = cv2.imencode(".jpg", np.full((250, 250, 3), 128, np.uint8))[1].tobytes()
    files |= {"Bob_B/Bob_B_0001.jpg": blank, "Bob_B/Bob_B_0002.jpg": b"no picture"}
    acquired = acquire(folder(tmp_path / "lfw", files), DRAWN, seed=1)
    assert [row["where"] for row in acquired.excluded.to_pylist()] == ["Bob_B_0001", "Bob_B_0002"]
    assert acquired.excluded["reason"][0].as_py() == "no_face"
    assert acquired.faces.num_rows == 5


def test_more_people_than_there_are_is_an_error(tmp_path):
    root = folder(tmp_path / "lfw", pictures())
    with pytest.raises(SourceError, match="2 people with so many pictures, 3 are asked for"):
        acquire(root, DRAWN.model_copy(update={"identities": 3}), seed=1)
    with pytest.raises(ParameterError, match="min_images is above max_images"):
        settings({**DRAWN.model_dump(), "min_images": 4}, Settings, "evaluation_sets.distractors.settings")


def test_the_seed_alone_draws(tmp_path):
    people = PEOPLE | {f"X{n}_Y": 2 for n in range(6)}
    root = folder(tmp_path / "lfw", pictures(people))
    first, again, other = (acquire(root, DRAWN, seed).faces for seed in (1, 1, 3))
    assert first.equals(again)
    assert set(first["identity"].to_pylist()) != set(other["identity"].to_pylist())
