from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from lrfr import parallel, paths
from lrfr.errors import BenchmarkError
from lrfr.faces import (
    FACE_SCHEMA,
    PHOTO_SCHEMA,
    TAG_SCHEMA,
    TRUTH_SCHEMA,
    decode,
    write_faces,
    write_table,
)
from lrfr.files import read_json
from lrfr.stages import detect
from tests.drawing import jpeg, portrait, write_params
from tests.face_tables import face, whole


def photo(photo_id: str, collection: str, image: np.ndarray | bytes) -> dict[str, Any]:
    content = image if isinstance(image, bytes) else jpeg(image)
    shape = (0, 0) if isinstance(image, bytes) else image.shape
    row = {"photo_id": photo_id, "source": "drawn", "collection": collection, "image": content}
    return row | {"width": shape[1], "height": shape[0]}


def cut_face(name: str, collection: str, **columns: Any) -> dict[str, Any]:
    return face(np.random.default_rng(0), name, 24, identity=name, attributes=[("collection", collection)], **columns)


def write_world(
    photos: list[dict[str, Any]],
    tags: list[dict[str, Any]],
    truth: list[dict[str, Any]],
    cut_faces: list[dict[str, Any]] | None = None,
) -> None:
    write_table(pa.Table.from_pylist(photos, PHOTO_SCHEMA), paths.PHOTOS, PHOTO_SCHEMA)
    write_table(pa.Table.from_pylist(tags, TAG_SCHEMA), paths.TAGS, TAG_SCHEMA)
    write_table(pa.Table.from_pylist(truth, TRUTH_SCHEMA), paths.TRUTH, TRUTH_SCHEMA)
    write_faces(pa.Table.from_pylist(cut_faces or [], FACE_SCHEMA), paths.CUT_FACES)


def crowd() -> np.ndarray:
    """Two heads, at 10..50 and at 70..110 px, whose faces are about 24 px high."""
    image = np.full((60, 120, 3), 110, np.uint8)
    image[10:50, 10:50], image[10:50, 70:110] = portrait(40, 0), portrait(40, 1)
    return image


TAGS = [
    {"photo_id": "crowd", "identity": "ann", "box": [72, 10, 36, 40]},
    {"photo_id": "portrait", "identity": "bob", "box": [24, 10, 72, 95]},
    {"photo_id": "other", "identity": "cy", "box": [0, 0, 20, 20]},
]
BLANK = np.full((60, 60, 3), 110, np.uint8)


@pytest.fixture(scope="module")
def detected(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("detect"))
        write_params()
        photos = [
            photo("crowd", "native", crowd()),
            photo("blank, with a comma", "native", BLANK),
            photo("torn", "native", jpeg(crowd())[:300]),
            photo("portrait", "auxiliary", portrait(120, 2)),
            photo("other", "auxiliary", portrait(120, 3)),
        ]
        truth = [
            {"photo_id": "crowd", "identity": name, "box": [left, 20, 20, 25], "recognizable": True}
            for name, left in ((None, 20), ("ann", 80))
        ]
        truth.append({"photo_id": "portrait", "identity": "bob", "box": [30, 30, 60, 75], "recognizable": True})
        write_world(photos, TAGS, truth)
        detect.run()
        tables = whole(paths.DETECTED_NATIVE), whole(paths.DETECTED_AUXILIARY)
        yield *tables, read_json(paths.DETECTION_METRICS), paths.WITHOUT_FACE.read_text()


def test_every_native_face_is_a_row_and_a_tag_names_the_one_that_it_overlaps(detected):
    native = sorted(detected[0].to_pylist(), key=lambda row: row["box"][0])
    assert [row["identity"] for row in native] == [None, "ann"]
    for row in native:
        pixels = decode(row["image"])
        assert pixels.shape == (row["height"], row["width"], 3) == (row["box"][3], row["box"][2], 3)
        assert row["source"] == "drawn" and dict(row["attributes"]) == {"collection": "native"}
        points = np.reshape(row["landmarks"], (5, 2))
        assert (points > 0).all() and (points < [row["width"], row["height"]]).all()


def test_the_crop_is_the_photo_at_the_box(detected):
    pixels = decode(jpeg(crowd()))
    for row in detected[0].to_pylist():
        x, y, width, height = map(int, row["box"])
        np.testing.assert_array_equal(decode(row["image"]), pixels[y : y + height, x : x + width])


def test_an_auxiliary_photo_gives_the_face_of_its_tag_only(detected):
    (row,) = detected[1].to_pylist()
    assert (row["identity"], row["photo_id"]) == ("bob", "portrait")


def test_photos_that_give_nothing_are_counted_and_listed(detected):
    photos = {"native": 3, "auxiliary": 2, "unrecognizable": 0, "without_face": 2, "unreadable": 1}
    assert detected[2]["photos"] == photos
    assert detected[2]["faces"] == {"native": 2, "auxiliary": 1, "unrecognizable": 0}
    assert detected[2]["already_cut"] == {"native": 0, "auxiliary": 0, "unrecognizable": 0}
    lines = detected[3].splitlines()
    assert lines[1:] == ["torn,native,unreadable", '"blank, with a comma",native,no_face', "other,auxiliary,no_face"]


def test_recall_is_measured_on_native_photos(detected):
    bins = {row["from"]: row for row in detected[2]["by_height"]}
    assert (bins[24]["faces"], bins[24]["found"]) == (2, 2)
    assert sum(row["faces"] for row in bins.values()) == 2
    assert sum(row["false_alarms"] for row in bins.values()) == 0


def test_the_number_of_processors_does_not_matter(detected, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_params()
    crowds = [photo(f"crowd{n}", "native", crowd()) for n in range(2 * parallel.CHUNK)]
    write_world([*crowds, photo("portrait", "auxiliary", portrait(120, 2))], TAGS, [])
    tables = []
    for count in (1, 2):
        monkeypatch.setattr(parallel, "cores", lambda count=count: count)
        detect.run()
        tables.append(whole(paths.DETECTED_NATIVE))
    assert tables[0].num_rows == 2 * len(crowds)
    assert tables[0].equals(tables[1])
    assert whole(paths.DETECTED_AUXILIARY).equals(detected[1])
    assert read_json(paths.DETECTION_METRICS)["by_height"] == []


@pytest.mark.parametrize(
    ("images", "message"),
    [
        ([BLANK], "no face was found in any of the 1 native photos; 0 cannot be read"),
        ([b"torn", b""], "no face was found in any of the 2 native photos; 2 cannot be read"),
        ([], "the source brings no native face"),
    ],
)
def test_no_face_at_all_is_one_clear_error(tmp_path, monkeypatch, images, message):
    monkeypatch.chdir(tmp_path)
    write_params()
    portraits = [cut_face("bob", "auxiliary")]
    write_world([photo(f"photo{n}", "native", image) for n, image in enumerate(images)], [], [], portraits)
    with pytest.raises(BenchmarkError, match=message):
        detect.run()
    assert not paths.DETECTED_NATIVE.exists()


def test_faces_that_come_cut_pass_through_untouched_and_their_photos_are_not_searched(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_params()
    cut_faces = [
        cut_face("ann", "native", photo_id="crowd", split="probe"),
        cut_face("bob", "auxiliary"),
        cut_face("cy", "none of the pipeline"),
    ]
    photos = [photo("crowd", "native", crowd()), photo("other crowd", "native", crowd())]
    truth = [{"photo_id": "other crowd", "identity": None, "box": [20, 20, 20, 25], "recognizable": True}]
    write_world(photos, [], truth, cut_faces)
    detect.run()
    native, auxiliary = whole(paths.DETECTED_NATIVE), whole(paths.DETECTED_AUXILIARY)
    given = whole(paths.CUT_FACES)
    assert native.slice(0, 1).equals(given.slice(0, 1)) and auxiliary.equals(given.slice(1, 1))
    assert native["photo_id"].to_pylist() == ["crowd", "other crowd", "other crowd"]
    metrics = read_json(paths.DETECTION_METRICS)
    assert metrics["already_cut"] == {"native": 1, "auxiliary": 1, "unrecognizable": 0}
    assert metrics["faces"]["native"] == 2 and metrics["photos"]["native"] == 1
    assert sum(row["found"] for row in metrics["by_height"]) == 1
    assert sum(row["false_alarms"] for row in metrics["by_height"]) == 1  # the other head that MTCNN found


def test_no_detector_is_needed_where_all_faces_come_cut(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delattr("lrfr.sources.reading.detecting.detect_faces")
    write_params()
    write_world([], [], [], [cut_face("ann", "native"), cut_face("bob", "auxiliary")])
    detect.run()
    assert whole(paths.DETECTED_NATIVE).num_rows == whole(paths.DETECTED_AUXILIARY).num_rows == 1


def test_unrecognizable_faces_end_in_a_table_of_their_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_params()
    cut_faces = [cut_face("ann", "native"), cut_face("bob", "auxiliary")]
    write_world([photo("pedestrian", "unrecognizable", crowd())], [], [], cut_faces)
    detect.run()
    faces = whole(paths.DETECTED_UNRECOGNIZABLE).to_pylist()
    assert len(faces) == 2 and {row["photo_id"] for row in faces} == {"pedestrian"}
    assert all(dict(row["attributes"]) == {"collection": "unrecognizable"} for row in faces)


@pytest.mark.parametrize("portraits", [[], [("portrait", "auxiliary", BLANK)]])
def test_without_hr_faces_the_native_ones_are_kept_and_it_is_said(tmp_path, monkeypatch, capsys, portraits):
    monkeypatch.chdir(tmp_path)
    write_params()
    write_world([photo("crowd", "native", crowd()), *(photo(*one) for one in portraits)], [], [], [])
    detect.run()
    assert (whole(paths.DETECTED_NATIVE).num_rows, whole(paths.DETECTED_AUXILIARY).num_rows) == (2, 0)
    assert "there is no HR face; what trains on HR faces will stop and say so" in capsys.readouterr().out
