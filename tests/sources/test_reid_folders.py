import pytest

from lrfr.errors import SourceError
from lrfr.sources.reid_folders import Settings, acquire
from tests.sources.layouts import tree, write

MARS = (
    "bbox_train/0001/0001C1T0001F001.jpg",
    "bbox_test/00-1/00-1C1T0001F001.jpg",
    "bbox_test/0000/0000C1T0001F001.jpg",
)
LPW = ("scen1/view1/0001/1.jpg", "scen3/view4/77/2.jpg")


@pytest.mark.parametrize("prefix", ["", "some/where/"])
@pytest.mark.parametrize("layout", [MARS, LPW, (*MARS, *LPW)])
def test_pedestrians_are_photos_of_unrecognizable_faces(tmp_path, layout, prefix):
    root = tree(tmp_path, *(prefix + name for name in layout), "info/not_a_pedestrian.jpg")
    acquired = acquire(root, Settings(max_photos=10), 1)
    photos = {row["photo_id"]: row for row in acquired.photos.to_pylist()}
    assert set(photos) == {prefix + name for name in layout}
    assert {row["collection"] for row in photos.values()} == {"unrecognizable"}
    assert all(row["image"] == (root / name).read_bytes() and row["width"] > 0 for name, row in photos.items())
    assert acquired.tags.num_rows == acquired.faces.num_rows == 0


def test_the_seed_draws(tmp_path):
    root = tree(tmp_path, *(f"bbox_train/{person:04}/{person:04}C1T0001F001.jpg" for person in range(30)))
    one, again, other = (acquire(root, Settings(max_photos=5), seed).photos for seed in (1, 1, 2))
    assert one.num_rows == 5 and one.equals(again) and not one.equals(other)


def test_a_torn_photo_goes_through_for_detect_to_list(tmp_path):
    root = write(tmp_path, {MARS[0]: b"\xff\xd8\xff"})
    (row,) = acquire(root, Settings(max_photos=5), 1).photos.to_pylist()
    assert (row["width"], row["height"], row["image"]) == (0, 0, b"\xff\xd8\xff")


def test_another_layout_is_refused(tmp_path):
    with pytest.raises(SourceError, match=r"bbox_train/<person>[\s\S]*scen1/view1"):
        acquire(tree(tmp_path, "n000001/0001.jpg"), Settings(max_photos=5), 1)
