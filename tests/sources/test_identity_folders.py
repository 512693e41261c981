import pytest

from lrfr.errors import SourceError
from lrfr.sources.identity_folders import Settings, acquire
from tests.sources.layouts import by_name, reasons, tree, write

PICTURES = ("n000001/0001_01.jpg", "n000001/0002_01.jpg", "n000009/0001_01.jpg", "0000045/video/001.png")


def test_a_folder_is_an_identity(tmp_path):
    acquired = acquire(tree(tmp_path, *PICTURES), Settings(), 1)
    faces = by_name(acquired.faces)
    assert {name: row["identity"] for name, row in faces.items()} == {name: name.split("/")[0] for name in PICTURES}
    for name, row in faces.items():
        assert row["image"] == (tmp_path / name).read_bytes() and row["split"] is None
        assert row["attributes"]["collection"] == "auxiliary"
    assert acquired.photos.num_rows == acquired.excluded.num_rows == 0


def test_the_seed_draws_identities_and_images(tmp_path):
    root = tree(tmp_path, *(f"{person}/{image}.jpg" for person in "abcdefgh" for image in range(5)))
    some = Settings(max_identities=3, max_images=2)
    faces = acquire(root, some, 1).faces
    counts = {name: faces["identity"].to_pylist().count(name) for name in faces["identity"].unique().to_pylist()}
    assert len(counts) == 3 and set(counts.values()) == {2}
    assert faces.equals(acquire(root, some, 1).faces)
    assert not faces.equals(acquire(root, some, 2).faces)


def test_faces_may_be_native(tmp_path):
    faces = acquire(tree(tmp_path, *PICTURES), Settings(collection="native"), 1).faces
    assert {row["attributes"]["collection"] for row in by_name(faces).values()} == {"native"}


def test_what_is_no_face_of_anybody_is_excluded(tmp_path):
    root = write(
        tree(tmp_path, *PICTURES, "alone.jpg"), {"n000009/torn.jpg": b"\xff\xd8\xff", "n000009/notes.txt": b"x"}
    )
    acquired = acquire(root, Settings(), 1)
    found = reasons(acquired.excluded)
    assert found.pop("n000009/torn.jpg") in ("corrupt", "not_image")
    assert found == {"alone.jpg": "no_identity", "n000009/notes.txt": "not_image"}
    assert acquired.faces.num_rows == len(PICTURES)


@pytest.mark.parametrize("places", [("train", "test"), ("faces",), ("images",)])
def test_a_root_that_is_one_level_too_high_is_refused(tmp_path, places):
    tree(tmp_path, *(f"{place}/{name}" for place in places for name in PICTURES))
    with pytest.raises(SourceError, match=rf"holds 3 folders and no picture[\s\S]*set the root to .*/{places[-1]}"):
        acquire(tmp_path, Settings(), 1)


def test_a_name_is_one_however_its_accents_are_written(tmp_path):
    root = tree(tmp_path, "Jos\u00e9/1.jpg", "Jose\u0301/2.jpg", "11/1.jpg")
    assert set(acquire(root, Settings(), 1).faces["identity"].to_pylist()) == {"Jos\u00e9", "11"}


@pytest.mark.parametrize("name", ["nan", "None", " "])
def test_a_folder_of_the_nameless_is_nobody(tmp_path, name):
    with pytest.raises(SourceError, match="identity"):
        acquire(tree(tmp_path, *PICTURES, f"{name}/1.jpg"), Settings(), 1)


def test_nothing_is_read_outside_of_the_root(tmp_path):
    root = tree(tmp_path / "root", *PICTURES)
    tree(tmp_path / "secret", "face.jpg")
    (root / "n000001" / "link.jpg").symlink_to(tmp_path / "secret" / "face.jpg")
    with pytest.raises(SourceError, match=r"leads out of the dataset[\s\S]*n000001/link\.jpg"):
        acquire(root, Settings(), 1)


def test_an_empty_folder_says_what_was_expected(tmp_path):
    with pytest.raises(SourceError, match="<identity>"):
        acquire(tmp_path, Settings(), 1)
