"""The card stage: the same facts for people, as a page and as Markdown, and for machines."""

import html
import json
import re
import socket
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from lrfr import paths
from lrfr.card import croissant
from lrfr.card import page as pages
from lrfr.card.facts import read_facts
from lrfr.config import read_params
from lrfr.errors import ParameterError, ResultError
from lrfr.files import read_json, write_json
from lrfr.parameter_files import composed
from lrfr.stages import card, validate
from tests.face_tables import write_params
from tests.pipeline_tables import TEST_SETS, Tables, write_sound_tables

PROJECT = Path(__file__).parents[2]
HOSTILE = "<b>bold</b> | *stars*"


def published(tables: Tables) -> None:
    """A source with licences and demographics, a copy between test sets, and a face that nobody can open."""
    for number, row in enumerate(tables["auxiliary"]):
        row["source"] = "celebrities"
        row["attributes"] = [("licence", "research only"), ("Male", "yes" if number % 3 else "no")]
    tables["benchmark"][0]["source"] = HOSTILE
    tables["imported"][0]["attributes"].append(("missing", "unreadable"))
    probe = next(row for row in tables["benchmark"] if row["split"] == "probe")
    copy = tables["findings"][0] | {"face_id": probe["face_id"], "excluded": False, "reason": "duplicate"}
    original = {"copy_of": tables["imported"][1]["face_id"], "test_set": "distractors", "kind": "near"}
    tables["findings"].append(copy | original | {"similarity": 0.99, "across": "unnamed"})


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("card")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        write_params(evaluation_sets=TEST_SETS)
        write_sound_tables(published)
        validate.run()
        card.run()
        yield folder


@pytest.fixture
def page(folder) -> str:
    return html.unescape(paths.DATA_CARD.read_text())


@pytest.fixture
def tables(folder) -> dict[str, list[list[str]]]:
    """The tables of the Markdown by their first title, without the line of titles."""
    found: dict[str, list[list[str]]] = {}
    for lines in re.findall(r"(?:^\|.*\n)+", paths.DATA_CARD_TEXT.read_text(), re.MULTILINE):
        rows = [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines.splitlines()]
        assert len({len(row) for row in rows}) == 1
        found[rows[0][0]] = rows[2:]
    return found


def test_the_page_needs_no_network_and_no_script_and_is_the_same_each_time(folder, page):
    assert not re.search(r"<script|<link rel=.stylesheet|@import|<img|url\(|(?:href|src)=.?https?:", page)
    assert page.count("<svg") == 1 and page.count("<h2>") == 7
    links = set(re.findall(r'href="#([^"]+)"', page))
    assert links == set(re.findall(r'<section id="([^"]+)"', page))
    written = [path.read_bytes() for path in (paths.DATA_CARD, paths.DATA_CARD_TEXT, paths.CROISSANT)]
    card.run()
    assert written == [path.read_bytes() for path in (paths.DATA_CARD, paths.DATA_CARD_TEXT, paths.CROISSANT)]


def test_its_tables_1_and_2_have_this_benchmark_beside_the_published_ones(tables):
    heights = pq.read_table(paths.BENCHMARK)["height"].to_numpy()
    assert tables["Benchmark"][-2:] == [
        ["TinyFace", "20", "5,139", "169,403"],
        ["This run", f"{heights.mean():.1f}", "10", "60"],
    ]
    assert tables["Data"][:2] == [
        ["This run, identities", "10", "5", "5", "5", "unknown"],
        ["This run, images", "60", "20", "10", "10", "20"],
    ]
    assert sum(int(count) for _, count in tables["Height, px"]) == 60


def test_it_has_the_sources_their_licences_and_whom_they_show(tables):
    assert ["celebrities", "auxiliary", "30", "6", "research only"] in tables["Source"]
    assert ["test", "benchmark", "59", "10", "see Distribution"] in tables["Source"]
    assert tables["Test set"] == [
        ["distractors", "generated\\_distractors", "6", "3", "5", "6", "1", "0", "not stated"]
    ]
    assert tables["Part"] == [["auxiliary", "Male", "no", "10"], ["auxiliary", "Male", "yes", "20"]]


def test_it_tells_how_the_faces_were_verified_cleaned_and_parted(page, tables):
    assert (
        "3 faces were verified, 3 adjudicated. Labellers: 1, of them people: 1" in page
    )  # an adjudicator only settles
    assert tables["Labeller"] == [["anna", "person", "2", "1", "0", "0"]]
    assert ["duplicate", "a copy of a face that stays", "0", "1"] in tables["Reason"]
    assert ["not image", "never became a face", "1", "0"] in tables["Reason"]
    assert tables["Reason"][-1] == ["all", "", "3", "1"]
    assert tables["Between"] == [["faces that have no names to compare", "0", "1"]]
    proof = {row[1]: row[2] for row in tables["Where"]}
    assert proof["No identity is in both train and test."] == "it holds for all 5 identities"
    assert proof["Nobody who is tested here is trained on."] == "it holds for all 6 faces"


def test_a_hostile_name_is_text(folder, page):
    assert HOSTILE not in paths.DATA_CARD.read_text() and HOSTILE in page
    assert r"\<b\>bold\</b\> \| \*stars\*" in paths.DATA_CARD_TEXT.read_text()


@pytest.fixture
def dataset(folder, monkeypatch):
    """What mlcroissant makes of the description, without a network."""
    monkeypatch.setattr(socket.socket, "connect", lambda *_: pytest.fail("it went to the network"))
    import mlcroissant

    return mlcroissant.Dataset(jsonld=paths.CROISSANT)


def test_mlcroissant_finds_nothing_to_complain_about_and_reads_the_faces(dataset):
    issues = dataset.metadata.ctx.issues
    assert not issues.errors and not issues.warnings
    for path in (paths.BENCHMARK, paths.AUXILIARY):
        rows, table = pq.read_table(path).to_pylist(), path.stem
        records = list(dataset.records(table))
        assert len(records) == len(rows)
        for record, row in zip(records, rows, strict=True):
            found = {name.removeprefix(f"{table}/"): value for name, value in record.items()}
            assert found.keys() == row.keys()
            assert found["image"].size == (row["width"], row["height"])
            for name in ("face_id", "identity", "split"):
                assert found[name] == (row[name] and row[name].encode())
            for name in ("width", "height", "box", "landmarks", "score"):
                assert found[name] == row[name]
            assert [
                (part[f"{table}/attributes/name"].decode(), part[f"{table}/attributes/value"].decode())
                for part in found["attributes"]
            ] == row["attributes"]


def test_a_file_that_was_changed_since_is_found_by_its_digest(dataset):
    whole = paths.AUXILIARY.read_bytes()
    try:
        paths.AUXILIARY.write_bytes(whole + b" ")
        with pytest.raises(Exception, match=r"Download\(auxiliary.parquet\)") as error:
            next(iter(dataset.records("auxiliary")))
        assert "not identical" in str(error.value.__cause__)
    finally:
        paths.AUXILIARY.write_bytes(whole)


@pytest.mark.parametrize("params", ["params.yaml", "params/lfw.yaml", "params/tinyface.yaml", "params/paper-tc.yaml"])
def test_the_card_of_every_parameter_file_is_valid_croissant(folder, tmp_path, params):
    import mlcroissant

    facts = read_facts(read_params())
    complete = tmp_path / "complete.yaml"
    complete.write_text(composed(PROJECT / params), encoding="utf-8")
    own = read_params(complete).card
    described = croissant.describe(replace(facts, params=facts.params.model_copy(update={"card": own})))
    issues = mlcroissant.Dataset(jsonld=described).metadata.ctx.issues
    assert not issues.errors and not issues.warnings
    assert {"rai:dataCollection", "rai:dataAnnotationProtocol", "rai:personalSensitiveInformation"} <= described.keys()


def test_data_that_failed_its_expectations_gets_no_card(folder):
    result = read_json(paths.VALIDATION_RESULT)
    try:
        write_json(paths.VALIDATION_RESULT, result | {"success": False})
        with pytest.raises(ResultError, match="does not meet its expectations"):
            card.run()
    finally:
        write_json(paths.VALIDATION_RESULT, result)


def told_with(folder, detection=None, people=True) -> str:
    """The Markdown card of the same faces that came otherwise, and the Croissant description, as one text."""
    facts = read_facts(read_params())
    facts = replace(facts, detection=facts.detection | (detection or {}))
    if not people:
        facts = replace(facts, people=[], simulated=[], labellers={"agreement": None, "on_gold": {}})
    return pages.markdown(facts) + json.dumps(croissant.describe(facts))


NO_PHOTOS = {"native": 0, "auxiliary": 0, "unrecognizable": 0, "unreadable": 0, "without_face": 0}


def test_faces_that_came_cut_were_found_by_nobody(folder):
    cut = {"photos": NO_PHOTOS, "faces": dict.fromkeys(("native", "auxiliary"), 0)}
    told = told_with(folder, cut | {"already_cut": {"native": 200, "auxiliary": 30}})
    assert "MTCNN" not in told and "-200" not in told and " 0 photos" not in told
    assert "200 faces came cut and stay as they are" in told and "which came already cut" in told
    assert "faces that the detector did not find" not in told


def test_faces_of_both_kinds_are_counted_each(folder):
    told = told_with(folder, {"already_cut": {"native": 200, "auxiliary": 0}})
    assert "MTCNN found 60 faces in 4 photos; 200 faces came cut and stay as they are." in told
    assert "found in 4 photos or which came already cut" in told


def test_nothing_is_said_of_verification_that_was_none(folder):
    told = told_with(folder, people=False)
    assert "Nobody verified faces here" in told
    assert "Each labeller says" not in told and "annotatorDemographics" not in told and "lrfr review" not in told


def test_a_card_of_generated_people_is_refused_for_others(folder):
    params = read_params()
    acquire = params.acquire.model_copy(update={"source": "photo_folder"})
    with pytest.raises(ParameterError, match="speaks of generated people"):
        read_facts(params.model_copy(update={"acquire": acquire}))
