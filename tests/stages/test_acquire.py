import pytest

from lrfr import paths
from lrfr.errors import ParameterError, SourceError
from lrfr.faces import PHOTO_SCHEMA, TAG_SCHEMA, TRUTH_SCHEMA, read_table
from lrfr.stages import acquire
from tests.drawing import jpeg, portrait, write_params

SETTINGS = {"min_images": 2, "max_images": 2, "auxiliary_fraction": 0.5, "distractors": 1}


@pytest.fixture(autouse=True)
def root(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, count in {"Ann_A": 2, "Bob_B": 2, "Cy_C": 1}.items():
        (tmp_path / "raw" / name).mkdir(parents=True)
        for n in range(count):
            (tmp_path / "raw" / name / f"{name}_{n + 1:04d}.jpg").write_bytes(jpeg(portrait(100, n)))
    return tmp_path / "raw"


def test_three_tables_are_written():
    write_params(acquire={"source": "lfw", "root": "raw", "settings": SETTINGS})
    acquire.run()
    photos = read_table(paths.PHOTOS, PHOTO_SCHEMA)
    assert sorted(photos["collection"].to_pylist()) == ["auxiliary"] * 2 + ["native"] * 3
    assert read_table(paths.TAGS, TAG_SCHEMA).num_rows == 4
    assert read_table(paths.TRUTH, TRUTH_SCHEMA).num_rows == 0


def test_the_same_bytes_again():
    write_params(acquire={"source": "lfw", "root": "raw", "settings": SETTINGS})
    acquire.run()
    first = paths.PHOTOS.read_bytes()
    acquire.run()
    assert paths.PHOTOS.read_bytes() == first


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"source": "lfv", "root": "raw", "settings": {}}, ParameterError, "did you mean 'lfw'"),
        ({"source": "lfw", "root": "none", "settings": SETTINGS}, SourceError, "there is no dataset here"),
        ({"source": "lfw", "root": "raw", "settings": SETTINGS | {"photos": 3}}, ParameterError, "known: "),
    ],
)
def test_mistakes_leave_nothing_behind(changes, error, message):
    write_params(acquire=changes)
    with pytest.raises(error, match=message):
        acquire.run()
    assert not paths.PHOTOS.exists()
