"""The commands that need a release alone, as people call them."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from lrfr.cli import app
from lrfr.galleries.gallery import Answer
from lrfr.release.calibration import Threshold
from lrfr.serve import Gallery
from lrfr.serve import watch as watching
from lrfr.serve.detection import FoundFace
from lrfr.serve.identification import Identified, IdentifiedFace, as_json, as_text, told_threshold
from lrfr.serve.watch import arriving
from tests.serve.releases import NAME, VERSION, group, photo, write_photo

FPIR = ("--fpir", "0.05")


@pytest.fixture
def lrfr(release, gallery):
    """Calls a command with the release and the gallery; gives its exit status, output and errors."""

    def call(*arguments):
        options = () if arguments[0] == "pull" else ("--model", release, "--gallery", gallery)
        done = CliRunner().invoke(app, [*map(str, arguments), *map(str, options)], catch_exceptions=False)
        return done.exit_code, done.stdout, done.stderr

    return call


def test_a_release_is_pulled(lrfr, place, keys, tmp_path):
    status, output, _ = lrfr("pull", f"{NAME}@{VERSION}", tmp_path / "r", "--from", place, "--key", keys[1])
    assert status == 0 and "fetched and verified" in output
    assert "there already" in lrfr("pull", f"{NAME}@{VERSION}", tmp_path / "r", "--from", place, "--key", keys[1])[1]
    status, _, errors = lrfr("pull", f"{NAME}@v3.0.0", tmp_path / "s", "--from", place, "--key", keys[1])
    assert status == 1 and "has no version v3.0.0 here" in errors and "known: v1.0.0" in errors


def test_every_face_is_told_by_name_or_not_known(lrfr, tmp_path):
    picture = write_photo(tmp_path / "group.jpg", group([0, 50, 2]))
    status, output, _ = lrfr("identify", picture, *FPIR)
    told = [line.split("  ")[1] for line in output.splitlines() if line.startswith("  ")]
    assert status == 0 and told == ["anna", "don't know", "carl"]
    assert "3 people; a score of" in output and "5.00% are taken for somebody" in output


def test_programs_get_the_same(lrfr, tmp_path, model, gallery):
    picture = write_photo(tmp_path / "group.jpg", group([0, 50, 2]))
    status, output, _ = lrfr("identify", picture, picture, *FPIR, "--json")
    first, second = map(json.loads, output.splitlines())
    assert status == 0 and first == second and first["photo"] == str(picture)
    assert [face["name"] for face in first["faces"]] == ["anna", None, "carl"]
    threshold = Gallery(gallery, model).threshold(0.05)
    assert first["threshold"]["score"] == pytest.approx(threshold.score, abs=1e-6)
    for face in first["faces"]:
        assert face["score"] == face["nearest"][0]["score"] and len(face["nearest"]) == 3
        assert (face["score"] >= threshold.score) == (face["name"] is not None)
        assert face["quality"] is None and len(face["box"]) == 4


def test_a_least_quality_of_a_model_without_one_is_one_message(lrfr, tmp_path):
    picture = write_photo(tmp_path / "group.jpg", group([0, 50]))
    status, _, errors = lrfr("identify", picture, *FPIR, "--least-quality", "0.4")
    assert status == 1 and "predicts none" in errors and "leave --least-quality out" in errors
    assert "Traceback" not in errors


def test_a_poor_face_is_told_as_one(model):
    """What people and programs read of it; the small release has no quality of its own."""
    found = FoundFace((1, 2, 30, 40), np.zeros((40, 30, 3), np.uint8), b"", "f", 0.9)
    near = [("anna", 0.8)]
    faces = [
        IdentifiedFace(found, Answer(None, 0.8, near, "quality"), 0.21, True),
        IdentifiedFace(found, Answer("anna", 0.8, near), 0.7, True),
    ]
    identified = Identified(faces, Threshold(0.5, 0.05, (0.02, 0.08), 3, True, 0.4))
    first, second = as_json("x.jpg", identified)["faces"]
    assert (first["name"], first["reason"], second["reason"]) == (None, "quality", None)
    assert as_json("x.jpg", identified)["threshold"]["least_quality"] == 0.4
    poor, named = as_text("x.jpg", identified).splitlines()[1:]
    assert "don't know" in poor and "quality 0.21 is too low" in poor and "too low" not in named
    assert "quality is 0.4 or more" in told_threshold(identified.threshold)


def test_a_photo_without_a_face_and_one_with_forty(lrfr, tmp_path):
    empty = write_photo(tmp_path / "empty.jpg", np.full((90, 120, 3), 120, np.uint8))
    crowd = np.concatenate([group(range(100 + 8 * row, 108 + 8 * row), 64) for row in range(5)])
    crowd = write_photo(tmp_path / "crowd.jpg", crowd)
    output = lrfr("identify", empty, crowd, *FPIR, "--json")[1]
    nobody, many = [json.loads(line)["faces"] for line in output.splitlines()]
    assert nobody == [] and 36 <= len(many) <= 44
    assert "no face was found" in lrfr("identify", empty, *FPIR)[1]
    for picture, why in ((empty, "no face was found"), (crowd, "faces")):
        status, _, errors = lrfr("enroll", "dora", picture)
        assert (status == 1 and why in errors and "cut out" in errors) or "another photo" in errors


def test_nobody_is_enrolled_by_half(lrfr, tmp_path, gallery):
    before = Path(gallery).read_bytes()
    good = write_photo(tmp_path / "good.jpg", photo(7))
    blank = write_photo(tmp_path / "blank.jpg", np.zeros((60, 60, 3), np.uint8))
    status, _, errors = lrfr("enroll", "dora", good, blank, tmp_path / "none.jpg")
    assert status == 1 and "2 of 3 photos cannot be used" in errors and "none.jpg: there is no such photo" in errors
    assert Path(gallery).read_bytes() == before


def test_two_people_of_one_name(lrfr, tmp_path, model, gallery):
    other = write_photo(tmp_path / "other.jpg", photo(0, 4))
    status, _, errors = lrfr("enroll", "anna", other)
    assert (
        status == 1 and "'anna' is in the gallery already" in errors and "another person needs another name" in errors
    )
    assert lrfr("enroll", "anna", other, "--add")[:2] == (0, f"anna: 1 photo enrolled in {gallery}\n")
    assert (Gallery(gallery, model).photos, len(Gallery(gallery, model).people)) == (4, 3)


def test_a_folder_of_folders_enrols_everybody_and_says_what_it_left_out(lrfr, tmp_path, model, gallery):
    for person, name in ((20, "dora"), (21, "emil")):
        for shot in range(2):
            write_photo(tmp_path / "people" / name / f"{shot}.jpg", photo(person, shot))
    write_photo(tmp_path / "people" / "emil" / "blank.jpg", np.zeros((60, 60, 3), np.uint8))
    status, output, errors = lrfr("enroll", tmp_path / "people")
    assert status == 3 and output.startswith("2 people: 4 photos enrolled")
    assert "blank.jpg: no face was found" in errors and errors.count("left out") == 1
    assert Gallery(gallery, model).people == ["anna", "bob", "carl", "dora", "emil"]
    told = lrfr("identify", write_photo(tmp_path / "x.jpg", photo(21, 5)), *FPIR)[1]
    assert "  emil  " in told


@pytest.mark.parametrize(("given", "what"), [("dora", "a name without photos"), (".", "no folder of a person")])
def test_enrolling_nobody_is_told(lrfr, tmp_path, monkeypatch, given, what):
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path / "empty")
    status, _, errors = lrfr("enroll", given)
    assert status == 1 and what in errors


def test_who_is_forgotten_is_not_known(lrfr, tmp_path, gallery):
    picture = write_photo(tmp_path / "b.jpg", photo(1, 2))
    assert "  bob  " in lrfr("identify", picture, *FPIR)[1]
    assert lrfr("forget", "bob")[:2] == (0, f"bob: 1 photo deleted from {gallery}\n")
    assert "  don't know  " in lrfr("identify", picture, *FPIR)[1]


@pytest.mark.parametrize(("fpir", "what"), [("0.0001", "--fpir 0.0"), ("0", "was asked for"), ("0.7", "0.5")])
def test_a_rate_that_cannot_be_had_is_told(lrfr, tmp_path, fpir, what):
    status, output, errors = lrfr("identify", write_photo(tmp_path / "b.jpg", photo(1)), "--fpir", fpir)
    assert status in (1, 2) and what in errors and not output


def test_a_damaged_photo_is_told(lrfr, tmp_path):
    (tmp_path / "x.jpg").write_bytes(b"\xff\xd8\xff nonsense")
    status, _, errors = lrfr("identify", tmp_path / "x.jpg", *FPIR)
    assert status == 1 and "damaged" in errors and "x.jpg" in errors


def test_photos_are_handed_on_once_they_are_whole(tmp_path, monkeypatch):
    for number in range(2):
        write_photo(tmp_path / f"{number}.jpg", photo(0))
    (tmp_path / "notes.txt").write_text("no photo")
    arrived = arriving(tmp_path, every=0.01)
    assert [next(arrived).name, next(arrived).name] == ["0.jpg", "1.jpg"]
    grows = tmp_path / "2.jpg"
    grows.write_bytes(b"half")
    write_photo(tmp_path / "3.jpg", photo(0))
    looks = []

    def meanwhile(_):
        looks.append(0)
        if len(looks) < 4:
            grows.write_bytes(b"half" * (len(looks) + 1))

    monkeypatch.setattr(watching.time, "sleep", meanwhile)
    assert [next(arrived).name, next(arrived).name] == ["3.jpg", "2.jpg"] and len(looks) >= 4


def test_a_folder_is_watched_until_ctrl_c(release, gallery, tmp_path):
    """Those that lie there first, then each that comes; a damaged one is told and does not end it."""
    folder = tmp_path / "incoming"
    write_photo(folder / "a.jpg", photo(0, 2))
    (folder / "b.jpg").write_bytes(b"\xff\xd8\xff nonsense")
    command = [Path(sys.executable).parent / "lrfr", "watch", folder, "--model", release, "--gallery", gallery, *FPIR]
    with subprocess.Popen([*command, "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            first, second = (json.loads(process.stdout.readline()) for _ in range(2))
            assert first["faces"][0]["name"] == "anna" and "damaged" in second["error"]
            write_photo(folder / "c.jpg", photo(50, 2))
            assert json.loads(process.stdout.readline())["faces"][0]["name"] is None
            process.send_signal(signal.SIGINT)
            assert process.wait(60) == 130
        finally:
            process.kill()


def test_a_folder_that_is_not_there_cannot_be_watched(lrfr, tmp_path):
    status, _, errors = lrfr("watch", tmp_path / "none", *FPIR)
    assert status == 1 and "no such folder to watch" in errors
