"""Faces and verdicts to Label Studio and back."""

import base64
import json
import os
import re
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from typer.testing import CliRunner

from lrfr import cli, paths
from lrfr.core.verdicts import VERDICTS, parse
from lrfr.faces import FACE_SCHEMA, decode, write_faces
from tests.drawing import write_params
from tests.review.conftest import FACES, rows

EXPORT = ("verdicts", "export", "--to", "label-studio", "tasks.json")
IMPORT = ("verdicts", "import", "--from", "label-studio", "export.json", "--labeller", "lena")


def lrfr(*arguments):
    return CliRunner().invoke(cli.app, arguments)


def annotation(verdict, who=1, note=None, at="2024-05-01T09:30:00.123456Z", **fields):
    """As Label Studio writes it."""
    result = [{"id": "x1", "from_name": "verdict", "to_name": "image", "type": "choices", "origin": "manual",
               "value": {"choices": [verdict]}}]  # fmt: skip
    if note:
        result.append({"from_name": "note", "to_name": "image", "type": "textarea", "value": {"text": [note]}})
    known = {"id": 7, "was_cancelled": False, "completed_by": who, "created_at": "2024-05-01T09:00:00Z"}
    return known | {"updated_at": at, "result": result, "lead_time": 2.5} | fields


def annotate(*judged):
    """Writes what Label Studio exports after some people judged the exported tasks: (place, annotation) each."""
    tasks = json.loads(Path("tasks.json").read_text())
    for place, made in judged:
        tasks[place].setdefault("annotations", []).append(made)
    Path("export.json").write_text(json.dumps([{"id": n} | task for n, task in enumerate(tasks)]))
    return [task["data"]["face_id"] for task in tasks]


def said(labeller="lena"):
    path = paths.VERDICTS / f"{labeller}.csv"
    return [(line.face_id, line.verdict, line.note, line.labeller) for line in parse(path.read_text(), labeller, path)]


def test_what_is_labelled_there_comes_back_once(project):
    assert lrfr(*EXPORT).exit_code == 0
    ids = annotate(
        (0, annotation("not_face", note='a  leaf,\n"green"')),
        (1, annotation("face", at="2024-05-01T09:31:00Z")),
        (2, annotation("unsure", was_cancelled=True)),
        (0, annotation("unrecognizable", at="2024-05-01T10:00:00Z")),
    )
    expected = [
        (ids[0], "not_face", 'a leaf, "green"', "lena"),
        (ids[1], "face", "", "lena"),
        (ids[0], "unrecognizable", "", "lena"),
    ]
    assert "3 verdicts appended" in lrfr(*IMPORT).output
    before = (paths.VERDICTS / "lena.csv").read_bytes()
    assert said() == expected
    assert "0 verdicts appended to annotations/verdicts/lena.csv; 3 were there already" in lrfr(*IMPORT).output
    assert (paths.VERDICTS / "lena.csv").read_bytes() == before
    annotate((3, annotation("face")), (0, annotation("not_face", note='a leaf, "green"')))
    assert "1 verdicts appended" in lrfr(*IMPORT).output
    assert (paths.VERDICTS / "lena.csv").read_bytes().startswith(before)
    assert len(said()) == 4


def test_a_task_shows_the_face_by_the_configuration(project):
    result = lrfr(*EXPORT)
    assert f"{FACES} faces in tasks.json; the labelling configuration is tasks.xml" in result.output
    config = ET.parse("tasks.xml").getroot()
    assert [choice.get("value") for choice in config.find("Choices")] == list(VERDICTS)
    image = config.find("Image")
    source = {row["face_id"]: row for row in rows()}
    tasks = json.loads(Path("tasks.json").read_text())
    assert {task["data"]["face_id"] for task in tasks} == set(source)
    for task in tasks:
        kind, _, content = task["data"][image.get("value").removeprefix("$")].partition(",")
        row = source[task["data"]["face_id"]]
        assert kind == "data:image/png;base64"
        assert np.array_equal(decode(base64.b64decode(content)), decode(row["image"]))
        assert (task["data"]["width"], task["data"]["identity"]) == (row["width"], row["identity"])
        assert task["predictions"] == []


def test_verdicts_go_along_as_predictions_only_when_asked_and_never_come_back(project):
    paths.VERDICTS.mkdir(parents=True)
    line = "f01,not_face,anna,2024-05-01,a leaf\n"
    (paths.VERDICTS / "anna.csv").write_text(f"face_id,verdict,labeller,at,note\n{line}")
    lrfr(*EXPORT, "--with-verdicts")
    tasks = {task["data"]["face_id"]: task for task in json.loads(Path("tasks.json").read_text())}
    (prediction,) = tasks["f01"]["predictions"]
    assert prediction["model_version"] == "anna"
    assert [part["value"] for part in prediction["result"]] == [{"choices": ["not_face"]}, {"text": ["a leaf"]}]
    assert not tasks["f02"]["predictions"]
    annotate()
    result = lrfr(*IMPORT)
    assert result.exit_code == 1 and "the tasks have predictions alone" in result.stderr
    assert not (paths.VERDICTS / "lena.csv").exists()


def test_a_picture_that_cannot_be_read_is_left_out_and_said(project):
    made = rows()
    made[4]["image"] = b"torn"
    write_faces(pa.Table.from_pylist(made, FACE_SCHEMA), paths.DETECTED_NATIVE)
    assert "1 faces whose picture cannot be read were left out" in lrfr(*EXPORT).output
    assert len(json.loads(Path("tasks.json").read_text())) == FACES - 1


def test_two_people_never_become_one_labeller(project):
    lrfr(*EXPORT)
    ids = annotate((0, annotation("face", {"id": 3, "email": "lena@example.org"})), (1, annotation("not_face", 4)))
    result = lrfr(*IMPORT)
    assert result.exit_code == 1 and "2 people annotated: 4, lena@example.org" in result.stderr
    assert not (paths.VERDICTS / "lena.csv").exists()
    assert "annotated nothing" in lrfr(*IMPORT, "--completed-by", "mia").stderr
    assert "1 verdicts appended" in lrfr(*IMPORT, "--completed-by", "4").output
    assert said() == [(ids[1], "not_face", "", "lena")]


FACE = {"data": {"face_id": "f00"}}
NOTHING = {
    "an old export": ([FACE | {"completions": [annotation("face")]}], "completions(.|\n)*current Label Studio"),
    "the tasks themselves": ([FACE], "the tasks as they were exported(.|\n)*annotate"),
    "skipped ones": (
        [FACE | {"annotations": [annotation("face", was_cancelled=True)]}],
        "all 1 annotations were cancelled",
    ),
    "no task": ([], "none of 0 tasks has an annotation: it has no task"),
}


@pytest.mark.parametrize(("exported", "message"), NOTHING.values(), ids=NOTHING)
def test_where_nothing_can_be_appended_it_says_why(project, exported, message):
    Path("export.json").write_text(json.dumps(exported))
    result = lrfr(*IMPORT)
    assert result.exit_code == 1 and re.search(message, result.stderr) and "export.json" in result.stderr
    assert not (paths.VERDICTS / "lena.csv").exists()


def test_where_no_face_awaits_a_verdict_no_tasks_are_written(project):
    write_params(curate={"max_side": 5})
    result = lrfr(*EXPORT)
    assert result.exit_code == 1 and "90 are larger than curate.max_side (5 px)" in result.stderr
    assert not Path("tasks.json").exists()


@pytest.mark.parametrize(
    ("exported", "message"),
    [
        ("{", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ([None], "no list of annotations"),
        ('{"id": 1}', "no list of tasks"),
        ('[{"id": 1, "image": "x", "verdict": "face"}]', "JSON-MIN"),
        ('[{"data": {"image": "x"}, "annotations": []}]', "task 1(.|\n)*lrfr verdicts export"),
        ([annotation("maybe")], "chooses 'maybe'(.|\n)*unrecognizable"),
        ([annotation("face") | {"result": []}], "chooses nothing"),
        ([annotation("face") | {"result": None}], "result cannot be read"),
        ([annotation("face") | {"updated_at": None, "created_at": None}], "has no time"),
    ],
)
def test_what_cannot_be_right_is_refused_whole(project, exported, message):
    if isinstance(exported, list):
        task = {"data": {"face_id": "f00"}, "annotations": [annotation("face"), *exported]}
        exported = json.dumps([task])
    Path("export.json").write_text(exported)
    result = lrfr(*IMPORT)
    assert result.exit_code == 1
    assert re.search(message, result.stderr)
    assert "export.json" in result.stderr
    assert not (paths.VERDICTS / "lena.csv").exists()


def test_a_person_is_one_however_the_number_is_written(project):
    assert lrfr(*EXPORT).exit_code == 0
    annotate((0, annotation("face", who=11)), (1, annotation("face", who=11.0)), (2, annotation("face", who="11")))
    assert lrfr(*IMPORT, "--completed-by", "11.0").exit_code == 0
    assert len(said()) == 3


def test_nobody_is_called_nan_and_no_key_counts_twice(project):
    assert lrfr(*EXPORT).exit_code == 0
    annotate((0, annotation("face", who=float("nan"))))
    result = lrfr(*IMPORT)
    assert result.exit_code == 1 and "is by nobody: nan is no name" in result.stderr
    annotate((0, annotation("face")))
    text = Path("export.json").read_text()
    Path("export.json").write_text(text.replace('"was_cancelled"', '"was_cancelled": true, "was_cancelled"'))
    result = lrfr(*IMPORT)
    assert result.exit_code == 1 and "the key 'was_cancelled' stands twice" in result.stderr


def test_a_face_that_was_not_detected_is_refused(project):
    task = {"data": {"face_id": "elsewhere"}, "annotations": [annotation("face")]}
    Path("export.json").write_text(json.dumps([task]))
    result = lrfr(*IMPORT)
    assert result.exit_code == 1 and "such as elsewhere" in result.stderr


def test_a_file_that_is_not_there_is_said(project):
    result = lrfr(*IMPORT)
    assert result.exit_code == 1 and "export.json" in result.stderr and "Traceback" not in result.stderr


@pytest.mark.parametrize("name", ["tasks.xml", "pipe", "."])
def test_tasks_need_a_file_and_their_configuration_another_one(project, name):
    os.mkfifo("pipe")
    before = sorted(Path().iterdir())
    result = lrfr("verdicts", "export", "--to", "label-studio", name)
    assert result.exit_code == 1 and "Traceback" not in result.output
    assert "the tasks need a file" in result.stderr
    assert sorted(Path().iterdir()) == before
