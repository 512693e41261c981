import html
import re

import numpy as np
import pyarrow.parquet as pq
import pytest

from lrfr import faces, paths
from lrfr.errors import FaceTableError, ValidationFailedError
from lrfr.files import read_json
from lrfr.stages import validate
from tests.face_tables import VALIDATE, face, write_params, write_split


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_params()
    return tmp_path


def written() -> list[bytes]:
    return [path.read_bytes() for path in (paths.VALIDATION_RESULT, paths.QUALITY_PAGE)]


def test_sound_data_passes_and_the_page_is_one_stable_offline_file(folder, capfd):
    write_split()
    validate.run()
    first = written()
    validate.run()
    assert written() == first
    assert read_json(paths.VALIDATION_RESULT)["success"]
    page = paths.QUALITY_PAGE.read_text()
    assert "The data meets all 3" in page
    assert "No identity is in both train and test." in page
    assert not re.search(r"https?://|<script|<link rel=.stylesheet|@import", page)
    assert "".join(capfd.readouterr()) == ""
    assert {path.name for path in folder.iterdir()} == {"params.yaml", "data", "reports"}


def leaks(benchmark: list[dict], auxiliary: list[dict]) -> None:
    next(row for row in benchmark if row["split"] == "probe")["identity"] = "n000"
    auxiliary[0]["identity"] = "n009"
    auxiliary[3]["face_id"] = benchmark[3]["face_id"]
    benchmark[-1] |= {key: benchmark[-2][key] for key in ("image", "width", "height")}
    benchmark[:] = [row for row in benchmark if (row["identity"], row["split"]) != ("n007", "gallery")]


def rows(benchmark: list[dict], auxiliary: list[dict]) -> None:
    benchmark[0]["identity"] = None
    benchmark[1]["split"] = "tset"
    benchmark[2]["split"] = None
    benchmark[4]["face_id"] = benchmark[3]["face_id"]
    benchmark[5]["score"] = 1.5
    benchmark[6]["score"] = float("nan")
    benchmark[7]["landmarks"] = [float("inf")] * 10
    benchmark[8]["landmarks"] = [90.0] * 10
    benchmark[9]["width"] = 9
    benchmark[10]["image"] = benchmark[10]["image"][:40]
    benchmark[11] |= {key: auxiliary[0][key] for key in ("image", "width", "height")}
    benchmark[-1]["identity"] = "x"


def few(benchmark: list[dict], auxiliary: list[dict]) -> None:
    benchmark[:] = [row for row in benchmark[:-15] if row["identity"] not in ("n000", "n001", "n008", "n009")]


def none(benchmark: list[dict], auxiliary: list[dict]) -> None:
    benchmark.clear()


BROKEN = {
    leaks: {
        "No identity is in both train and test. Observed: 1 of 5 identities break it, such as identity n000": "n000",
        "No test identity is in the auxiliary set. Observed: 1 of 6 identities break it": "n009",
        "Every test identity has a gallery face. Observed: 2 of 6 identities break it": "n007",
        "No face stands both here and in the benchmark. Observed: 1 of 30 faces break it": "",
        "No picture stands twice in the benchmark. Observed: 2 of 58 faces break it": "",
    },
    rows: {
        "Every training, probe and gallery face has an identity. Observed: 1 of": "",
        "The splits are train, probe, gallery and distractor. Observed: 1 of": "tset",
        "Every face belongs to a split. Observed: 1 of": "",
        "No face id stands twice. Observed: 2 of": "",
        "Every detection score is 0 to 1. Observed: 1 of": "1.5",
        "Every score, box and landmark is a number, if it is there. Observed: 2 of": "not a number in landmarks",
        "Every landmark lies in its face's crop, or near it. Observed: 1 of": "",
        "Every image can be decoded and has the width and height of its row. Observed: 2 of": "the row says 9 x",
        "Every face's width is 1 to 32 px. Observed: 1 of": "64",
        "Every face's height is 1 to 32 px. Observed: 1 of": "80",
        "No distractor has an identity. Observed: 1 of": "x",
    },
    few: {
        "There are at least 4 training identities. Observed: 3": "",
        "There are at least 4 test identities. Observed: 3": "",
        "There are at least 10 distractors. Observed: 5": "",
    },
    none: {
        "There are at least 4 training identities. Observed: 0": "",
        "The mean height is 12 to 26 px. Observed: nothing": "",
    },
}


@pytest.mark.parametrize("change", BROKEN)
def test_broken_data_stops_with_plain_words_and_leaves_the_page(change):
    write_split(change)
    with pytest.raises(ValidationFailedError) as error:
        validate.run()
    assert "reports/quality.html" in str(error.value)
    page = html.unescape(paths.QUALITY_PAGE.read_text())
    for sentence, names in BROKEN[change].items():
        assert sentence in str(error.value)
        assert f"✗</span>\n      {sentence.partition(' Observed')[0]}" in page
        assert names in page
    assert page.count("✗") == str(error.value).count("Observed") == _failed_expectations()


def _failed_expectations() -> int:
    result = read_json(paths.VALIDATION_RESULT)
    assert not result["success"]
    return sum(table["statistics"]["unsuccessful_expectations"] for table in result["tables"].values())


def test_a_hostile_name_is_text_in_the_page():
    def rename(benchmark: list[dict], auxiliary: list[dict]) -> None:
        benchmark[-1]["identity"] = "<img src=x onerror=alert(1)>"

    write_split(rename)
    with pytest.raises(ValidationFailedError):
        validate.run()
    assert "<img" not in paths.QUALITY_PAGE.read_text()


def test_faces_without_landmarks_scores_and_boxes_pass():
    def strip(benchmark: list[dict], auxiliary: list[dict]) -> None:
        for row in benchmark + auxiliary:
            row |= {"landmarks": None, "score": None, "box": None, "photo_id": None, "attributes": None}

    write_split(strip)
    validate.run()


def test_limits_come_from_the_parameters():
    write_split(
        lambda benchmark, auxiliary: benchmark.append(face(np.random.default_rng(5), "big", 32, split="distractor"))
    )
    validate.run()
    write_params(validate=VALIDATE | {"mean_height": [25, 26]})
    with pytest.raises(ValidationFailedError, match="The mean height is 25 to 26 px"):
        validate.run()


def test_data_docs_are_an_extra_that_changes_nothing_else(folder):
    write_split()
    validate.run()
    first = written()
    assert not paths.DATA_DOCS.exists()
    validate.run(data_docs=True)
    assert written() == first
    assert (paths.DATA_DOCS / "index.html").is_file()
    assert {path.name for path in folder.iterdir()} == {"params.yaml", "data", "reports"}


def test_a_missing_table_or_column_says_so():
    with pytest.raises(FaceTableError, match="missing"):
        validate.run()
    write_split()
    pq.write_table(faces.read_faces(paths.BENCHMARK).drop_columns(["identity"]), paths.BENCHMARK)
    with pytest.raises(FaceTableError, match="columns are missing: identity"):
        validate.run()
