"""The expectations on what was made of other faces: sound tables pass, each broken one stops with plain words."""

import html
import re

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lrfr import faces, paths
from lrfr.errors import FaceTableError, ValidationFailedError
from lrfr.files import read_json
from lrfr.stages import synlr, synthesize, validate_synthetic
from tests.face_tables import face, split_rows, whole, write_params, write_split

Tables = dict[str, list[dict]]
PLACES = {
    "synlr": paths.SYNLR,
    "downsample": paths.synthetic("downsample"),
    "photographic": paths.synthetic("photographic"),
    "benchmark": paths.BENCHMARK,
    "auxiliary": paths.AUXILIARY,
    "people": paths.test_set("people"),
}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The rows of every table, those that the stages make included; HR faces suffice for all but two distractors."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("made"))
        write_params(synlr={"faces": "people"})
        write_split()
        rng = np.random.default_rng(1)
        named = [(n, shot) for n in range(5) for shot in range(5)]
        shown = [face(rng, f"h{n} {shot}", 80, source="people", identity=f"h{n}") for n, shot in named]
        shown += [face(rng, f"s{n}", 80, source="people") for n in range(18)]
        shown.append(face(rng, "small", 12, source="people", identity="h0"))
        faces.write_faces(pa.Table.from_pylist(shown, faces.FACE_SCHEMA), paths.test_set("people"))
        synlr.run()
        for name in ("downsample", "photographic"):
            synthesize.run(name)
        return {name: whole(path) for name, path in PLACES.items()}


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_params(synlr={"faces": "people"})


def write(made: dict[str, pa.Table], change=lambda tables: None) -> None:
    tables = {name: table.to_pylist() for name, table in made.items()}
    change(tables)
    for name, path in PLACES.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        nullable = pa.schema([field.with_nullable(True) for field in faces.FACE_SCHEMA])
        pq.write_table(pa.Table.from_pylist(tables[name], nullable), path)


def written() -> list[bytes]:
    return [
        path.read_bytes() for path in (paths.SYNLR_VALIDATION, paths.SYNTHETIC_VALIDATION, paths.SYNTHETIC_QUALITY_PAGE)
    ]


def test_sound_tables_pass_and_the_page_is_one_stable_offline_file(made):
    write(made)
    validate_synthetic.run()
    first = written()
    validate_synthetic.run()
    assert written() == first
    results = [read_json(path) for path in (paths.SYNLR_VALIDATION, paths.SYNTHETIC_VALIDATION)]
    assert all(result["success"] for result in results)
    assert [list(result["tables"]) for result in results] == [
        ["synlr", "synlr-identities"],
        ["synthetic-downsample", "synthetic-photographic"],
    ]
    page = paths.SYNTHETIC_QUALITY_PAGE.read_text()
    assert "The data meets all 65 expectations." in page
    assert "2 native test faces have no stand-in" in page
    assert re.search(r"SynLR, probe</th>\s*<td class=.number.>10</td>\s*<td class=.number.>5</td>", page)
    assert not re.search(r"https?://|<script|<link rel=.stylesheet|@import", page)
    assert {'"quality.html"', '"index.html"'} <= set(re.findall(r'href=("[a-z_]+\.html")', page))


def test_another_synthesizers_faces_change_nothing_about_the_synlr(made):
    write(made)
    validate_synthetic.run()
    first = written()
    write_params(synlr={"faces": "people"}, synthesizers={"downsample": {}})
    validate_synthetic.run()
    assert written()[0] == first[0]
    assert written()[1] != first[1]


def attributes(row: dict, **changes: str | None) -> None:
    known = dict(row["attributes"]) | changes
    row["attributes"] = [(name, value) for name, value in known.items() if value is not None]


def part(tables: Tables, split: str) -> list[dict]:
    return [row for row in tables["synlr"] if row["split"] == split]


def synlr_of_others(tables: Tables) -> None:
    probes, gallery, distractors = (part(tables, split) for split in ("probe", "gallery", "distractor"))
    attributes(probes[0], native_face_id="nobody")
    attributes(probes[1], hr_face_id=None)
    attributes(probes[2], native_face_id=dict(probes[3]["attributes"])["native_face_id"])
    attributes(distractors[0], hr_face_id=dict(distractors[1]["attributes"])["hr_face_id"])
    gallery[0]["split"] = "probe"
    gallery[1]["identity"] = "somebody"
    distractors[2]["identity"] = "h9"
    distractors[3]["landmarks"] = None
    gallery[2]["landmarks"] = [value + 0.5 for value in gallery[2]["landmarks"]]


def synlr_of_other_size(tables: Tables) -> None:
    rows = tables["synlr"]
    rows[0] |= {key: tables["people"][0][key] for key in ("image", "width", "height")}
    rows[1]["image"] = b"torn"
    rows[2] |= {"score": 1.5}
    rows[3] |= {"score": float("nan")}
    rows[4]["face_id"] = rows[5]["face_id"]
    rows[6] |= {"face_id": None, "source": None}


def synlr_without_some(tables: Tables) -> None:
    lost = part(tables, "distractor")[0], part(tables, "probe")[0]
    tables["synlr"] = [row for row in tables["synlr"] if row not in lost]


def synlr_of_few(tables: Tables) -> None:
    tables["synlr"] = [row for row in part(tables, "gallery") if row["identity"] == "h1"] + part(tables, "distractor")


def synlr_of_probes(tables: Tables) -> None:
    tables["synlr"] = [row for row in tables["synlr"] if row["split"] != "gallery"]


def synlr_with_two_roles(tables: Tables) -> None:
    """Two people have each a probe that stands in for the other's native identity."""
    one, other = (next(row for row in part(tables, "probe") if row["identity"] == who) for who in ("h0", "h1"))
    mine, theirs = dict(one["attributes"])["native_face_id"], dict(other["attributes"])["native_face_id"]
    attributes(one, native_face_id=theirs)
    attributes(other, native_face_id=mine)


def synlr_that_is_trained_on(tables: Tables) -> None:
    used, people = tables["auxiliary"][0], {row["face_id"]: row for row in tables["people"]}
    probe, distractor = part(tables, "probe")[0], part(tables, "distractor")[0]
    people[dict(probe["attributes"])["hr_face_id"]] |= {"image": used["image"]}
    people[dict(distractor["attributes"])["hr_face_id"]] |= {"source": used["source"], "identity": used["identity"]}


def synthetic_of_others(tables: Tables) -> None:
    rows, test = tables["downsample"], next(row for row in tables["benchmark"] if row["split"] == "probe")
    attributes(rows[0], hr_face_id="nobody")
    attributes(rows[1], hr_face_id=None, synthesizer=None)
    attributes(rows[2], hr_face_id=dict(rows[3]["attributes"])["hr_face_id"])
    attributes(rows[4], synthesizer="photographic")
    rows[5]["identity"] = test["identity"]
    rows[6]["split"] = "validation" if rows[6]["split"] == "train" else "train"
    rows[7]["source"] = "elsewhere"
    rows[8]["landmarks"] = [value - 0.5 for value in rows[8]["landmarks"]]


def synthetic_of_other_size(tables: Tables) -> None:
    rng, rows = np.random.default_rng(3), tables["photographic"]
    for row, height in zip(rows, (40, 9, rows[2]["height"]), strict=False):
        row |= {key: face(rng, "x", height)[key] for key in ("image", "width", "height")}
    wide = faces.decode(rows[2]["image"]).repeat(2, axis=1)
    rows[2] |= {"image": faces.encode_png(wide), "width": wide.shape[1]}


def synthetic_rows(tables: Tables) -> None:
    rows = tables["photographic"]
    rows[0]["image"] = rows[0]["image"][:40]
    rows[1]["score"] = -0.5
    rows[2]["landmarks"] = [float("nan")] * 10
    rows[3]["face_id"] = rows[4]["face_id"]
    rows[5] |= {"face_id": None, "source": None}


def synthetic_without_some(tables: Tables) -> None:
    del tables["downsample"][7]


def synthetic_of_a_collapsed_network(tables: Tables) -> None:
    for row in tables["photographic"]:
        pixels = np.full((row["height"], row["width"], 3), 127, np.uint8)
        row["image"] = faces.encode_png(pixels)


SYNLR, PEOPLE, DOWN, PHOTO = (
    "SynLR, faces: ",
    "SynLR, identities: ",
    "Synthetic faces, downsample: ",
    "Synthetic faces, photographic: ",
)
BROKEN = {
    synlr_of_others: {
        SYNLR + "Every face stands in for a native test face that is there. Observed: 1 of 38 faces": "nobody",
        SYNLR + "Every face is made of an HR face that is there. Observed: 1 of": "none named",
        SYNLR + "No native face has two stand-ins. Observed: 2 of": "",
        SYNLR + "No HR face is used twice. Observed: 2 of": "",
        SYNLR
        + "Every face is probe, gallery or distractor as its native face is. Observed: 1 of": "native one gallery",
        SYNLR + "Every probe and gallery face has the identity of its HR face, and no distractor": "somebody, not h",
        SYNLR + "Every landmark lies where its HR face has it, shrunk with the image. Observed: 2 of": "inf",
    },
    synlr_of_other_size: {
        SYNLR + "Every face's height is": "80",
        SYNLR + "Every face's width is": "64",
        SYNLR + "Every image can be decoded and has the width and height of its row. Observed: 1 of": "",
        SYNLR + "Every detection score is 0 to 1. Observed: 1 of": "1.5",
        SYNLR + "Every score, box and landmark is a number, if it is there. Observed: 1 of": "score",
        SYNLR + "No face id stands twice. Observed: 2 of": "",
        SYNLR + "Every face has an id. Observed: 1 of": "",
        SYNLR + "Every face names its source. Observed: 1 of": "",
    },
    synlr_without_some: {
        SYNLR + "There are 18 distractors, all that the HR faces suffice for. Observed: 17": "",
        PEOPLE + "Every identity has as many faces as the native one, or all that there are of it in HR.": "h",
    },
    synlr_of_few: {
        PEOPLE + "There are 5 identities, all that the HR faces suffice for. Observed: 1": "",
        PEOPLE + "There are at least 2 identities to tell apart. Observed: 1": "",
        PEOPLE + "Every identity has a probe face. Observed: 1 of 1 identities": "h1",
    },
    synlr_of_probes: {PEOPLE + "Every identity has a gallery face. Observed: 5 of 5 identities": ""},
    synlr_with_two_roles: {
        PEOPLE + "Every identity plays one native identity. Observed: 2 of 5 identities": "",
        PEOPLE + "No native identity is played by two. Observed: 2 of": "",
    },
    synlr_that_is_trained_on: {
        SYNLR + "Nobody in the SynLR set is trained on. Observed: 1 of": "test/a000",
        SYNLR + "No picture that the SynLR set is made of is trained on. Observed: 1 of": "",
    },
    synthetic_of_others: {
        DOWN + "Every face is made of an auxiliary HR face that is there. Observed: 2 of 30 faces": "nobody",
        DOWN + "No HR face has two versions. Observed: 2 of": "",
        DOWN + "Each of the 30 auxiliary HR faces has its version. Observed: 28": "",
        DOWN + "Every face was made by downsample. Observed: 2 of": "photographic",
        DOWN + "Every face shows the auxiliary identity that its HR face shows. Observed: 1 of": ", not a001",
        DOWN + "No face shows somebody who is tested. Observed: 1 of": "n00",
        DOWN + "Every face trains or validates as its HR face does. Observed: 1 of": "validation, not train",
        DOWN + "Every face names the source of its HR face. Observed: 1 of": "elsewhere",
        DOWN + "Every landmark lies where its HR face has it, shrunk with the image. Observed:": "",
    },
    synthetic_of_other_size: {
        PHOTO + "Every face is as high as a native training face, or as its own HR face. Observed: 2 of": "9",
        PHOTO + "Every face has the same height by every synthesiser. Observed: 2 of": "",
        PHOTO + "Every face is 1 to 32 px high. Observed: 1 of": "40",
        PHOTO + "Every face keeps its HR face's ratio of width to height, to a pixel. Observed: 1 of": "",
    },
    synthetic_rows: {
        PHOTO + "Every image can be decoded and has the width and height of its row. Observed: 1 of": "",
        PHOTO + "Every detection score is 0 to 1. Observed: 1 of": "-0.5",
        PHOTO + "Every score, box and landmark is a number, if it is there. Observed: 1 of": "landmarks",
        PHOTO + "Every landmark lies where its HR face has it, shrunk with the image. Observed: 1 of": "inf",
        PHOTO + "No face id stands twice. Observed: 2 of": "",
        PHOTO + "Every face has an id. Observed: 1 of": "",
        PHOTO + "Every face names its source. Observed: 1 of": "",
    },
    synthetic_without_some: {DOWN + "Each of the 30 auxiliary HR faces has its version. Observed: 29": ""},
    synthetic_of_a_collapsed_network: {PHOTO + "Hardly any two faces are one picture. Observed: 0.": ""},
}


@pytest.mark.parametrize("change", BROKEN)
def test_broken_tables_stop_with_plain_words_and_leave_the_page(change, made):
    write(made, change)
    with pytest.raises(ValidationFailedError) as error:
        validate_synthetic.run()
    said, page = str(error.value), html.unescape(paths.SYNTHETIC_QUALITY_PAGE.read_text())
    assert "reports/quality_synthetic.html" in said
    for sentence, names in BROKEN[change].items():
        assert sentence in said
        assert f"✗</span>\n      {sentence.partition(': ')[2].partition(' Observed')[0]}" in page
        assert names in page
    assert page.count("✗") == said.count("Observed") == _failed_expectations()


def _failed_expectations() -> int:
    results = [read_json(path) for path in (paths.SYNLR_VALIDATION, paths.SYNTHETIC_VALIDATION)]
    assert not all(result["success"] for result in results)
    tables = [table for result in results for table in result["tables"].values()]
    return sum(table["statistics"]["unsuccessful_expectations"] for table in tables)


def test_every_expectation_is_seen_to_fail(made):
    write(made)
    validate_synthetic.run()
    results = [read_json(path) for path in (paths.SYNLR_VALIDATION, paths.SYNTHETIC_VALIDATION)]
    said = {
        expectation["says"]
        for result in results
        for table in result["tables"].values()
        for expectation in table["expectations"]
    }
    broken = {sentence.partition(": ")[2].partition(" Observed")[0] for found in BROKEN.values() for sentence in found}
    unseen = {says for says in said if not any(says.startswith(part) for part in broken)}
    assert unseen == {"Every face was made by photographic."}  # as by downsample


def test_faces_without_landmarks_scores_and_boxes_pass(made):
    def strip(tables: Tables) -> None:
        for rows in tables.values():
            for row in rows:
                row |= {"landmarks": None, "score": None, "box": None, "photo_id": None}

    write(made, strip)
    validate_synthetic.run()


def test_a_missing_table_says_which_stage_makes_it(made):
    write(made)
    paths.synthetic("downsample").unlink()
    with pytest.raises(FaceTableError, match=r"missing(.|\n)*downsample.parquet"):
        validate_synthetic.run()


def test_the_native_faces_of_the_tests_have_a_twin_of_another_identity(made):
    """Else a SynLR set that keeps the native names would pass."""
    assert {row["identity"] for row in split_rows()[0]} & set(made["synlr"]["identity"].to_pylist()) == {None}
