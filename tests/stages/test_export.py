"""Faces as pictures in a folder, with a table of what is known of each."""

import csv
from pathlib import Path

import pyarrow as pa
import pytest
from typer.testing import CliRunner

from lrfr import cli, paths
from lrfr.embed.pictures import read_pictures
from lrfr.faces import FACE_SCHEMA, encode_png, write_faces
from tests.drawing import jpeg, portrait, write_params


def row(face_id, image, **known):
    return {"face_id": face_id, "source": "photo_folder", "image": image, "width": 30, "height": 30,
            "photo_id": "holiday/a.jpg", "box": [1, 2, 30, 30], "score": 0.9, "attributes": []} | known  # fmt: skip


IMAGES = [jpeg(portrait(30, 1)), encode_png(portrait(30, 2))]


@pytest.fixture(autouse=True)
def world(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_params()
    write_faces(pa.Table.from_pylist([row("a" * 20, IMAGES[0]), row("b" * 20, IMAGES[1], identity="Ada")], FACE_SCHEMA),
                paths.DETECTED_NATIVE)  # fmt: skip


def lrfr(*arguments):
    return CliRunner().invoke(cli.app, ["export", *arguments])


def table(folder="out"):
    with (Path(folder) / "faces.csv").open(newline="", encoding="utf-8") as lines:
        return list(csv.DictReader(lines))


def test_every_face_is_a_picture_as_it_was_captured_and_a_line():
    result = lrfr("out")
    assert (result.exit_code, "2 faces in out/faces" in result.output) == (0, True)
    rows = table()
    assert [(Path("out") / row["path"]).read_bytes() for row in rows] == IMAGES
    assert [Path(row["path"]).suffix for row in rows] == [".jpg", ".png"]
    first = rows[0]
    assert (first["photo_id"], first["x"], first["y"], first["width"], first["identity"]) == (
        "holiday/a.jpg",
        "1.0",
        "2.0",
        "30",
        "",
    )
    assert (first["verdict"], first["excluded"], first["split"]) == ("", "", "")


def test_what_people_and_stages_said_goes_along():
    for folder, header, line in ((paths.NAMES, "identity", "Mary"), (paths.VERDICTS, "verdict", "face")):
        folder.mkdir(parents=True)
        text = f"face_id,{header},labeller,at,note\n{'a' * 20},{line},anna,2024-05-01,\n"
        (folder / "anna.csv").write_text(text)
    aside = row("b" * 20, IMAGES[1], attributes=[("reason", "duplicate")])
    write_faces(pa.Table.from_pylist([aside], FACE_SCHEMA), paths.EXCLUDED)
    write_faces(pa.Table.from_pylist([row("a" * 20, IMAGES[0], split="probe")], FACE_SCHEMA), paths.BENCHMARK)
    lrfr("out")
    told = [(row["identity"], row["verdict"], row["excluded"], row["split"]) for row in table()]
    assert told == [("Mary", "face", "", "probe"), ("Ada", "", "duplicate", "")]
    listed = read_pictures(Path("out/faces.csv"))
    assert listed.columns["identity"].to_pylist() == ["Mary", "Ada"], "the table is a list for lrfr embed"


def test_nothing_is_written_over():
    Path("out").mkdir()
    assert lrfr("out").exit_code == 0
    before = Path("out/faces.csv").read_bytes()
    result = lrfr("out")
    assert (result.exit_code, "the folder is not empty" in result.stderr) == (1, True)
    assert Path("out/faces.csv").read_bytes() == before
    assert "this is a file" in lrfr("out/faces.csv").stderr


def test_without_faces_it_says_what_to_do():
    write_faces(FACE_SCHEMA.empty_table(), paths.DETECTED_NATIVE)
    assert "none was detected" in lrfr("out").stderr
    paths.DETECTED_NATIVE.unlink()
    result = lrfr("out")
    assert (result.exit_code, "dvc repro detect" in result.stderr, Path("out").exists()) == (1, True, False)
