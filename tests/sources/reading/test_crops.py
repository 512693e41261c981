import pytest

from lrfr.errors import SourceError
from lrfr.faces import EXCLUDED_SCHEMA, FACE_SCHEMA, decode, face_id
from lrfr.sources.reading import crops as crops_module
from lrfr.sources.reading.crops import Crop, crop_rows, excluded_table, ids_by_file, listed_crops
from tests.sources.layouts import by_name, picture, put, reasons, tree


def test_a_crop_becomes_a_row_with_its_bytes_as_captured():
    crop = Crop(
        "a/1.jpg", picture(1, 14, 9), "7", "probe", {"part": "probe"}, is_test=True, landmarks=range(10), score=0.5
    )
    faces, excluded = crop_rows([crop], "source", "reading")
    (row,) = faces.to_pylist()
    assert faces.schema == FACE_SCHEMA and excluded == []
    assert row["image"] == crop.image and (row["width"], row["height"]) == (9, 14)
    assert row["face_id"] == face_id(decode(picture(1, 14, 9)), "source:a/1.jpg")
    assert (row["source"], row["identity"], row["split"], row["score"]) == ("source", "7", "probe", 0.5)
    assert row["landmarks"] == list(range(10)) and row["box"] is None and row["photo_id"] is None
    assert dict(row["attributes"]) == {"collection": "native", "name": "a/1.jpg", "part": "probe"}


@pytest.mark.parametrize(
    ("image", "reason"), [(b"", "empty"), (b"no image", "not_image"), (picture(1)[:200], "corrupt")]
)
def test_an_unreadable_crop_stays_in_a_test_set_and_leaves_a_training_set(tmp_path, image, reason):
    crops = [
        Crop("kept.jpg", image, "7", is_test=True),
        Crop("left.jpg", image),
        Crop("gone.jpg", tmp_path / "gone.jpg"),
    ]
    faces, excluded = crop_rows(crops, "source", "reading")
    (row,) = by_name(faces).values()
    assert row["attributes"]["missing"] == "unreadable" and row["image"] == image and row["identity"] == "7"
    assert (row["width"], row["height"]) == (0, 0)
    assert reasons(excluded_table(excluded)) == {"left.jpg": reason, "gone.jpg": "empty"}
    assert excluded_table(excluded).schema == EXCLUDED_SCHEMA


def test_rows_keep_the_order_of_the_crops_over_many_batches(tmp_path, monkeypatch):
    monkeypatch.setattr(crops_module, "BATCH", 3)
    put(tmp_path / "picture.jpg", picture(0))
    crops = [Crop(f"{number}.jpg", tmp_path / "picture.jpg" if number % 2 else picture(0)) for number in range(20)]
    faces, _ = crop_rows(iter(crops), "source", "reading")
    assert list(by_name(faces)) == [crop.name for crop in crops]
    assert len(set(faces["face_id"].to_pylist())) == 20  # copies of one picture are faces of their own
    assert ids_by_file(crops[5:], faces) == dict(
        zip([crop.name for crop in crops[5:]], faces["face_id"].to_pylist()[5:], strict=True)
    )


def test_no_crops_are_an_empty_table():
    assert crop_rows([], "source", "reading")[0].schema == FACE_SCHEMA


def test_a_list_rules_over_what_lies_in_the_folder(tmp_path):
    root = tree(tmp_path, "part/1_a.jpg", "part/2_b.jpg", "part/other.jpg", "part/.hidden.jpg")
    put(root / "part/Thumbs.db", "x")
    put(root / "part/notes.txt", "x")
    crops, excluded = listed_crops(root, "part", {"2_b.jpg": "9", "1_a.jpg": "8", "3_c.jpg": "7"}, "probe", "probe")
    assert [(crop.name, crop.identity) for crop in crops] == [
        ("part/2_b.jpg", "9"),
        ("part/1_a.jpg", "8"),
        ("part/3_c.jpg", "7"),
    ]
    faces = by_name(crop_rows(crops, "source", "reading")[0])
    assert faces["part/3_c.jpg"]["attributes"]["missing"] == "unreadable" and faces["part/3_c.jpg"]["image"] == b""
    assert "missing" not in faces["part/1_a.jpg"]["attributes"]
    assert reasons(excluded_table(excluded)) == {
        "part/other.jpg": "unlisted",
        "part/notes.txt": "not_image",
        "part/.hidden.jpg": "hidden",
        "part/Thumbs.db": "hidden",
    }


def test_a_folder_with_none_of_the_listed_images_is_the_wrong_one(tmp_path):
    tree(tmp_path, "part/1.jpg")
    with pytest.raises(SourceError, match=r"none of the 1 listed images lies in part, such as 2\.jpg"):
        listed_crops(tmp_path, "part", {"2.jpg": "1"}, "probe", "probe")


def test_a_listed_image_that_lies_there_twice_is_refused(tmp_path):
    tree(tmp_path, "part/a/1.jpg", "part/b/1.jpg")
    with pytest.raises(SourceError, match=r"1.jpg stands twice, as part/a/1.jpg and part/b/1.jpg"):
        listed_crops(tmp_path, "part", {"1.jpg": "1"}, "probe", "probe")


def test_pictures_that_were_converted_are_found_by_their_names(tmp_path):
    root = tree(tmp_path, "part/1_a.png", "part/2_b.jpg", "part/2_b.png", "part/3_c.png", "part/3_c.bmp")
    identities = {"1_a.jpg": "8", "2_b.jpg": "9", "3_c.jpg": "7"}
    crops, excluded = listed_crops(root, "part", identities, "probe", "probe")
    assert [(crop.name, getattr(crop.image, "name", crop.image)) for crop in crops] == [
        ("part/1_a.jpg", "1_a.png"),  # under its published name, which decides its face_id
        ("part/2_b.jpg", "2_b.jpg"),
        ("part/3_c.jpg", b""),  # which of the two it is, nobody knows
    ]
    assert sorted(reasons(excluded_table(excluded))) == ["part/2_b.png", "part/3_c.bmp", "part/3_c.png"]
