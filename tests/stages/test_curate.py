import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import pyarrow as pa
import pytest
import yaml

from lrfr import paths
from lrfr.core.verdicts import COLUMNS
from lrfr.errors import BenchmarkError, ParameterError, VerdictError
from lrfr.faces import (
    FACE_SCHEMA,
    FINDING_SCHEMA,
    TRUTH_SCHEMA,
    decode,
    encode_png,
    read_faces,
    read_table,
    write_faces,
    write_table,
)
from lrfr.files import read_json
from lrfr.stages import curate, pretrain, split, synthesize, train_landmarks, train_sr
from tests.drawing import jpeg, portrait, write_params

PROJECT = Path(__file__).parents[2]

# A header that claims 30,000 x 30,000 px
HEADER = b"IHDR" + struct.pack(">IIBBBBB", 30_000, 30_000, 8, 2, 0, 0, 0)
BOMB = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + HEADER + struct.pack(">I", zlib.crc32(HEADER))

BOX = [10, 10, 20, 24]


def row(face_id, image, collection="native", identity=None):
    pixels = decode(image) if isinstance(image, bytes) else image
    return {
        "face_id": face_id,
        "source": "drawn",
        "image": image if isinstance(image, bytes) else encode_png(image),
        "width": pixels.shape[1],
        "height": pixels.shape[0],
        "identity": identity,
        "photo_id": f"photo of {face_id}",
        "box": BOX,
        "attributes": [("collection", collection)],
    }


def face(seed: int, side: int = 24) -> np.ndarray:
    """A drawn face cut tightly, each with its own light, so that no two are copies."""
    pixels = portrait(4 * side, seed)[side : 3 * side, side : 3 * side]
    shade = np.random.default_rng(seed).uniform(0.2, 1, (2, 2, 3))
    pixels = pixels * cv2.resize(shade, pixels.shape[1::-1])
    return cv2.resize(pixels.astype(np.uint8), (side, side), interpolation=cv2.INTER_AREA)


AUXILIARY = [row(f"aux{n}", face(100 + n, 60), "auxiliary", f"aux person {n // 2}") for n in range(4)]


@pytest.fixture(autouse=True)
def world(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    paths.VERDICTS.mkdir(parents=True)
    write_faces(pa.Table.from_pylist(AUXILIARY, FACE_SCHEMA), paths.DETECTED_AUXILIARY)
    write_faces(FACE_SCHEMA.empty_table(), paths.DETECTED_UNRECOGNIZABLE)
    write_table(TRUTH_SCHEMA.empty_table(), paths.TRUTH, TRUTH_SCHEMA)


def run(native, verdicts: str = "", imported=(), **options):
    write_params(curate={"unverified": "keep", "simulated_labellers": {}} | options)
    params = yaml.safe_load(paths.PARAMS.read_text())
    params["evaluation_sets"] = {"elsewhere": {"source": "drawn", "root": "."}}
    paths.PARAMS.write_text(yaml.safe_dump(params))
    write_faces(pa.Table.from_pylist(list(imported), FACE_SCHEMA), paths.test_set("elsewhere"))
    write_faces(pa.Table.from_pylist(native, FACE_SCHEMA), paths.DETECTED_NATIVE)
    if verdicts:
        (paths.VERDICTS / "anna.csv").write_text(",".join(COLUMNS) + "\n" + verdicts)
    curate.run()
    aside = {item["face_id"]: dict(item["attributes"]) for item in read_faces(paths.EXCLUDED).to_pylist()}
    return set(read_faces(paths.CURATED_NATIVE)["face_id"].to_pylist()), aside


def findings() -> dict[str, dict]:
    return {row["face_id"]: row for row in read_table(paths.FINDINGS, FINDING_SCHEMA).to_pylist()}


def test_pictures_are_set_aside_with_the_reason():
    kept, aside = run(
        [
            row("good", face(1)),
            row("large", face(2, 40)),
            row("speck", face(3, 24)[:3]),
            row("torn", face(4)) | {"image": encode_png(face(4))[:200]},
            row("void", face(4)) | {"image": b""},
            row("web page", face(4)) | {"image": b"<html>404</html>"},
            row("bomb", face(4)) | {"image": BOMB},
            row("b copy", jpeg(face(1)), identity=None),
            row("named copy", face(5), identity="ann"),
            row("a nameless", face(5)),
        ]
    )
    reasons = {face_id: attributes["reason"] for face_id, attributes in aside.items()}
    assert reasons == {
        "large": "too_large",
        "speck": "too_small",
        "torn": "corrupt",
        "void": "empty",
        "web page": "not_image",
        "bomb": "too_big",
        "good": "duplicate",  # 'b copy' comes first
        "a nameless": "duplicate",  # a face with a name is kept before one without
    }
    assert aside["good"]["copy_of"] == "b copy"
    assert aside["large"] == {"collection": "native", "reason": "too_large"}
    assert kept == {"b copy", "named copy"}
    metrics = read_json(paths.CURATION_METRICS)
    assert metrics == {
        "detected": 14,
        "kept": 6,
        "excluded": {
            "empty": 1,
            "not_image": 1,
            "corrupt": 1,
            "too_big": 1,
            "too_small": 1,
            "too_large": 1,
            "duplicate": 2,
        },
        "found_in_test": {},
        "copies": {"kind": {"exact": 1, "near": 1}, "across": {"unnamed": 2}},
        "adjudicated": 0,
    }
    assert read_json(paths.LABELLER_METRICS) == {"agreement": None, "on_gold": {}}
    assert {face_id: found["reason"] for face_id, found in findings().items()} == reasons
    assert (
        findings()["a nameless"] | {"similarity": 1.0, "kind": "exact", "copy_of": "named copy"}
        == findings()["a nameless"]
    )
    assert 0.97 < findings()["good"]["similarity"] < 1


def test_what_is_kept_is_told_of_each_collection(capsys):
    """Whoever curates photos of their own wants to know of these, not of the portraits too."""
    run([row("good", face(1)), row("large", face(2, 40)), row("portrait", face(100, 60), identity="ann")])
    told = capsys.readouterr().out.splitlines()
    assert told[:2] == [
        "native: 1 of 3 faces kept; excluded: too_large 2",
        "auxiliary: 4 of 4 faces kept; excluded: none",
    ]


def test_a_portrait_that_shows_a_face_of_the_benchmark_has_leaked():
    shrunk = cv2.resize(face(100, 60), (30, 30), interpolation=cv2.INTER_AREA)
    kept, aside = run([row("good", face(1)), row("shrunk", shrunk, identity="ann") | {"source": "photos"}])
    assert kept == {"good", "shrunk"}
    assert (aside["aux0"]["reason"], aside["aux0"]["copy_of"]) == ("leaked", "shrunk")
    assert aside["aux1"]["reason"] == "too_few_images"
    assert findings()["aux0"]["across"] == "leak"


def test_what_copies_a_mounted_test_face_has_leaked_and_the_test_face_stays():
    imported = [
        row("m1", face(1), identity="eve") | {"source": "published", "split": "probe"},
        row("m2", jpeg(face(100, 60))) | {"source": "published"},
        row("m3", face(1), identity="eve") | {"source": "published"},
        row("m4", face(2)) | {"source": "published", "split": "train"},
    ]
    kept, aside = run([row("a", face(1), identity="ann"), row("b", face(2)), row("c", face(3))], imported=imported)
    assert kept == {"b", "c"}
    assert {name: found["reason"] for name, found in aside.items()} == {
        "a": "leaked",
        "aux0": "leaked",
        "aux1": "too_few_images",
    }
    found = findings()
    assert found.keys() == aside.keys()
    assert (found["a"]["copy_of"], found["a"]["test_set"], found["a"]["kind"]) == ("m1", "elsewhere", "exact")
    assert (found["aux0"]["copy_of"], found["aux0"]["test_set"], found["aux0"]["kind"]) == ("m2", "elsewhere", "near")
    assert read_json(paths.CURATION_METRICS)["copies"]["across"] == {"leak": 2}


def test_a_published_test_face_stays_whatever_is_found():
    published = [
        row("probe", face(1), identity="ann") | {"split": "probe"},
        row("gallery", jpeg(face(1)), identity="ann") | {"split": "gallery"},
        row("wrong name", face(1), identity="bob") | {"split": "gallery"},
        row("large", face(2, 40)) | {"split": "distractor"},
        row("unread", face(3), identity="eve") | {"split": "probe", "image": b"", "width": 0, "height": 0},
        row("nobody", face(4), identity="eve") | {"split": "gallery"},
        row("leak", face(1), identity="zoe") | {"split": "train"},
        row("large train", face(5, 40), identity="zoe") | {"split": "train"},
        row("train", face(6), identity="zoe") | {"split": "train"},
    ]
    kept, aside = run(
        published, "nobody,not_face,anna,2024-05-01,\ntrain,face,anna,2024-05-01,\n", unverified="exclude"
    )
    assert kept == {"probe", "gallery", "wrong name", "large", "unread", "nobody", "train"}
    assert {name: found["reason"] for name, found in aside.items()} == {"leak": "leaked", "large train": "too_large"}
    stayed = [found for found in read_table(paths.FINDINGS, FINDING_SCHEMA).to_pylist() if not found["excluded"]]
    assert {(found["face_id"], found["reason"], found["copy_of"], found["across"]) for found in stayed} == {
        ("probe", "duplicate", "gallery", "other_split"),
        ("wrong name", "two_names", "probe", "other_identity"),
        ("large", "too_large", None, None),
        ("unread", "too_small", None, None),
        ("unread", "empty", None, None),
        ("nobody", "not_face", None, None),
    }
    assert read_json(paths.CURATION_METRICS)["found_in_test"] == {
        "empty": 1,
        "too_small": 1,
        "too_large": 1,
        "two_names": 1,
        "duplicate": 1,
        "not_face": 1,
    }


def test_of_a_picture_with_two_names_no_copy_stays():
    kept, aside = run(
        [
            row("a", face(1), identity="ann"),
            row("b", jpeg(face(1)), identity="bob"),
            row("c", face(1)),
            row("d", face(2), identity="ann"),
            row("e", face(2), identity="bob") | {"source": "names its people in its own way"},
        ]
    )
    assert kept == {"d"}
    assert {name: found["reason"] for name, found in aside.items()} == dict.fromkeys("abc", "two_names") | {
        "e": "duplicate"
    }
    assert {name: aside[name]["copy_of"] for name in "abc"} == {"a": "b", "b": "a", "c": "a"}


def test_the_order_of_rows_does_not_matter():
    native = [row(f"{n} {copy}", face(n), identity=f"p{n % 3}") for n in range(6) for copy in range(3)]
    run(native)
    first = paths.FINDINGS.read_bytes()
    run(native[::-1])
    assert paths.FINDINGS.read_bytes() == first


def test_an_auxiliary_identity_needs_two_images():
    lone = [*AUXILIARY, row("aux9", face(109, 60), "auxiliary", "lone")]
    write_faces(pa.Table.from_pylist(lone, FACE_SCHEMA), paths.DETECTED_AUXILIARY)
    _, aside = run([row("good", face(1))])
    assert aside["aux9"]["reason"] == "too_few_images"


VERDICTS = """a,face,anna,2024-05-01,
b,not_face,anna,2024-05-01,
c,unrecognizable,anna,2024-05-01,
d,unsure,anna,2024-05-01,
"""


@pytest.mark.parametrize(("unverified", "kept"), [("keep", {"a", "e"}), ("exclude", {"a"})])
def test_verdicts_decide(unverified, kept):
    native = [row(name, face(n)) for n, name in enumerate("abcde")]
    left, aside = run(native, VERDICTS, unverified=unverified)
    assert left == kept
    assert {name: aside[name]["reason"] for name in "bcd"} == {
        "b": "not_face",
        "c": "unrecognizable",
        "d": "unverified",
    }


def test_verdicts_on_portraits_decide_too():
    _, aside = run([row("good", face(1))], "aux0,not_face,anna,2024-05-01,\naux2,face,anna,2024-05-01,\n")
    reasons = {face_id: attributes["reason"] for face_id, attributes in aside.items()}
    assert reasons == {"aux0": "not_face", "aux1": "too_few_images"}


def test_no_line_of_a_manifest_is_touched():
    run([row(name, face(n)) for n, name in enumerate("abcde")], VERDICTS)
    assert (paths.VERDICTS / "anna.csv").read_text() == ",".join(COLUMNS) + "\n" + VERDICTS


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("a,maybe,anna,2024-05-01,", "unknown verdict 'maybe'"),
        ("nobody,face,anna,2024-05-01,", "face nobody, which is not among the 9 detected faces"),
    ],
)
def test_a_wrong_line_stops_curation_and_is_named(line, message):
    native = [row(name, face(n)) for n, name in enumerate("abcde")]
    with pytest.raises(VerdictError, match=message) as error:
        run(native, VERDICTS + line + "\n")
    assert f"{paths.VERDICTS / 'anna.csv'}:6" in str(error.value)
    assert not paths.CURATED_NATIVE.exists()
    assert (paths.VERDICTS / "anna.csv").read_text().endswith(line + "\n")


def test_nothing_left_says_why():
    with pytest.raises(BenchmarkError, match="no native face is left of 2; excluded: too_small 1, too_large 1"):
        run([row("large", face(2, 40)), row("speck", face(3)[:3])])
    assert not paths.CURATED_NATIVE.exists()


LABELLERS = {
    "anna": {"error_rate": 0.2, "unsure_rate": 0.1},
    "boris": {"error_rate": 0.1, "unsure_rate": 0.1},
}


def simulated_world(count: int = 40) -> list:
    """Faces a00.. of which every fourth is clutter and every fourth is beyond recognition."""
    native = [
        row(f"a{n:02d}", np.random.default_rng(n).integers(0, 255, (20, 20, 3), dtype=np.uint8)) for n in range(count)
    ]
    truth = [
        {"photo_id": f"photo of a{n:02d}", "identity": None, "box": BOX, "recognizable": n % 4 != 1}
        for n in range(count)
        if n % 4 != 0
    ]
    write_table(pa.Table.from_pylist(truth, TRUTH_SCHEMA), paths.TRUTH, TRUTH_SCHEMA)
    return native


def test_simulated_labellers_and_the_expert_get_it_nearly_right():
    kept, aside = run(simulated_world(), simulated_labellers=LABELLERS, unverified="exclude")
    manifests = {path.name for path in paths.SIMULATED_VERDICTS.iterdir()}
    assert manifests == {"anna.csv", "boris.csv", "_adjudicated.csv"}
    truth = {f"a{n:02d}": ("not_face", "unrecognizable", "face", "face")[n % 4] for n in range(40)}
    verdict = {name: "face" if name in kept else aside[name]["reason"] for name in truth}
    assert sum(verdict[name] == truth[name] for name in truth) >= 36
    metrics = read_json(paths.CURATION_METRICS)
    labellers = read_json(paths.LABELLER_METRICS)
    assert labellers["agreement"]["overall"]["faces"] == labellers["on_gold"]["anna"]["faces"] == 40
    (pair,) = labellers["agreement"]["pairs"]
    assert 0 < pair["cohens_kappa"] < pair["raw"] < 1
    lines = (paths.SIMULATED_VERDICTS / "_adjudicated.csv").read_text().splitlines()
    assert metrics["adjudicated"] == len(lines) - 1 > 0


def test_people_overrule_simulated_labellers():
    native = simulated_world()
    kept, aside = run(native, "a00,face,eva,2024-05-01,\na02,not_face,eva,2024-05-01,\n", simulated_labellers=LABELLERS)
    assert "a00" in kept
    assert aside["a02"]["reason"] == "not_face"


def test_the_same_bytes_again():
    outputs = [paths.CURATED_NATIVE, paths.EXCLUDED, paths.SIMULATED_VERDICTS / "anna.csv", paths.CURATION_METRICS]
    run(simulated_world(), simulated_labellers=LABELLERS)
    first = [path.read_bytes() for path in outputs]
    run(simulated_world(), simulated_labellers=LABELLERS)
    assert [path.read_bytes() for path in outputs] == first


def test_a_labeller_who_is_no_longer_simulated_leaves_no_manifest():
    run(simulated_world(), simulated_labellers=LABELLERS)
    run(simulated_world(), simulated_labellers={})
    assert list(paths.SIMULATED_VERDICTS.iterdir()) == []


def test_labellers_need_the_truth():
    with pytest.raises(ParameterError, match=r"curate\.simulated_labellers"):
        run([row("good", face(1))], simulated_labellers=LABELLERS)


def test_a_portrait_without_a_name_teaches_nothing():
    rows = [*AUXILIARY, *(row(f"nameless{n}", face(200 + n, 60), "auxiliary") for n in range(2))]
    write_faces(pa.Table.from_pylist(rows, FACE_SCHEMA), paths.DETECTED_AUXILIARY)
    _, aside = run([row("good", face(1))])
    assert {name: found["reason"] for name, found in aside.items()} == dict.fromkeys(
        ("nameless0", "nameless1"), "too_few_images"
    )


def test_labellers_are_measured_on_gold_faces():
    paths.GOLD.write_text("face_id,verdict\nf1,face\nf2,not_face\n")
    said = "".join(f"f{n},face,anna,2024-05-0{n},\n" for n in (1, 2, 3))
    run([row(f"f{n}", face(n)) for n in (1, 2, 3)], said)
    standing = read_json(paths.LABELLER_METRICS)["on_gold"]["anna"]
    assert (standing["faces"], standing["accuracy"], standing["drifts"]) == (2, 0.5, None)
    paths.GOLD.write_text("face_id,verdict\nelsewhere,face\n")
    with pytest.raises(VerdictError, match="gold face elsewhere is not among the 7 detected"):
        run([row(f"f{n}", face(n)) for n in (1, 2, 3)], said)


def named(labeller, *lines, folder=None):
    folder = folder or paths.NAMES
    folder.mkdir(parents=True, exist_ok=True)
    header = "face_id,identity" if folder == paths.NAMES else "face_id,other_face_id,verdict"
    text = "".join(f"{line},{labeller},2024-05-0{day},\n" for day, line in enumerate(lines, 1))
    (folder / f"{labeller}.csv").write_text(f"{header},labeller,at,note\n{text}")


def identities():
    return {row["face_id"]: row["identity"] for row in read_faces(paths.CURATED_NATIVE).to_pylist()}


def test_what_people_name_is_who_it_is(capsys):
    native = [row(name, face(n), identity="somebody" if name == "a" else None) for n, name in enumerate("abcd")]
    named("anna", "a,Mary", "b,Ada", "c,Mary", "b,", "d,Ada")
    named("boris", "d,Eve", "c,Mary")
    kept, aside = run(native)
    assert kept == {"a", "b", "c"}
    assert identities() == {"a": "Mary", "b": None, "c": "Mary"}
    assert aside["d"]["reason"] == "disputed_name"
    assert read_json(paths.CURATION_METRICS)["named"] == {"faces": 2, "identities": 1, "disputed": 1}
    assert "people named 2 faces of 1 identities; on 1 names they disagree" in capsys.readouterr().out
    named("_adjudicated", "d,Ada")
    run(native)
    assert identities()["d"] == "Ada"


@pytest.mark.parametrize("line", ["nobody,Mary", "tested,Mary"])
def test_a_name_that_is_nobodys_stops_curation(line):
    named("anna", line)
    with pytest.raises(
        VerdictError, match=r"which is not among the 1 detected native faces that people may name"
    ) as error:
        run([row("a", face(1)), row("tested", face(2), identity="ann") | {"split": "probe"}])
    assert f"{paths.NAMES / 'anna.csv'}:2" in str(error.value)


def test_the_threshold_of_near_copies_and_people_decide_on_pairs():
    native = [row("a", face(1)), row("b", jpeg(face(1))), row("c", jpeg(face(2))), row("d", face(2)), row("e", face(2))]
    assert run(native)[0] == {"a", "c"}
    assert run(native, near_copies=0.0)[0] == {"a", "b", "c", "d"}, "equal pixels stay copies"
    named("anna", "b,a,different", folder=paths.PAIR_VERDICTS)
    assert run(native)[0] == {"a", "b", "c"}
    named("boris", "a,b,copy", folder=paths.PAIR_VERDICTS)
    assert run(native)[0] == {"a", "c"}, "where they disagree, the threshold decides"
    named("_adjudicated", "a,b,different", "d,c,copy", folder=paths.PAIR_VERDICTS)
    assert run(native, near_copies=0.0)[0] == {"a", "b", "c"}
    assert read_json(paths.CURATION_METRICS)["judged_pairs"] == {"copy": 1, "different": 1}


def test_a_pair_of_which_a_face_is_gone_stops_curation():
    named("anna", "a,gone,different", folder=paths.PAIR_VERDICTS)
    with pytest.raises(VerdictError, match="face gone, which is not among"):
        run([row("a", face(1))])


def test_without_hr_faces_there_is_still_a_benchmark(capsys):
    write_faces(FACE_SCHEMA.empty_table(), paths.DETECTED_AUXILIARY)
    native = [row(f"f{n}", face(n), identity=f"person {n // 2}") for n in range(12)]
    run(native)
    assert read_faces(paths.CURATED_AUXILIARY).num_rows == 0
    assert "nothing can be trained on HR faces" in capsys.readouterr().out
    split.run()
    assert (read_faces(paths.BENCHMARK).num_rows, read_faces(paths.AUXILIARY).num_rows) == (12, 0)
    params = yaml.safe_load(paths.PARAMS.read_text())
    with_sr = yaml.safe_load((PROJECT / "params" / "tc.yaml").read_text())["super_resolution"]
    paths.PARAMS.write_text(yaml.safe_dump(params | {"super_resolution": with_sr}))
    for stage, name in ((synthesize, "downsample"), (pretrain, "main"), (train_sr, "vdsr")):
        with pytest.raises(BenchmarkError, match=r"no HR faces to train on(.|\n)*acquire.auxiliary"):
            stage.run(name)
    with pytest.raises(BenchmarkError, match="no HR faces to train on"):
        train_landmarks.run()


def unrecognizable(rows):
    write_faces(pa.Table.from_pylist(rows, FACE_SCHEMA), paths.DETECTED_UNRECOGNIZABLE)


def nobody():
    return set(read_faces(paths.CURATED_UNRECOGNIZABLE)["face_id"].to_pylist())


def test_unrecognizable_faces_are_those_of_their_source_without_copies():
    """A copy of a face that may be tested is a leak, in the benchmark and in an imported set. Any size will do."""
    large, copy = face(300, 60), face(301, 24)
    unrecognizable([
        row("u1", large, "unrecognizable"), row("u2", copy, "unrecognizable"), row("u3", copy, "unrecognizable"),
        row("u4", face(1), "unrecognizable"), row("u5", face(50), "unrecognizable"),
        row("u6", face(100, 60), "unrecognizable"),
    ])  # fmt: skip
    kept, aside = run([row("a", face(1)), row("b", face(2))], imported=[row("t", face(50))])
    assert kept == {"a", "b"}
    assert nobody() == {"u1", "u2"}
    assert {name: aside[name]["reason"] for name in aside} == {
        "u3": "duplicate", "u4": "leaked", "u5": "leaked", "u6": "duplicate",
    }  # fmt: skip
    metrics = read_json(paths.CURATION_METRICS, "")
    assert (metrics["detected"], metrics["kept"]) == (6, 6)  # of the benchmark and the auxiliary set


def test_where_there_is_no_source_they_are_what_verification_called_so():
    verdicts = "a,unrecognizable,anna,2024-05-01,\nb,not_face,anna,2024-05-01,\n"
    run([row("a", face(1), identity="anna"), row("b", face(2)), row("c", face(3))], verdicts)
    assert nobody() == {"a"}
    assert read_faces(paths.CURATED_UNRECOGNIZABLE)["identity"].to_pylist() == ["anna"]
    unrecognizable([row("u1", face(9), "unrecognizable")])
    curate.run()
    assert nobody() == {"u1"}
