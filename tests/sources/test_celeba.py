import numpy as np
import pytest

from lrfr.errors import SourceError
from lrfr.faces import decode
from lrfr.sources.celeba import Settings, acquire
from tests.sources.layouts import by_name, picture, reasons, write

IDENTITIES = {"000001.jpg": "2880", "000002.jpg": "2937", "000003.jpg": "2880", "000004.jpg": "12"}
POINTS = "3 4 9 4 6 8 4 12 9 12"
NAMES = " ".join(
    f"{point}_{axis}" for point in ("lefteye", "righteye", "nose", "leftmouth", "rightmouth") for axis in "xy"
)


def listed(header: list[str], rows: dict[str, str]) -> bytes:
    return "\n".join([*header, *(f"{name}  {values}" for name, values in rows.items()), ""]).encode()


def boxes(row: str, names: str = "image_id x_1 y_1 width height", count: int = 1) -> bytes:
    return f"{count}\n{names}\n{row}\n".encode()


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
        f"{lists}list_landmarks_celeba.txt": listed(["4", NAMES], dict.fromkeys(names, POINTS)),
        f"{lists}list_landmarks_align_celeba.txt": listed(["4", NAMES], dict.fromkeys(names, POINTS)),
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
        ({"list_bbox_celeba": boxes("000001.jpg 1 2 3")}, r"line 3 has 3 values after the file name, not 4"),
        ({"list_bbox_celeba": boxes("000001.jpg 1 2 3 four")}, r"the values of 000001\.jpg are no numbers: 1 2 3 four"),
        ({"list_bbox_celeba": boxes("000001.jpg 1 2 3 4", count=4)}, r"its first line says 4 images, and 1 follow"),
        (
            {"list_bbox_celeba": b"000001.jpg 1 2 3 4\n000002.jpg 1 2 3 4\n"},
            r"does not begin with the number of images",
        ),
        ({"list_bbox_celeba": boxes("000001.jpg 1 2 3 4", "x y w h")}, r"columns are called x, y, w, h, not height"),
        ({"list_bbox_celeba": boxes("9.jpg 1 2 3 4")}, r"none of the 4 listed images stands in list_bbox_celeba\.txt"),
        ({"identity_CelebA": b"image_id identity\n000001.jpg 1\n"}, r"line 1 names no picture: image_id"),
        (
            {"identity_CelebA": b"000001.jpg 1\n000002.jpg 2\n000001.jpg 3\n"},
            r"1 images stand twice, such as 000001\.jpg",
        ),
        ({"identity_CelebA": b"000001.jpg nan\n"}, r"the identity 'nan' is what programs write"),
        ({"list_eval_partition": b"000001.jpg 0\n000001.jpg 0\n"}, r"1 images stand twice"),
        ({"list_attr_celeba": b"1\nMale Male\n000001.jpg 1 -1\n"}, r"columns are called Male, Male"),
        ({"identity_CelebA": b"\xff\xfe\xff"}, r"identity_CelebA\.txt cannot be right: it is no text"),
    ],
)
def test_a_missing_or_broken_list_is_named(tmp_path, changes, message):
    with pytest.raises(SourceError, match=message):
        acquire(write(tmp_path, celeba("img_celeba", **changes)), Settings(), 1)


def test_columns_go_by_the_names_above_them(tmp_path):
    shuffled = listed(["4", "image_id height y_1 x_1 width"], dict.fromkeys(IDENTITIES, "12 5 2 10"))
    faces = by_name(acquire(write(tmp_path, celeba("img_celeba", list_bbox_celeba=shuffled)), Settings(), 1).faces)
    assert faces["img_celeba/000002.jpg"]["box"] == [2, 5, 10, 12]


def test_pictures_in_a_doubled_folder_are_looked_for(tmp_path):
    files = {name.replace("img_align_celeba/", "img_align_celeba/img_align_celeba/"): content
             for name, content in celeba("img_align_celeba").items()}  # fmt: skip
    with pytest.raises(SourceError, match=r"none of the 4 listed images lies in img_align_celeba, such as 000001\.jpg"):
        acquire(write(tmp_path, files), Settings(), 1)
    with pytest.raises(SourceError, match=r"000001\.jpg is in img_align_celeba/img_align_celeba: put the pictures"):
        acquire(tmp_path, Settings(), 1)


def test_a_list_of_which_most_images_are_not_there_is_refused(tmp_path):
    files = celeba("img_align_celeba")
    for name in ("000001.jpg", "000002.jpg", "000003.jpg"):
        files[f"img_align_celeba/{name[:-4]}.png"] = files.pop(f"img_align_celeba/{name}")
    with pytest.raises(
        SourceError, match=r"only 1 of the 4 .*, and not 000001\.jpg[\s\S]*called 000001\.png in img_align"
    ):
        acquire(write(tmp_path, files), Settings(), 1)


def test_landmarks_of_larger_pictures_are_of_no_use(tmp_path):
    files = celeba("img_align_celeba") | {"img_align_celeba/000001.jpg": picture(0, 10, 8)}
    acquired = acquire(write(tmp_path, files), Settings(), 1)
    assert reasons(acquired.excluded) == {"img_align_celeba/000001.jpg": "landmarks_outside"}


def test_a_person_has_one_number_however_it_is_written(tmp_path):
    two = b"000001.jpg 2880\n000002.jpg 2880.0\n"
    faces = acquire(write(tmp_path, celeba("img_align_celeba", identity_CelebA=two)), Settings(), 1).faces
    assert faces["identity"].to_pylist() == ["2880", "2880"]


def test_missing_images_are_named(tmp_path):
    root = write(tmp_path, {"identity_CelebA.txt": listed([], IDENTITIES)})
    with pytest.raises(SourceError, match=r"img_align_celeba or Img/img_align_celeba or img_celeba"):
        acquire(root, Settings(), 1)
