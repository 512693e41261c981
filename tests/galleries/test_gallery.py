"""A gallery: enrolling, identifying and forgetting, by one program and by two at once; and what is refused."""

import json
import multiprocessing
import pickle
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lrfr.errors import CalibrationError, GalleryError
from lrfr.galleries import file
from lrfr.galleries import gallery as galleries
from lrfr.galleries.changes import checked_name, enrol, forget
from lrfr.galleries.file import KEY, Enrolled, Origin
from lrfr.galleries.gallery import Gallery
from lrfr.release.calibration import Calibration, Detector, calibrate

ORIGIN = Origin("a" * 64, "cosine", 16, "tiny@v1.0.0")
DETECTOR = Detector(min_face=12, thresholds=[0.6, 0.7, 0.7])
PICTURE = b"\x89PNG of %d"


@dataclass(frozen=True)
class Known:
    """A model that is known by its origin and its calibration."""

    origin: Origin = ORIGIN

    @cached_property
    def calibration(self) -> Calibration:
        identity = np.repeat(np.arange(60), 4)
        embedding = vectors(1000 + identity) + 0.5 * np.random.default_rng(0).normal(size=(240, 16))
        return calibrate(embedding, identity, np.tile(["gallery", "probe"], 120), "cosine", 0, DETECTOR, 100)


MODEL = Known()


def vectors(people):
    return np.stack([np.random.default_rng(int(person)).normal(size=16) for person in people])


def face(person, shot=0, name=None):
    """A face of a person, whose name is their number's."""
    embedding = vectors([person])[0] + 0.3 * np.random.default_rng([person, shot]).normal(size=16)
    return Enrolled(name or f"p{person:02d}", f"{person}-{shot}", embedding, None, PICTURE % person)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "people.gallery"


@pytest.fixture
def filled(path):
    enrol(path, ORIGIN, [face(person, shot) for person in range(12) for shot in range(2)], add=False)
    return path


def seen(path, people, fpir=0.05):
    return Gallery(path, MODEL).identify(vectors(people), fpir)


def test_who_is_enrolled_is_known_and_a_stranger_is_not(filled):
    assert [answer.name for answer in seen(filled, range(12))] == [f"p{person:02d}" for person in range(12)]
    strangers = [answer.name for answer in seen(filled, range(500, 700))]
    assert 180 < strangers.count(None) < 200  # an FPIR of 5 % was asked for
    answer = seen(filled, [500])[0]
    assert len(answer.nearest) == 5 and answer.nearest == sorted(answer.nearest, key=lambda one: -one[1])
    assert answer.score == answer.nearest[0][1]


@dataclass(frozen=True)
class KnowsQuality(Known):
    """A model that predicts a quality, and was calibrated with it."""

    @cached_property
    def calibration(self) -> Calibration:
        identity = np.repeat(np.arange(60), 4)
        embedding = vectors(1000 + identity) + 0.5 * np.random.default_rng(0).normal(size=(240, 16))
        quality = np.random.default_rng(1).uniform(0, 1, 240)
        return calibrate(
            embedding, identity, np.tile(["gallery", "probe"], 120), "cosine", 0, DETECTOR, 100, quality
        )  # fmt: skip


def test_a_face_below_the_least_quality_is_nobodys_for_that_reason(filled):
    gallery = Gallery(filled, KnowsQuality())
    faces, quality = vectors([0, 1, 2, 500]), np.array([0.9, 0.2, np.nan, 0.9])
    answers = gallery.identify(faces, 0.05, quality, least_quality=0.4)
    assert [(answer.name, answer.reason) for answer in answers] == [
        ("p00", None), (None, "quality"), (None, "quality"), (None, "score"),
    ]  # fmt: skip
    assert answers[1].nearest[0][0] == "p01"  # whom it resembles is told
    assert [answer.name for answer in gallery.identify(faces, 0.05, quality)][:3] == ["p00", "p01", "p02"]
    assert gallery.threshold(0.05, 0.4).least_quality == 0.4
    with pytest.raises(GalleryError, match="the faces have no quality"):
        gallery.identify(faces, 0.05, least_quality=0.4)
    with pytest.raises(CalibrationError, match="predicts none"):
        Gallery(filled, MODEL).identify(faces, 0.05, quality, least_quality=0.4)


def test_the_threshold_is_that_of_so_many_people(filled):
    gallery = Gallery(filled, MODEL)
    assert gallery.threshold(0.05) == MODEL.calibration.threshold(0.05, 12)
    assert (gallery.photos, len(gallery.people)) == (24, 12)
    with pytest.raises(CalibrationError, match="not resolved"):
        gallery.identify(vectors([0]), 1e-5)


def test_a_name_that_is_taken_is_refused_unless_it_is_said_to_be_the_same_person(filled):
    before = filled.read_bytes()
    with pytest.raises(GalleryError, match=r"'p03' is in the gallery already, by 2 .*\n.*\n.*--add"):
        enrol(filled, ORIGIN, [face(20), face(3, 5)], add=False)
    assert filled.read_bytes() == before
    assert enrol(filled, ORIGIN, [face(20), face(3, 5)], add=True) == 2
    assert (Gallery(filled, MODEL).photos, len(Gallery(filled, MODEL).people)) == (26, 13)


def test_a_face_is_enrolled_once_and_under_one_name(filled):
    before = filled.read_bytes()
    assert enrol(filled, ORIGIN, [face(3, 0), face(3, 1)], add=True) == 0
    assert filled.read_bytes() == before
    with pytest.raises(GalleryError, match="is to be 'other', and is 'p03' already"):
        enrol(filled, ORIGIN, [face(40), face(3, 0, "other")], add=False)
    with pytest.raises(GalleryError, match="is to be 'b', and is 'a' already"):
        enrol(filled, ORIGIN, [face(40, 0, "a"), face(40, 0, "b")], add=False)
    assert enrol(filled, ORIGIN, [face(41), face(41)], add=False) == 1


@pytest.mark.parametrize(("given", "kept"), [("  Zoe\tMeier ", "Zoe Meier"), ("Zoe\u0308", "Zo\u00eb")])
def test_names_have_one_form(given, kept):
    assert checked_name(given) == kept


@pytest.mark.parametrize("name", ["", " \n", "\u200b", "x" * 101])
def test_names_that_nobody_can_read_are_refused(name):
    with pytest.raises(GalleryError, match="characters"):
        checked_name(name)


def test_nothing_is_left_of_who_is_forgotten(filled):
    """Not in any file of the folder: no name, no picture, no embedding, no index."""
    index = filled.with_name(f".{filled.name}.{Gallery(filled, MODEL).revision}.usearch")
    index.write_bytes(b"p03")
    gone = np.float32(vectors([3])[0] + 0.3 * np.random.default_rng([3, 0]).normal(size=16)).tobytes()
    assert any(gone in part for part in plain(filled))
    assert forget(filled, ORIGIN, "p03") == 2
    assert not index.exists()
    for part in plain(filled):
        for trace in (b"p03", PICTURE % 3, gone, b"3-0"):
            assert trace not in part
    assert "p03" not in Gallery(filled, MODEL).people
    assert [answer.name for answer in seen(filled, [3, 4])] == [None, "p04"]


def plain(path):
    """The bytes of every file beside a gallery, those of Parquet without its compression."""
    for part in path.parent.iterdir():
        yield part.read_bytes()
        if part == path:
            table, memory = pq.read_table(part), pa.BufferOutputStream()
            with pa.ipc.new_stream(memory, table.schema) as writer:
                writer.write_table(table)
            yield memory.getvalue().to_pybytes()


def test_the_last_one_can_go_and_somebody_come(path):
    enrol(path, ORIGIN, [face(1)], add=False)
    forget(path, ORIGIN, "p01")
    with pytest.raises(GalleryError, match="nobody is enrolled"):
        Gallery(path, MODEL)
    enrol(path, ORIGIN, [face(2)], add=False)
    assert Gallery(path, MODEL).people == ["p02"]


def test_who_is_not_there_cannot_be_forgotten(filled):
    with pytest.raises(GalleryError, match=r"nobody is enrolled as 'p3'\n.*\n.*did you mean 'p03'"):
        forget(filled, ORIGIN, "p3")


@pytest.mark.parametrize("ask", [lambda path, origin: Gallery(path, Known(origin)),
                                 lambda path, origin: enrol(path, origin, [face(40)], True),
                                 lambda path, origin: forget(path, origin, "p03")])  # fmt: skip
def test_the_gallery_of_another_model_is_refused(filled, ask):
    before = filled.read_bytes()
    with pytest.raises(GalleryError, match=r"of another model, tiny@v1.0.0; this one is tiny@v2.0.0"):
        ask(filled, replace(ORIGIN, model="b" * 64, release="tiny@v2.0.0"))
    assert filled.read_bytes() == before


def rewritten(path, **changes):
    table = pq.read_table(path)
    told = json.loads(table.schema.metadata[KEY]) | changes
    pq.write_table(table.replace_schema_metadata({KEY: json.dumps(told)}), path)


def test_a_gallery_of_a_later_format_is_refused(filled):
    rewritten(filled, format=2)
    with pytest.raises(GalleryError, match="a gallery of format 2, not 1"):
        Gallery(filled, MODEL)


@pytest.mark.parametrize("damage", ["empty", "cut", "pickle", "table", "flipped", "folder"])
def test_what_is_no_gallery_is_refused(filled, damage):
    whole = filled.read_bytes()
    if damage == "table":
        pq.write_table(pa.table({"name": ["a"]}), filled)
    elif damage == "folder":
        filled.unlink()
        filled.mkdir()
    else:
        filled.write_bytes({
            "empty": b"", "cut": whole[:-100], "pickle": pickle.dumps({"name": "a"}),
            "flipped": whole[:200] + bytes(255 - byte for byte in whole[200:1200]) + whole[1200:],
        }[damage])  # fmt: skip
    with pytest.raises(GalleryError):
        Gallery(filled, MODEL)


def test_there_is_none(path):
    with pytest.raises(GalleryError, match="no such gallery"):
        Gallery(path, MODEL)
    with pytest.raises(GalleryError, match="no such gallery"):
        forget(path, ORIGIN, "p01")
    assert not path.exists()


def enrol_some(path, first):
    for person in range(first, first + 8):
        enrol(path, ORIGIN, [face(person)], add=False)


def test_two_writers_at_once_lose_nothing(path):
    spawn = multiprocessing.get_context("spawn")
    writers = [spawn.Process(target=enrol_some, args=(path, first)) for first in (0, 8)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert sorted(Gallery(path, MODEL).people) == [f"p{person:02d}" for person in range(16)]


def test_who_waits_too_long_is_told(filled, monkeypatch):
    monkeypatch.setattr(file, "PATIENCE", 0.1)
    with file.alone(filled), pytest.raises(GalleryError, match="another program"):
        enrol(filled, ORIGIN, [face(40)], add=False)


def test_a_write_that_fails_leaves_the_gallery_as_it_was(filled, monkeypatch):
    before = filled.read_bytes()
    monkeypatch.setattr(file.pq.ParquetFile, "read_row_group", lambda *_: (_ for _ in ()).throw(OSError("disk")))
    with pytest.raises(GalleryError, match="disk"):
        enrol(filled, ORIGIN, [face(40)], add=False)
    assert filled.read_bytes() == before
    assert {part.name for part in filled.parent.iterdir()} == {filled.name, f".{filled.name}.lock"}


def test_pictures_are_found_in_every_row_group(filled):
    enrol(filled, ORIGIN, [face(40), face(41)], add=False)
    gallery = Gallery(filled, MODEL)
    assert [gallery.picture(name) for name in ("p05", "p41", "p40")] == [PICTURE % 5, PICTURE % 41, PICTURE % 40]


def test_many_people_are_searched_by_an_index_that_a_change_ends(filled, monkeypatch):
    monkeypatch.setattr(galleries, "INDEXED", 10)
    exact = [answer.name for answer in seen(filled, range(12))]
    indexes = list(filled.parent.glob("*.usearch"))
    assert len(indexes) == 1
    again = [answer.name for answer in seen(filled, range(12))]
    assert exact == again == [f"p{person:02d}" for person in range(12)]
    assert list(filled.parent.glob(".*.usearch")) == indexes
    forget(filled, ORIGIN, "p03")
    assert not list(filled.parent.glob(".*.usearch"))
