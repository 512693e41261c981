"""``pip install lrfr[serve]`` alone is enough to use a release: no torch, no DVC, no Prefect, no project around."""

import json
import re
import subprocess
import sys
from importlib.metadata import distribution

import pytest

from tests.score.test_bare_install import PROGRAM, PROJECT, name_of, not_installed_with_lrfr
from tests.serve.releases import NAME, VERSION, group, photo, write_photo

PIPELINE = ("torch", "timm", "dvc", "prefect", "onnx", "scipy", "sklearn", "safetensors", "evidently", "jinja2")
PYTHON = """
from pathlib import Path
from lrfr.decoding import decode
from lrfr.serve import Gallery, Model
from lrfr.serve.detection import find_faces

model = Model.load("release")
embeddings = model.embed([face.pixels for face in find_faces(decode(Path("group.jpg").read_bytes()), model.detector)])
print([answer.name for answer in Gallery("people.gallery", model).identify(embeddings, 0.05)])
"""


@pytest.fixture(scope="module")
def refused():
    found = not_installed_with_lrfr("serve")
    assert set(PIPELINE) <= set(found)
    return found


def run(refused, folder, program, *arguments):
    refusing = f"REFUSED = set({refused})\n{PROGRAM.rpartition('from lrfr.cli')[0]}{program}"
    command = [sys.executable, "-c", refusing, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_somebody_is_identified_and_a_stranger_is_not(refused, place, keys, tmp_path):
    cli = "from lrfr.cli import app\napp()"
    for name, person in (("anna", 0), ("carl", 2)):
        write_photo(tmp_path / "people" / name / "a.jpg", photo(person))
    write_photo(tmp_path / "group.jpg", group([0, 50, 2]))
    pull = ("pull", f"{NAME}@{VERSION}", "release", "--from", place, "--key", keys[1])
    assert "fetched and verified" in run(refused, tmp_path, cli, *pull)
    assert "2 people: 2 photos" in run(refused, tmp_path, cli, "enroll", "people", "--model", "release")
    asked = ("identify", "group.jpg", "--model", "release", "--fpir", "0.05", "--json")
    told = json.loads(run(refused, tmp_path, cli, *asked))
    assert [face["name"] for face in told["faces"]] == ["anna", None, "carl"]
    assert run(refused, tmp_path, PYTHON).strip() == "['anna', None, 'carl']"
    run(refused, tmp_path, "import lrfr.serve.trying")
    assert "deleted" in run(refused, tmp_path, cli, "forget", "anna", "--model", "release")


def test_without_the_extra_it_is_said_what_to_install(tmp_path):
    program = PROGRAM.replace("app()", "")
    program = f"REFUSED = {{'onnxruntime', 'filelock', 'cv2'}}\n{program}\napp()"
    command = [sys.executable, "-c", program, "identify", "x.jpg", "--model", "release"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 1 and "pip install 'lrfr[serve]'" in done.stderr
    assert not re.search("Traceback", done.stderr)


def test_the_two_extras_ask_for_the_same_versions():
    """Where both need a package, one environment has both."""
    extras = PROJECT["optional-dependencies"]
    pinned = {name_of(one): one for one in extras["pipeline"]}
    for one in extras["serve"]:
        assert pinned.get(name_of(one), one) == one
        assert distribution(name_of(one))
