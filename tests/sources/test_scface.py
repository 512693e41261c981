import shutil
from pathlib import Path

import pytest

from lrfr.errors import SourceError
from lrfr.sources.scface import LAYOUT, PROTOCOL, Settings, acquire
from tests.sources.layouts import by_name, put, reasons, tree

MUGSHOTS = ["mugshot_frontal_cropped_all/001_frontal.JPG", "mugshot_frontal_cropped_all/002_frontal.jpg"]
PROBES = [
    f"surveillance_cameras_distance_{distance}/cam_{camera}/{number}_cam{camera}_{distance}.jpg"
    for distance in (1, 2, 3)
    for camera in (1, 2, 3, 4, 5)
    for number in ("001", "002")
]


def scface(root: Path) -> Path:
    return tree(root, *MUGSHOTS, *PROBES)


def test_mugshots_and_fifteen_cameras(tmp_path):
    rows = by_name(acquire(scface(tmp_path), Settings(), 1).faces)
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
    acquired = acquire(root, Settings(), 1)
    assert reasons(acquired.excluded) == {
        "surveillance_cameras_distance_1/cam_6/001_cam6_1.jpg": "unlisted",
        "mugshot_frontal_cropped_all/Thumbs.db": "hidden",
    }
    assert by_name(acquired.faces)[PROBES[0]]["attributes"]["missing"] == "unreadable"


def test_a_missing_distance_is_named(tmp_path):
    root = scface(tmp_path)
    shutil.rmtree(root / "surveillance_cameras_distance_3")
    with pytest.raises(SourceError, match="looked for surveillance_cameras_distance_3"):
        acquire(root, Settings(), 1)


def test_a_folder_without_the_layouts_names_says_what_was_expected(tmp_path):
    root = scface(tmp_path)
    (root / MUGSHOTS[1]).unlink()
    (root / MUGSHOTS[0]).rename(root / "mugshot_frontal_cropped_all/first.jpg")
    with pytest.raises(SourceError, match="no picture of the layout lies in mugshot_frontal_cropped_all") as error:
        acquire(root, Settings(), 1)
    assert LAYOUT in str(error.value)
