import html
import re

import numpy as np
import pyarrow.parquet as pq
import pytest

from lrfr import paths
from lrfr.errors import FaceTableError, ValidationFailedError
from lrfr.files import read_json
from lrfr.stages import validate
from tests.face_tables import VALIDATE, face, whole, write_params
from tests.pipeline_tables import TEST_SETS, Tables, sound_tables, write_sound_tables


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_params(evaluation_sets=TEST_SETS)
    return tmp_path


def written() -> list[bytes]:
    return [path.read_bytes() for path in (paths.VALIDATION_RESULT, paths.QUALITY_PAGE)]


def test_sound_data_passes_and_the_page_is_one_stable_offline_file(folder, capfd):
    write_sound_tables()
    validate.run()
    first = written()
    validate.run()
    assert written() == first
    assert read_json(paths.VALIDATION_RESULT)["success"] and read_json(paths.VALIDATION_PASSED) == {"success": True}
    page = paths.QUALITY_PAGE.read_text()
    assert "The data meets all 89" in page
    assert "No identity is in both train and test." in page
    assert not re.search(r"https?://|<script|<link rel=.stylesheet|@import", page)
    assert "".join(capfd.readouterr()) == ""
    assert {path.name for path in folder.iterdir()} == {"params.yaml", "annotations", "data", "metrics", "reports"}


def leaks(tables: Tables) -> None:
    benchmark, auxiliary = tables["benchmark"], tables["auxiliary"]
    next(row for row in benchmark if row["split"] == "probe")["identity"] = "n000"
    auxiliary[0]["identity"] = "n009"
    auxiliary[3]["face_id"] = benchmark[3]["face_id"]
    benchmark[-1] |= {key: benchmark[-2][key] for key in ("image", "width", "height")}
    benchmark[:] = [row for row in benchmark if (row["identity"], row["split"]) != ("n007", "gallery")]


def rows(tables: Tables) -> None:
    benchmark, auxiliary = tables["benchmark"], tables["auxiliary"]
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


def few(tables: Tables) -> None:
    benchmark = tables["benchmark"]
    benchmark[:] = [row for row in benchmark[:-15] if row["identity"] not in ("n000", "n001", "n008", "n009")]


def none(tables: Tables) -> None:
    tables["benchmark"].clear()


def photos(tables: Tables) -> None:
    tables["photos"][1]["photo_id"] = "photo 0"
    tables["photos"][2] |= {"collection": "summer", "width": -1, "height": -2}
    tables["tags"][1] |= {"photo_id": "nowhere", "box": [1.0, 2.0, 0.0, -3.0]}
    tables["truth"][1] |= {"photo_id": "nowhere", "box": [1.0, 2.0, float("nan"), -3.0]}


def curation(tables: Tables) -> None:
    used = tables["benchmark"]
    tables["excluded"][0]["attributes"] = []
    tables["excluded"].append(used[0] | {"attributes": [("reason", "boredom")]})
    tables["unrecognizable"].append(used[1])
    odd = {
        "face_id": used[2]["face_id"],
        "reason": "duplicate",
        "excluded": True,
        "copy_of": "nobody",
        "test_set": None,
    }
    tables["findings"].append(odd | {"kind": "similar", "similarity": 1.5, "across": "town"})
    tables["findings"].append(odd | {"excluded": False, "face_id": "lost"})


def manifests(tables: Tables) -> None:
    tables["manifests"] = [line for line in tables["manifests"] if line["manifest"] == "anna"]
    tables["manifests"][0]["face_id"] = "stranger"
    tables["manifests"][1]["verdict"] = "unrecognizable"
    tables["manifests"][2]["labeller"] = "boris"


def lists(tables: Tables) -> None:
    imported, trained = tables["imported"], tables["benchmark"][0]
    imported[0] |= {"source": trained["source"], "identity": trained["identity"]}
    imported[1] |= {"image": trained["image"], "split": "gallerie"}
    imported[2] |= {"width": 0, "height": 0}
    imported[3] |= {"width": 0, "height": 0, "attributes": [("missing", "lost"), ("template", "t3")]}
    imported[5]["face_id"] = imported[4]["face_id"]
    tables["pairs"][0] |= {"left": "someone", "same": False, "fold": -1}
    tables["pairs"][1]["right"] = "another"
    tables["enrolment"][0]["template"] = "t99"
    tables["enrolment"][1] |= {"role": "G3"}
    tables["enrolment"][3] |= {"template": "t2"}


def blanks(tables: Tables) -> None:
    for name in ("benchmark", "auxiliary", "excluded", "unrecognizable", "imported"):
        tables[name][0] |= {"face_id": None, "source": None}
    tables["photos"][0] |= {"photo_id": None, "source": None}
    tables["tags"][0]["identity"] = None
    tables["enrolment"][0]["identity"] = None
    tables["findings"][0]["reason"] = None
    tables["findings"][1]["reason"] = "boredom"


def portraits(tables: Tables) -> None:
    auxiliary, unused = tables["auxiliary"], tables["unrecognizable"]
    auxiliary[0] |= {"image": b"", "score": 2.0, "landmarks": [500.0] * 10, "split": None, "identity": None}
    auxiliary[1] |= {"score": float("inf"), "split": "probe", "face_id": auxiliary[2]["face_id"]}
    auxiliary[3]["height"] = 31
    for row in auxiliary[5:]:
        row |= {"identity": "a000", "split": "train"}
    tables["benchmark"][:] = [
        row for row in tables["benchmark"] if (row["identity"], row["split"]) != ("n007", "probe")
    ]
    auxiliary[4] |= {"identity": "alone", "split": "validation"}
    tables["unrecognizable"].append(unused[0])
    tables["excluded"].append(tables["excluded"][0])


def one_portrait_identity(tables: Tables) -> None:
    for row in tables["auxiliary"]:
        row["identity"] = "a000"


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
    blanks: {
        "Native faces: Every face has an id. Observed: 1 of 60 faces break it": "",
        "Native faces: Every face names its source. Observed: 1 of 60": "",
        "Auxiliary HR faces: Every face has an id. Observed: 1 of 30 faces break it": "",
        "Auxiliary HR faces: Every face names its source. Observed: 1 of 30": "",
        "Faces excluded: Every face has an id. Observed: 1 of 2": "",
        "Faces excluded: Every face names its source. Observed: 1 of 2": "",
        "Unrecognizable faces: Every face has an id. Observed: 1 of 1": "",
        "Unrecognizable faces: Every face names its source. Observed: 1 of 1": "",
        "Test set distractors, faces: Every face has an id. Observed: 1 of 6": "",
        "Test set distractors, faces: Every face names its source. Observed: 1 of 6": "",
        "Photos: Every photo has an id. Observed: 1 of 4": "",
        "Photos: Every photo names its source. Observed: 1 of 4": "",
        "Tags: Every tag has a name. Observed: 1 of 3": "",
        "Test set distractors, enrolment: Every template has an identity. Observed: 1 of 6": "",
        "Curation's findings: Every face has the reason why. Observed: 1 of 2": "",
        "Curation's findings: Every reason is one that curation knows. Observed: 1 of 2": "boredom",
    },
    portraits: {
        "Auxiliary HR faces: No face id stands twice. Observed: 2 of 30": "",
        "Auxiliary HR faces: Every image can be decoded and has the width and height of its row. Observed: 2 of": "",
        "Auxiliary HR faces: Every score, box and landmark is a number, if it is there. Observed: 1 of": "",
        "Auxiliary HR faces: Every detection score is 0 to 1. Observed: 2 of": "2.0",
        "Auxiliary HR faces: Every landmark lies in its face's crop, or near it. Observed: 2 of": "",
        "Auxiliary HR faces: Every face is at least 32 px high: low-resolution ones are made from it.": "31",
        "Auxiliary HR faces: Every face belongs to a split. Observed: 1 of": "",
        "Auxiliary HR faces: The splits are train and validation. Observed: 1 of": "probe",
        "Auxiliary HR faces: Every face has an identity. Observed: 1 of": "",
        "Every test identity has a probe face. Observed: 1 of 5": "n007",
        "Every auxiliary identity has a training face. Observed: 1 of 2": "alone",
        "Unrecognizable faces: No face id stands twice. Observed: 2 of 2": "",
        "Faces excluded: No face id stands twice. Observed: 2 of 3": "",
    },
    one_portrait_identity: {"There are at least 2 auxiliary identities. Observed: 1": ""},
    photos: {
        "No photo id stands twice. Observed: 2 of 4 photos break it": "photo 0",
        "Every photo is for native, auxiliary or unrecognizable faces. Observed: 1 of": "summer",
        "No photo has a negative width. Observed: 1 of": "-1",
        "No photo has a negative height. Observed: 1 of": "-2",
        "Every tag is in a photo that is there. Observed: 1 of 3 tags break it": "row 1 in nowhere",
        "Every tag's width is above 0 px. Observed: 1 of": "",
        "Every tag's height is above 0 px. Observed: 1 of": "-3",
        "Every face is in a photo that is there. Observed: 1 of 3 faces break it": "nowhere",
        "Every face's width is above 0 px. Observed: 1 of": "",
        "Every face's height is above 0 px. Observed: 1 of": "-3",
    },
    curation: {
        "None of these faces is in the benchmark or the auxiliary set. Observed: 1 of 3 faces break it": "",
        "None of these faces is in the benchmark or the auxiliary set. Observed: 1 of 2 faces break it": "",
        "Every face has the reason why. Observed: 1 of 3 faces break it": "",
        "Every reason is one that curation knows. Observed: 1 of": "boredom",
        "Every face is excluded if its finding says so, and stays if not. Observed: 2 of 4 findings break it": "lost",
        "Every copy copies a face that is there. Observed: 2 of": "nobody",
        "A copy is exact or near. Observed: 1 of": "similar",
        "It is known what every copy lies across. Observed: 1 of": "town",
        "Every copy's similarity is 0 to 1. Observed: 1 of": "1.5",
    },
    manifests: {
        "Every verdict is on a face that was detected. Observed: 1 of 3 lines break it": "anna.csv:2",
        "No face is in use that was judged to be no face, or unrecognizable. Observed: 1 of": "anna.csv:3",
        "A manifest has one labeller's verdicts, whose name it bears. Observed: 1 of": "boris",
    },
    lists: {
        "No face id stands twice. Observed: 2 of 6 faces break it": "",
        "Every face that is not missing has a width. Observed: 1 of": "",
        "Every face that is not missing has a height. Observed: 1 of": "",
        "A missing face is unreadable or shows no face. Observed: 1 of": "lost",
        "A face's split is train, probe, gallery or distractor. Observed: 1 of": "gallerie",
        "Nobody who is tested here is trained on. Observed: 1 of 6 faces break it": "test/n000",
        "No picture that is tested on is trained on. Observed: 1 of": "",
        "Every left side of a pair is a face or a template of the set. Observed: 1 of 5 pairs break it": "someone",
        "Every right side of a pair is a face or a template of the set. Observed: 2 of": "another",
        "There are pairs of one person and pairs of two. Observed: 1": "",
        "Every fold has a number from 0. Observed: 1 of": "-1",
        "Every template that is enrolled or looked for has a face. Observed: 1 of 6 templates break it": "t99",
        "No template stands twice in one role. Observed: 2 of": "G1 t2",
        "Every role is G1, G2 or probe. Observed: 1 of": "G3",
    },
}


TITLE = re.compile(r"^[^:.]*: (?=Every|The|No)")  # of a table, before what was expected of it


@pytest.mark.parametrize("change", BROKEN)
def test_broken_data_stops_with_plain_words_and_leaves_the_page(change):
    write_sound_tables(change)
    with pytest.raises(ValidationFailedError) as error:
        validate.run()
    assert "reports/quality.html" in str(error.value)
    page = html.unescape(paths.QUALITY_PAGE.read_text())
    for sentence, names in BROKEN[change].items():
        assert sentence in str(error.value)
        assert f"✗</span>\n      {TITLE.sub('', sentence.partition(' Observed')[0])}" in page
        assert names in page
    assert page.count("✗") == str(error.value).count("Observed") == _failed_expectations()


def _failed_expectations() -> int:
    result = read_json(paths.VALIDATION_RESULT)
    assert not result["success"]
    return sum(table["statistics"]["unsuccessful_expectations"] for table in result["tables"].values())


def test_a_hostile_name_is_text_in_the_page():
    def rename(tables: Tables) -> None:
        tables["benchmark"][-1]["identity"] = "<img src=x onerror=alert(1)>"

    write_sound_tables(rename)
    with pytest.raises(ValidationFailedError):
        validate.run()
    assert "<img" not in paths.QUALITY_PAGE.read_text()


def test_faces_without_landmarks_scores_and_boxes_pass():
    def strip(tables: Tables) -> None:
        for row in tables["benchmark"] + tables["auxiliary"]:
            row |= {"landmarks": None, "score": None, "box": None, "photo_id": None, "attributes": None}

    write_sound_tables(strip)
    validate.run()


def test_published_test_faces_that_curation_found_fault_with_are_not_held_against_the_benchmark():
    def publish(tables: Tables) -> None:
        copy, large = [row for row in tables["benchmark"] if row["split"] == "probe"][:2]
        copy |= {key: tables["benchmark"][0][key] for key in ("image", "width", "height")}
        large |= face(np.random.default_rng(5), "large", 40, identity=large["identity"], split="probe")
        finding = tables["findings"][0] | {"excluded": False}
        tables["findings"] += [
            finding | {"face_id": row["face_id"], "reason": reason}
            for row, reason in ((copy, "duplicate"), (large, "too_large"))
        ]

    write_sound_tables(publish)
    validate.run()
    assert "Of 2 published test faces that curation found fault with" in paths.QUALITY_PAGE.read_text()


def test_limits_come_from_the_parameters():
    big = face(np.random.default_rng(5), "big", 32, split="distractor")
    write_sound_tables(lambda tables: tables["benchmark"].append(big))
    validate.run()
    write_params(validate=VALIDATE | {"mean_height": [25, 26]}, evaluation_sets=TEST_SETS)
    with pytest.raises(ValidationFailedError, match="The mean height is 25 to 26 px"):
        validate.run()


def test_data_docs_are_an_extra_that_changes_nothing_else(folder):
    write_sound_tables()
    validate.run()
    first = written()
    assert not paths.DATA_DOCS.exists()
    validate.run(data_docs=True)
    assert written() == first
    assert (paths.DATA_DOCS / "index.html").is_file()
    assert {path.name for path in folder.iterdir()} == {"params.yaml", "annotations", "data", "metrics", "reports"}


def test_names_are_no_markup_in_data_docs():
    script = "<script>alert(1)</script>"

    def inject(tables: Tables) -> None:
        tables["manifests"][2]["labeller"] = script
        tables["benchmark"][0]["face_id"] = f'" onload=x {script}'
        tables["benchmark"][1]["face_id"] = tables["benchmark"][0]["face_id"]

    write_sound_tables(inject)
    with pytest.raises(ValidationFailedError):
        validate.run(data_docs=True)
    pages = [page.read_text() for page in paths.DATA_DOCS.rglob("*.html")]
    assert any("alert(1)" in page for page in pages)
    assert not any("<script>alert" in page or '" onload=x' in page for page in [*pages, paths.QUALITY_PAGE.read_text()])
    assert script in paths.VALIDATION_RESULT.read_text()


def test_a_missing_table_or_column_says_so():
    with pytest.raises(FaceTableError, match="missing"):
        validate.run()
    write_sound_tables()
    pq.write_table(whole(paths.BENCHMARK).drop_columns(["identity"]), paths.BENCHMARK)
    with pytest.raises(FaceTableError, match="columns are missing: identity"):
        validate.run()


def test_without_hr_faces_the_benchmark_is_checked_all_the_same():
    write_sound_tables(lambda tables: tables["auxiliary"].clear())
    validate.run()
    tables = read_json(paths.VALIDATION_RESULT)["tables"]
    assert "auxiliary" not in tables and tables["benchmark"]["success"]


def test_names_that_people_gave_are_those_of_the_benchmark():
    write_sound_tables()
    face = next(row for row in sound_tables()["benchmark"] if row["split"] == "train")
    paths.NAMES.mkdir(parents=True)
    manifest = paths.NAMES / "anna.csv"
    header = "face_id,identity,labeller,at,note\n"
    manifest.write_text(f"{header}{face['face_id']},{face['identity']},anna,2024-05-01,\n")
    validate.run()
    assert "Every name is that of a face that was detected." in paths.QUALITY_PAGE.read_text()
    manifest.write_text(f"{header}{face['face_id']},Mary,boris,2024-05-01,\nnobody,Ada,anna,2024-05-01,\n")
    with pytest.raises(ValidationFailedError) as error:
        validate.run()
    for sentence in ("Every name is that of a face that was detected. Observed: 1 of 2 lines break it",
                     "A manifest has the names that one labeller gave, whose name it bears. Observed: 1 of 2",
                     "Every face that people named has the name that they agree on. Observed: 1 of 2"):  # fmt: skip
        assert sentence in str(error.value)
