import shutil
from pathlib import Path

import numpy as np
import pytest

from lrfr.core.resampling import bicubic
from lrfr.decoding import decode
from lrfr.errors import SourceError
from lrfr.faces import encode_png
from lrfr.sources.rendering.capture import Stream, draws, sit, someone
from lrfr.sources.scface import LAYOUT, PROTOCOL, Settings, acquire
from tests.sources.layouts import by_name, put, reasons, tree

MUGSHOTS = ["mugshot_frontal_cropped_all/001_frontal.JPG", "mugshot_frontal_cropped_all/002_frontal.jpg"]
PROBES = [
    f"surveillance_cameras_distance_{distance}/cam_{camera}/{number}_cam{camera}_{distance}.jpg"
    for distance in (1, 2, 3)
    for camera in (1, 2, 3, 4, 5)
    for number in ("001", "002")
]


CUT = Settings(detect=False)  # the pictures here show nobody


def scface(root: Path) -> Path:
    return tree(root, *MUGSHOTS, *PROBES)


def test_mugshots_and_fifteen_cameras(tmp_path):
    rows = by_name(acquire(scface(tmp_path), CUT, 1).faces)
    assert rows.keys() == {*MUGSHOTS, *PROBES} and PROTOCOL == "scface"
    assert [(rows[name]["identity"], rows[name]["split"]) for name in MUGSHOTS] == [
        ("001", "gallery"),
        ("002", "gallery"),
    ]
    assert all(rows[name]["attributes"]["part"] == "mugshot" for name in MUGSHOTS)
    probe = rows["surveillance_cameras_distance_2/cam_4/002_cam4_2.jpg"]
    told = {key: probe["attributes"][key] for key in ("part", "camera", "distance")}
    assert told == {"part": "distance_2", "camera": "4", "distance": "2.6"}
    assert (probe["identity"], probe["split"]) == ("002", "probe")


def test_other_cameras_are_unlisted_and_a_corrupt_probe_is_a_miss(tmp_path):
    root = tree(scface(tmp_path), "surveillance_cameras_distance_1/cam_6/001_cam6_1.jpg")
    put(root / PROBES[0], b"")
    put(root / "mugshot_frontal_cropped_all/Thumbs.db", b"x")
    acquired = acquire(root, CUT, 1)
    assert reasons(acquired.excluded) == {
        "surveillance_cameras_distance_1/cam_6/001_cam6_1.jpg": "unlisted",
        "mugshot_frontal_cropped_all/Thumbs.db": "hidden",
    }
    assert by_name(acquired.faces)[PROBES[0]]["attributes"]["missing"] == "unreadable"


def half_bodies(root: Path, people: int = 2) -> Path:
    """Pictures of people down to the waist, and one of nobody."""
    tree(root, *MUGSHOTS, *PROBES)
    for number in range(people):
        person = someone(1, Stream.MUGSHOTS, number)
        sitting = sit(person, draws(1, Stream.MUGSHOTS, number, 0), 200)
        put(root / MUGSHOTS[number], sitting.picture)
        for distance, side in ((1, 90), (2, 130), (3, 200)):
            small = bicubic(decode(sitting.picture), side, side)
            name = f"surveillance_cameras_distance_{distance}/cam_1/{number + 1:03d}_cam1_{distance}.jpg"
            put(root / name, encode_png(small))
    return root


def test_faces_are_found_in_the_published_pictures_and_a_picture_of_nobody_is_a_miss(tmp_path):
    rows = by_name(acquire(half_bodies(tmp_path), Settings(), 1).faces)
    assert rows.keys() == {*MUGSHOTS, *PROBES}
    for person in ("001", "002"):
        near, far = (rows[f"surveillance_cameras_distance_{step}/cam_1/{person}_cam1_{step}.jpg"] for step in (3, 1))
        assert far["height"] < near["height"] < 150
        assert near["score"] > 0.7
        points = np.reshape(near["landmarks"], (5, 2))
        assert (points > 0).all() and (points < [near["width"], near["height"]]).all()
        nobody = rows[f"surveillance_cameras_distance_1/cam_2/{person}_cam2_1.jpg"]
        assert nobody["attributes"]["missing"] == "no_face" and nobody["landmarks"] is None


@pytest.mark.parametrize(("partition", "train", "tested"), [("dcr", 5, 8), ("tc", 4, 4)])
def test_the_first_people_of_a_partition_train_and_its_last_are_tested(tmp_path, partition, train, tested):
    names = [f"mugshot_frontal_cropped_all/{number:03d}_frontal.jpg" for number in range(1, 14)]
    names += [f"surveillance_cameras_distance_{step}/cam_1/{number:03d}_cam1_{step}.jpg"
              for step in (1, 2, 3) for number in range(1, 14)]  # fmt: skip
    acquired = acquire(tree(tmp_path, *names), Settings(detect=False, partition=partition), 1)
    people = {"train": set(), "probe": set(), "gallery": set()}
    for row in by_name(acquired.faces).values():
        people[row["split"]].add(row["identity"])
        assert row["attributes"]["partition"] == partition
    assert people["train"] == {f"{number:03d}" for number in range(1, train + 1)}
    assert people["probe"] == people["gallery"] == {f"{number:03d}" for number in range(14 - tested, 14)}
    assert set(reasons(acquired.excluded).values()) == ({"neither_trains_nor_tested"} if partition == "tc" else set())


def test_a_training_picture_of_nobody_is_excluded(tmp_path):
    acquired = acquire(scface(tmp_path), Settings(partition="dcr"), 1)  # of two people the first trains
    assert {row["identity"] for row in by_name(acquired.faces).values()} == {"002"}
    assert set(reasons(acquired.excluded).values()) == {"no_face"}


def test_a_missing_distance_is_named(tmp_path):
    root = scface(tmp_path)
    shutil.rmtree(root / "surveillance_cameras_distance_3")
    with pytest.raises(SourceError, match="looked for surveillance_cameras_distance_3"):
        acquire(root, CUT, 1)


def test_a_folder_without_the_layouts_names_says_what_was_expected(tmp_path):
    root = scface(tmp_path)
    (root / MUGSHOTS[1]).unlink()
    (root / MUGSHOTS[0]).rename(root / "mugshot_frontal_cropped_all/first.jpg")
    with pytest.raises(SourceError, match="no picture of the layout lies in mugshot_frontal_cropped_all") as error:
        acquire(root, CUT, 1)
    assert LAYOUT in str(error.value)
