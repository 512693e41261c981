"""check-batches: a batch that no collection can fill is told before any training."""

import pytest

from lrfr import paths
from lrfr.config import read_params
from lrfr.errors import ParameterError
from lrfr.files import read_json
from lrfr.stages import check, check_batches
from tests.face_tables import write_params, write_split


@pytest.fixture(autouse=True)
def project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_params()
    write_split()


def with_batches(size: int, **more: object) -> None:
    """The project's parameters with batches of that size everywhere."""
    values = {name: getattr(read_params(), name) for name in ("landmarks", "super_resolution", "backbones", "methods")}
    for section in (values["landmarks"], *values["super_resolution"].values(), *values["backbones"].values(),
                    *values["methods"].values()):  # fmt: skip
        for key in ("training", "auxiliary", "synthetic"):
            if key in section:
                section[key] |= {"batch_size": size} | more
    write_params(**values)


def test_batches_that_can_be_filled_are_right():
    with_batches(4)
    check_batches.run()
    assert read_json(paths.BATCHES) == {"success": True}


@pytest.mark.parametrize(
    ("section", "name", "step"),
    [
        ("landmarks", None, "training"),
        ("super_resolution", "vdsr", "training"),
        ("backbones", "main", "training"),
        ("methods", "baseline", "auxiliary"),
        ("methods", "baseline", "training"),
        ("methods", "csri", "synthetic"),
    ],
)
def test_a_batch_larger_than_its_collection_is_told(section, name, step):
    with_batches(4)
    values = getattr(read_params(), section)
    (values[name] if name else values)[step]["batch_size"] = 500
    params = {key: getattr(read_params(), key) for key in ("landmarks", "super_resolution", "backbones", "methods")}
    write_params(**params | {section: values})
    place = ".".join(part for part in (section, name, step) if part)
    with pytest.raises(ParameterError, match=rf"faces, and a batch takes 500 of them(.|\n)*{place}.batch_size"):
        check_batches.run()
    assert not paths.BATCHES.exists()


def test_so_are_more_identities_than_there_are():
    with_batches(8, images_per_identity=1)
    with pytest.raises(ParameterError, match=r"leave training\.images_per_identity out|identities of the collection"):
        check_batches.run()


def test_the_check_of_the_parameters_notes_it_of_the_last_split(capsys, tmp_path):
    (tmp_path / "src/lrfr/sources/rendering").mkdir(parents=True)
    check.run()
    told = capsys.readouterr().out
    assert "every section and every name in it is right" in told and "with the faces of the last split" in told
