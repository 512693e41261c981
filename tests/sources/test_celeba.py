import numpy as np
import pytest

from lrfr.errors import SourceError
from lrfr.faces import decode
from lrfr.sources.celeba import Settings, acquire
from tests.sources.layouts import by_name, picture, reasons, write

IDENTITIES = {"000001.jpg": "2880", "000002.jpg": "2937", "000003.jpg": "2880", "000004.jpg": "12"}
POINTS = "3 4 9 4 6 8 4 12 9 12"


def listed(header: list[str], rows: dict[str, str]) -> bytes:
    return "\n".join([*header, *(f"{name}  {values}" for name, values in rows.items()), ""]).encode()


def celeba(folder: str, lists: str = "", **changes: bytes | None):
    names = list(IDENTITIES)
    content = {f"{folder}/{name}": picture(number, 30, 20) for number, name in enumerate(names)}
    content |= {
        f"{lists}identity_CelebA.txt": listed([], IDENTITIES),
        f"{lists}list_eval_partition.txt": listed([], dict.fromkeys(names, "2")),
        f"{lists}list_attr_celeba.txt": listed(["4", "Bald Male Young"], dict.fromkeys(names, "-1  1 -1")),
        f"{lists}list_bbox_celeba.txt": listed(
            ["4", "image_id x_1 y_1 width height"], dict.fromkeys(names, "2 5 10 12")
        ),
        f"{lists}list_landmarks_celeba.txt": listed(["4", "lefteye_x"], dict.fromkeys(names, POINTS)),
        f"{lists}list_landmarks_align_celeba.txt": listed(["4", "lefteye_x"], dict.fromkeys(names, POINTS)),
    }
    content |= {f"{lists}{name}.txt": new for name, new in changes.items()}
    return {name: data for name, data in content.items() if data is not None}


@pytest.mark.parametrize(("folder", "lists"), [("img_align_celeba", ""), ("Img/img_align_celeba", "Anno/")])
def test_aligned_faces_come_as_they_are(tmp_path, folder, lists):
    acquired = acquire(write(tmp_path, celeba(folder, lists)), Settings(), 1)
    faces = by_name(acquired.faces)
    assert {name.rpartition("/")[2]: row["identity"] for name, row in faces.items()} == IDENTITIES
    for name, row in faces.items():
        assert row["image"] == (tmp_path / name).read_bytes()
        assert row["landmarks"] == [float(value) for value in POINTS.split()]
        said = {"collection": "auxiliary", "name": name, "Male": "yes", "Young": "no", "part": "test"}
        assert row["attributes"] == said and row["split"] is None
    assert acquired.excluded.num_rows == acquired.photos.num_rows == 0


def test_original_images_are_cut_at_their_boxes(tmp_path):
    files = celeba("img_celeba", "Anno/")
    faces = by_name(acquire(write(tmp_path, files), Settings(), 1).faces)
    row = faces["img_celeba/000002.jpg"]
    np.testing.assert_array_equal(decode(row["image"]), decode(files["img_celeba/000002.jpg"])[5:17, 2:12])
    assert row["landmarks"] == [1, -1, 7, -1, 4, 3, 2, 7, 7, 7] and row["box"] == [2, 5, 10, 12]
    assert row["identity"] == "2937" and row["attributes"]["Male"] == "yes"


def test_lists_that_are_not_needed_may_be_absent(tmp_path):
    gone = {"list_eval_partition": None, "list_attr_celeba": None, "list_landmarks_align_celeba": None}
    faces = by_name(acquire(write(tmp_path, celeba("img_align_celeba", **gone)), Settings(), 1).faces)
    assert all(row["landmarks"] is None and set(row["attributes"]) == {"collection", "name"} for row in faces.values())


def test_what_list_and_folder_do_not_share_is_excluded(tmp_path):
    files = celeba("img_align_celeba") | {"img_align_celeba/000099.jpg": picture(9), "img_align_celeba/000003.jpg": b""}
    del files["img_align_celeba/000001.jpg"]
    acquired = acquire(write(tmp_path, files), Settings(), 1)
    folder = "img_align_celeba"
    expected = {f"{folder}/000001.jpg": "absent", f"{folder}/000003.jpg": "empty", f"{folder}/000099.jpg": "unlisted"}
    assert reasons(acquired.excluded) == expected
    assert acquired.faces.num_rows == 2


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"identity_CelebA": None}, r"identity_CelebA\.txt[\s\S]*Anno/identity_CelebA\.txt"),
        ({"list_bbox_celeba": None}, r"list_bbox_celeba\.txt"),
        ({"list_bbox_celeba": b"4\nx\n000001.jpg 1 2 3\n"}, r"line 3 has 3 values after the file name, not 4"),
        ({"list_bbox_celeba": b"4\nx\n000001.jpg 1 2 3 four\n"}, r"could not convert string to float: 'four'"),
        ({"identity_CelebA": b"\xff\xfe\xff"}, r"identity_CelebA\.txt cannot be right: it is no text"),
    ],
)
def test_a_missing_or_broken_list_is_named(tmp_path, changes, message):
    with pytest.raises(SourceError, match=message):
        acquire(write(tmp_path, celeba("img_celeba", **changes)), Settings(), 1)


def test_missing_images_are_named(tmp_path):
    root = write(tmp_path, {"identity_CelebA.txt": listed([], IDENTITIES)})
    with pytest.raises(SourceError, match=r"img_align_celeba or Img/img_align_celeba or img_celeba"):
        acquire(root, Settings(), 1)
