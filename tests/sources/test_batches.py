import pytest

from lrfr.config import settings
from lrfr.errors import ParameterError, SourceError
from lrfr.sources.batches import Settings, acquire, batches
from tests.sources.layouts import reasons, tree, write

FACES = {"of": "identity_folders"}
PHOTOS = {"of": "photo_folder"}


def test_batches_are_read_one_after_the_other(tmp_path):
    tree(tmp_path, "w1/ann/1.png", "w1/bob/1.png", "w2/ann/2.png")
    acquired = acquire(tmp_path, Settings(**FACES), 1)
    assert acquired.faces["identity"].to_pylist() == ["ann", "bob", "ann"]
    assert {dict(row)["collection"] for row in acquired.faces["attributes"].to_pylist()} == {"native"}


def test_photos_of_one_name_are_two(tmp_path):
    tree(tmp_path, "w1/IMG_1.jpg", "w2/IMG_1.jpg")
    acquired = acquire(tmp_path, Settings(**PHOTOS), 1)
    assert acquired.photos["photo_id"].to_pylist() == ["w1/IMG_1.jpg", "w2/IMG_1.jpg"]


def test_a_face_that_came_before_is_a_copy(tmp_path):
    tree(tmp_path, "w1/ann/1.png")
    write(tmp_path, {"w2/ann/1.png": (tmp_path / "w1/ann/1.png").read_bytes(), "w2/ann/torn.png": b"\x89PNG"})
    acquired = acquire(tmp_path, Settings(**FACES), 1)
    assert len(acquired.faces) == 1
    assert "copy" in reasons(acquired.excluded).values() and "w2/ann/torn.png" in reasons(acquired.excluded)


def test_a_hidden_batch_is_on_its_way(tmp_path):
    tree(tmp_path, "w1/ann/1.png", ".w2/ann/1.png")
    (tmp_path / "list.txt").write_text("no batch")
    assert batches(tmp_path) == ["w1"]


def test_without_a_batch_there_is_one_message(tmp_path):
    with pytest.raises(SourceError, match="no batch lies here"):
        acquire(tmp_path, Settings(**FACES), 1)


@pytest.mark.parametrize(
    "given",
    [{"of": "lfw"}, FACES | {"settings": {"colection": "native"}}, FACES | {"settings": {"collection": "auxiliary"}}],
)
def test_settings_are_those_of_the_source_of_each_batch(given):
    with pytest.raises(ParameterError):
        settings(given, Settings, "acquire.settings")
