"""A project with a released model, in which each person is a pattern of colours, which any network tells apart."""

import os
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

from lrfr import paths
from lrfr.faces import encode_png
from lrfr.files import write_json
from lrfr.nn.model_file import Facts
from lrfr.release.making import make
from lrfr.stages import package
from tests.face_tables import face, write_test_set
from tests.release.keys import key_pair
from tests.release.project import RUNS, TRAINED, commit, parameters, write_best, write_faces_and_outcomes, write_project

ACQUIRE = {"source": "batches", "root": "raw/batches", "settings": {"of": "identity_folders"}}
SIZE = 24  # px


def shot(person: int, number: int, light: float = 1.0) -> np.ndarray:
    """A picture of a person: (SIZE, SIZE, 3) uint8."""
    colours = np.random.default_rng([1, person]).uniform(30, 220, (4, 4, 3))
    noise = np.random.default_rng([2, person, number]).normal(0, 12, (SIZE, SIZE, 3))
    return np.clip(light * cv2.resize(colours, (SIZE, SIZE)) + noise, 0, 255).astype(np.uint8)


def deliver(name: str, who: list[tuple[int, str]], first: int = 100, light: float = 1.0) -> list[Path]:
    """A batch with a picture of each person, under the name that is said."""
    files = []
    for number, (person, called) in enumerate(who, first):
        path = Path("raw/arrivals") / name / called / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encode_png(shot(person, number, light)))
        files.append(path)
    return files


def people(count: int, images: int = 3) -> list[tuple[int, str]]:
    """People who are known, each under the right name."""
    return [(person, f"n{person:03}") for person in range(count) for _ in range(images)]


def _recoloured(benchmark: list[dict]) -> None:
    for number, row in enumerate(benchmark):
        who = int(row["identity"][1:]) if row["identity"] else 500 + number
        row |= {"image": encode_png(shot(who, number)), "width": SIZE, "height": SIZE}
        row |= {"landmarks": None, "box": None}


@pytest.fixture(scope="session")
def whole_project(tmp_path_factory):
    """The project, to be copied."""
    folder, before = tmp_path_factory.mktemp("released"), Path.cwd()
    os.chdir(folder)
    try:
        write_project()
        parameters(acquire=ACQUIRE)
        write_faces_and_outcomes(_recoloured)
        rng = np.random.default_rng(3)
        hr = [face(rng, f"h{n}", 60, identity=f"h{n // 3}", split=None) for n in range(12)]
        write_test_set("distractors", hr, "rifr")
        write_best(Facts(trained=TRAINED))
        package.run()
        key_pair(folder)
        commit()
        make(Path("release.key"))
        Path("raw/batches/first/n000").mkdir(parents=True)
        for name in paths.VERDICTS, paths.NAMES, paths.PAIR_VERDICTS:
            name.mkdir(parents=True)
        write_json(Path("raw/batches/first/n000/note.json"), RUNS)
    finally:
        os.chdir(before)
    return folder


@pytest.fixture
def project(whole_project, tmp_path, monkeypatch):
    """The current folder: that project."""
    monkeypatch.chdir(shutil.copytree(whole_project, tmp_path / "project"))
