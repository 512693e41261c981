"""code: what params.yaml names, by hash. What a run does not name changes nothing of its record."""

import shutil
from pathlib import Path

import pytest

from lrfr import code as package_code
from lrfr import paths
from lrfr.files import read_json
from lrfr.stages import code
from tests.face_tables import write_params

TRAINING = {"epochs": 1, "low_resolution": {"synthesizer": "downsample", "share": 0.5, "heights": [8, 12]}}
RUNS = {
    "plain": {"method": "baseline", "backbone": "main", "training": {"epochs": 1}},
    "smaller": {"method": "baseline", "backbone": "main", "training": TRAINING},
    "csri": {"method": "csri", "backbone": "main", "synthetic": TRAINING},
}
BACKBONES = {"main": {"training": {"epochs": 1}}, "smaller": {"training": TRAINING}}
SETS = {"pairs": {"source": "generated_pairs", "root": "."}, "mugshots": {"source": "generated_mugshots", "root": "."}}


@pytest.fixture(autouse=True)
def package(tmp_path, monkeypatch):
    """A copy of the package's source in place of it, for a test to change; the project beside it."""
    copied = tmp_path / "copy" / "lrfr"
    shutil.copytree(package_code.PACKAGE, copied, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(package_code, "PACKAGE", copied)
    monkeypatch.setattr(package_code, "TEMPLATES", copied / "templates")
    monkeypatch.setattr(code, "PACKAGE", copied)
    (tmp_path / "project").mkdir()
    monkeypatch.chdir(tmp_path / "project")
    write()
    return copied


def write(**changed):
    sections = {"methods": RUNS, "backbones": BACKBONES, "evaluation_sets": SETS, "synthesizers": {"downsample": {}}}
    write_params(**sections | changed)


def recorded():
    """Every record by its place, after the stage has run."""
    package_code._needed_by.cache_clear()
    package_code._templates.cache_clear()
    code.run()
    folder = Path("data/code")
    return {path.relative_to(folder).as_posix(): read_json(path) for path in sorted(folder.rglob("*.json"))}


def changed_by(before, act):
    """The records that something changes, or adds."""
    act()
    after = recorded()
    return {name for name, record in after.items() if record != before.get(name)}


def append(file):
    file.write_text(file.read_text() + "\n# changed\n")


def test_all_that_is_named_is_recorded_with_what_it_imports():
    found = recorded()
    assert set(found) == {
        "sources/acquire.json", "test_sets/pairs.json", "test_sets/mugshots.json", "synthesizers/downsample.json",
        "backbones/main.json", "backbones/smaller.json", "runs/plain.json", "runs/smaller.json", "runs/csri.json",
    }  # fmt: skip
    assert found["backbones/main.json"] == {}
    assert {"methods/baseline.py", "methods/__init__.py", "nn/classifier.py"} <= set(found["runs/plain.json"])
    assert "methods/csri.py" in found["runs/csri.json"] and "methods/csri.py" not in found["runs/plain.json"]
    assert "sources/generated_pairs.py" in found["test_sets/pairs.json"]
    with_synthesizer = {name for name, record in found.items() if "synthesis/downsample.py" in record}
    assert with_synthesizer == {
        "synthesizers/downsample.json", "backbones/smaller.json", "runs/smaller.json", "runs/csri.json"
    }  # fmt: skip


def test_equal_code_gives_equal_bytes():
    recorded()
    first = {path: path.read_bytes() for path in Path("data/code").rglob("*.json")}
    recorded()
    assert {path: path.read_bytes() for path in first} == first


def test_a_synthesizer_changes_the_records_of_those_alone_that_use_it(package):
    before = recorded()
    assert changed_by(before, lambda: append(package / "synthesis/downsample.py")) == {
        "synthesizers/downsample.json", "backbones/smaller.json", "runs/smaller.json", "runs/csri.json"
    }  # fmt: skip


def test_a_synthesizer_that_one_run_uses_changes_that_run_s_record_alone(package):
    photographic = {"epochs": 1, "low_resolution": {"synthesizer": "photographic"}}
    write(methods=RUNS | {"photographed": {"method": "baseline", "backbone": "main", "training": photographic}})
    before = recorded()
    assert changed_by(before, lambda: append(package / "synthesis/photographic.py")) == {"runs/photographed.json"}


def test_a_run_by_the_closest_synthesizer_depends_on_all_that_it_may_be(package):
    closest = {"epochs": 1, "low_resolution": {"synthesizer": "closest"}}
    runs = RUNS | {"nearest": {"method": "baseline", "backbone": "main", "training": closest}}
    write(methods=runs, synthesizers={"downsample": {}, "camera": {}}, learned_synthesizers={"mrgan": {}})
    found = recorded()["runs/nearest.json"]
    assert {"synthesis/downsample.py", "synthesis/camera.py", "synthesis/mrgan.py"} <= set(found)
    assert "synthesis/photographic.py" not in found


def test_a_new_synthesizer_and_a_new_method_change_no_record(package):
    before = recorded()

    def add():
        for folder, like in (("synthesis", "downsample"), ("methods", "baseline"), ("sources", "lfw")):
            shutil.copy(package / folder / f"{like}.py", package / folder / "brand_new.py")

    assert changed_by(before, add) == set()
    write(synthesizers={"downsample": {}, "brand_new": {}})
    assert changed_by(before, lambda: None) == {"synthesizers/brand_new.json"}


def test_a_method_changes_the_records_of_its_own_runs_alone(package):
    before = recorded()
    assert changed_by(before, lambda: append(package / "methods/csri.py")) == {"runs/csri.json"}
    assert changed_by(recorded(), lambda: append(package / "sources/generated_pairs.py")) == {"test_sets/pairs.json"}


@pytest.mark.parametrize(
    "changed",
    [
        {"methods": {"x": {"method": "rfir", "backbone": "main"}, "y": {}}},
        {"methods": {"x": {"method": "baseline", "training": {"low_resolution": {"synthesizer": "downsampel"}}}}},
        {"methods": {"x": {"method": "baseline", "training": {"low_resolution": None}, "head": 3}}},
        {"backbones": {"x": {"training": {"low_resolution": {"synthesizer": 3}}}}},
        {"synthesizers": {"downsampel": {}}},
        {"evaluation_sets": {"x": {"source": "nobody", "root": "."}}},
        {"acquire": {"source": "nobody", "root": ".", "auxiliary": {"source": "no", "root": "."}}},
    ],
)
def test_a_name_that_does_not_exist_is_left_to_the_stage_that_uses_it(changed):
    write(**changed)
    found = recorded()
    assert not any("nobody" in file or "rfir" in file for record in found.values() for file in record)


def test_the_records_are_where_the_stages_look_for_them():
    recorded()
    for kind, name in (("runs", "csri"), ("backbones", "main"), ("test_sets", "pairs"), ("synthesizers", "downsample")):
        assert paths.code(kind, name).is_file()
