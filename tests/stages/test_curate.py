import cv2
import numpy as np
import pyarrow as pa
import pytest

from lrfr import paths
from lrfr.core.verdicts import COLUMNS
from lrfr.errors import BenchmarkError, ParameterError, VerdictError
from lrfr.faces import FACE_SCHEMA, TRUTH_SCHEMA, decode, encode_png, read_faces, write_faces, write_table
from lrfr.files import read_json
from lrfr.stages import curate
from tests.drawing import jpeg, portrait, write_params

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
    write_table(TRUTH_SCHEMA.empty_table(), paths.TRUTH, TRUTH_SCHEMA)


def run(native, verdicts: str = "", **options):
    write_params(curate={"unverified": "keep", "simulated_labellers": {}} | options)
    write_faces(pa.Table.from_pylist(native, FACE_SCHEMA), paths.DETECTED_NATIVE)
    if verdicts:
        (paths.VERDICTS / "anna.csv").write_text(",".join(COLUMNS) + "\n" + verdicts)
    curate.run()
    aside = {item["face_id"]: dict(item["attributes"]) for item in read_faces(paths.SET_ASIDE).to_pylist()}
    return set(read_faces(paths.CURATED_NATIVE)["face_id"].to_pylist()), aside


def test_pictures_are_set_aside_with_the_reason():
    kept, aside = run(
        [
            row("good", face(1)),
            row("large", face(2, 40)),
            row("speck", face(3, 24)[:3]),
            row("torn", face(4)) | {"image": b"torn"},
            row("b copy", jpeg(face(1)), identity=None),
            row("leak", face(100, 60)[:30, :30]),
            row("named copy", face(5), identity="ann"),
            row("a nameless", face(5)),
        ]
    )
    reasons = {face_id: attributes["reason"] for face_id, attributes in aside.items()}
    assert reasons == {
        "large": "too_large",
        "speck": "corrupt",
        "torn": "corrupt",
        "good": "duplicate",  # 'b copy' comes first
        "a nameless": "duplicate",  # a face with a name is kept before one without
    }
    assert aside["good"]["copy_of"] == "b copy"
    assert aside["large"] == {"collection": "native", "reason": "too_large"}
    assert kept == {"b copy", "leak", "named copy"}
    metrics = read_json(paths.CURATION_METRICS)
    assert metrics == {
        "detected": 12,
        "kept": 7,
        "set_aside": {"corrupt": 2, "too_large": 1, "duplicate": 2},
        "agreement": None,
        "adjudicated": 0,
    }


def test_a_native_face_that_is_in_the_auxiliary_set_has_leaked():
    shrunk = cv2.resize(face(100, 60), (30, 30), interpolation=cv2.INTER_AREA)
    kept, aside = run([row("good", face(1)), row("shrunk", shrunk, identity="ann")])
    assert kept == {"good"}
    assert (aside["shrunk"]["reason"], aside["shrunk"]["copy_of"]) == ("leaked", "aux0")


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


@pytest.mark.parametrize(("unverified", "kept"), [("keep", {"a", "e"}), ("set_aside", {"a"})])
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
    with pytest.raises(BenchmarkError, match="no native face is left of 2; set aside: corrupt 1, too_large 1"):
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
    kept, aside = run(simulated_world(), simulated_labellers=LABELLERS, unverified="set_aside")
    manifests = {path.name for path in paths.SIMULATED_VERDICTS.iterdir()}
    assert manifests == {"anna.csv", "boris.csv", "_adjudicated.csv"}
    truth = {f"a{n:02d}": ("not_face", "unrecognizable", "face", "face")[n % 4] for n in range(40)}
    verdict = {name: "face" if name in kept else aside[name]["reason"] for name in truth}
    assert sum(verdict[name] == truth[name] for name in truth) >= 36
    metrics = read_json(paths.CURATION_METRICS)
    assert metrics["agreement"]["faces"] == 40
    assert 0 < metrics["agreement"]["cohens_kappa"] < metrics["agreement"]["raw"] < 1
    lines = (paths.SIMULATED_VERDICTS / "_adjudicated.csv").read_text().splitlines()
    assert metrics["adjudicated"] == len(lines) - 1 > 0


def test_people_overrule_simulated_labellers():
    native = simulated_world()
    kept, aside = run(native, "a00,face,eva,2024-05-01,\na02,not_face,eva,2024-05-01,\n", simulated_labellers=LABELLERS)
    assert "a00" in kept
    assert aside["a02"]["reason"] == "not_face"


def test_the_same_bytes_again():
    outputs = [paths.CURATED_NATIVE, paths.SET_ASIDE, paths.SIMULATED_VERDICTS / "anna.csv", paths.CURATION_METRICS]
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
