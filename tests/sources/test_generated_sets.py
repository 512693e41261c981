"""Generated test sets: reproducible, of the published shape, of people whom nothing else shows."""

from collections import Counter
from importlib import import_module
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from lrfr import parallel
from lrfr.config import read_params, settings
from lrfr.faces import ENROLMENT_SCHEMA, FACE_SCHEMA, PAIR_SCHEMA, decode
from lrfr.sources import generated, source
from lrfr.sources.acquired import Acquired
from lrfr.sources.rendering.capture import SMALL_SIDE, Stream, draws, far, near, sit, someone

SETS = {
    "generated_surveillance": {"identities": 2, "unmated": 3, "verification_identities": 2, "images": 2},
    "generated_mugshots": {"identities": 2, "cameras": 2},
    "generated_templates": {"identities": 3, "gallery_stills": 2, "probe_stills": 1, "frames": 2},
    "generated_pairs": {"identities_per_fold": 2, "images": 2},
    "generated_distractors": {"identities": 2, "images": 3, "distractors": 2},
}
NAMES = list(SETS)


def made(name: str, seed: int = 7, **changes: int) -> Acquired:
    module = source(name)
    return module.acquire(Path("unused"), settings(SETS[name] | changes, module.Settings, name), seed)


@pytest.fixture(scope="module")
def sets() -> dict[str, Acquired]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(parallel, "cores", lambda: 1)  # starting processes takes longer than so few pictures
        return {name: made(name) for name in NAMES}


def column(table: pa.Table, attribute: str) -> list[str | None]:
    return [dict(pairs).get(attribute) for pairs in table["attributes"].to_pylist()]


@pytest.mark.parametrize("name", NAMES)
def test_a_protocol_evaluates_it(name: str) -> None:
    assert callable(import_module(f"lrfr.protocols.{source(name).PROTOCOL}").evaluate)


def test_the_default_parameters_mount_each_of_them() -> None:
    assert {chosen.source for chosen in read_params().evaluation_sets.values()} == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_its_tables_meet_their_schemas(sets: dict[str, Acquired], name: str) -> None:
    acquired = sets[name]
    tables = (acquired.faces, FACE_SCHEMA), (acquired.pairs, PAIR_SCHEMA), (acquired.enrolment, ENROLMENT_SCHEMA)
    assert all(table.schema.equals(schema) for table, schema in tables)
    faces = acquired.faces.to_pylist()
    assert len({face["face_id"] for face in faces}) == len(faces)
    for face in faces:
        assert decode(face["image"]).shape == (face["height"], face["width"], 3)
        if face["score"] is not None:
            points, size = np.reshape(face["landmarks"], (5, 2)), (face["width"], face["height"])
            assert (points > np.multiply(size, -0.2)).all() and (points < np.multiply(size, 1.2)).all()


@pytest.mark.parametrize("name", NAMES)
def test_the_seed_alone_decides_its_bytes(
    sets: dict[str, Acquired], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parallel, "cores", lambda: 1)
    again, other = made(name), made(name, seed=8)
    assert again.faces.equals(sets[name].faces) and again.pairs.equals(sets[name].pairs)
    assert not set(other.faces["face_id"].to_pylist()) & set(again.faces["face_id"].to_pylist())


def test_nobody_is_in_two_sets_or_in_training(sets: dict[str, Acquired]) -> None:
    names = [set(acquired.faces["identity"].drop_null().to_pylist()) for acquired in sets.values()]
    assert len(set.union(*names)) == sum(map(len, names))
    assert not any(name[0] in "an" for name in set.union(*names))
    people = [someone(7, stream, number) for stream in Stream for number in range(3)]
    people += [generated._person(7, kind, number) for kind in range(6) for number in range(3)]
    assert len({person.texture_seed for person in people}) == len(people)
    assert len(set(Stream)) == len(Stream.__members__)


def test_surveillance_has_survface_parts(sets: dict[str, Acquired]) -> None:
    acquired = sets["generated_surveillance"]
    parts = column(acquired.faces, "part")
    assert Counter(parts) == {"gallery": 4, "mated_probe": 4, "unmated_probe": 3, "verification": 4}
    identity = acquired.faces["identity"].to_pylist()
    people = {part: {who for who, of in zip(identity, parts, strict=True) if of == part} for part in set(parts)}
    assert people["gallery"] == people["mated_probe"] == {"s0001", "s0002"}
    assert people["unmated_probe"] == people["verification"] == {None}
    assert max(acquired.faces["height"].to_pylist()) <= SMALL_SIDE
    verified = {face for face, part in zip(acquired.faces["face_id"].to_pylist(), parts, strict=True) if part[0] == "v"}
    assert {face for pair in acquired.pairs.to_pylist() for face in (pair["left"], pair["right"])} <= verified
    person = {face: name.partition("_cam")[0] for face, name in named(acquired).items()}
    for pair in acquired.pairs.to_pylist():
        assert (person[pair["left"]] == person[pair["right"]]) == pair["same"]
    assert Counter(acquired.pairs["same"].to_pylist()) == {True: 2, False: 2}


def named(acquired: Acquired) -> dict[str, str]:
    return dict(zip(acquired.faces["face_id"].to_pylist(), column(acquired.faces, "name"), strict=True))


def test_people_who_train_are_beside_the_same_test_set(sets: dict[str, Acquired], monkeypatch) -> None:
    monkeypatch.setattr(parallel, "cores", lambda: 1)
    faces = made("generated_surveillance", train_identities=2).faces
    trains = [split == "train" for split in faces["split"].to_pylist()]
    assert faces.filter(pa.array([not train for train in trains])).equals(sets["generated_surveillance"].faces)
    people = set(faces.filter(pa.array(trains))["identity"].to_pylist())
    assert len(people) == 2 and not people & set(sets["generated_surveillance"].faces["identity"].to_pylist())


def test_mugshots_are_sharp_and_come_nearer_step_by_step(sets: dict[str, Acquired]) -> None:
    faces = sets["generated_mugshots"].faces
    parts = np.array(column(faces, "part"))
    assert Counter(parts.tolist()) == {"mugshot": 2, "distance_1": 4, "distance_2": 4, "distance_3": 4}
    height = faces["height"].to_numpy()
    steps = [height[parts == part].mean() for part in ("distance_1", "distance_2", "distance_3", "mugshot")]
    assert all(near > 1.2 * far for far, near in pairwise(steps))
    assert 9 < steps[0] < 15
    assert steps[-1] > 60
    assert set(column(faces, "camera")) == {None, "1", "2"}
    assert faces.filter(pa.array(parts == "mugshot"))["split"].to_pylist() == ["gallery"] * 2


def test_templates_hold_stills_and_videos_and_each_probe_is_unmated_in_one_gallery(sets: dict[str, Acquired]) -> None:
    acquired = sets["generated_templates"]
    rows = acquired.enrolment.to_pylist()
    assert Counter(row["role"] for row in rows) == {"G1": 2, "G2": 1, "probe": 6}
    gallery = {role: {row["identity"] for row in rows if row["role"] == role} for role in ("G1", "G2")}
    assert not gallery["G1"] & gallery["G2"]
    assert {row["identity"] for row in rows if row["role"] == "probe"} == gallery["G1"] | gallery["G2"]
    identity = {row["template"]: row["identity"] for row in rows}
    faces = acquired.faces
    assert dict(zip(column(faces, "template"), faces["identity"].to_pylist(), strict=True)) == identity
    images_of_a_medium = Counter(column(faces, "media"))
    assert Counter(images_of_a_medium.values()) == {1: 9, 2: 6}
    assert acquired.pairs.num_rows == 3 * 6
    for pair in acquired.pairs.to_pylist():
        assert (identity[pair["left"]] == identity[pair["right"]]) == pair["same"]


def test_pairs_come_in_ten_folds_that_share_nobody(sets: dict[str, Acquired]) -> None:
    acquired = sets["generated_pairs"]
    identity = dict(zip(acquired.faces["face_id"].to_pylist(), acquired.faces["identity"].to_pylist(), strict=True))
    people: dict[int, set[str]] = {}
    for pair in acquired.pairs.to_pylist():
        assert (identity[pair["left"]] == identity[pair["right"]]) == pair["same"]
        people.setdefault(pair["fold"], set()).update({identity[pair["left"]], identity[pair["right"]]})
    assert sorted(people) == list(range(10))
    assert sum(map(len, people.values())) == len(set.union(*people.values()))
    assert Counter(acquired.pairs["same"].to_pylist()) == {True: 20, False: 20}


def test_a_line_up_is_of_people_with_several_portraits_among_strangers(sets: dict[str, Acquired]) -> None:
    faces = sets["generated_distractors"].faces
    assert Counter(faces["identity"].to_pylist()) == {"l0001": 3, "l0002": 3, None: 2}
    assert Counter(column(faces, "part")) == {"probe": 6, "distractor": 2}
    assert min(faces["height"].to_pylist()) > 60


def test_a_tiny_face_is_the_sharp_one_from_farther_away() -> None:
    sitting = sit(someone(7, Stream.DISTRACTORS, 0), draws(7, Stream.DISTRACTORS, 0, 0), SMALL_SIDE)
    sharp = near(sitting)
    whole = decode(sharp.image).shape[0]
    for height in (8, 20, 32):
        tiny = far(sitting, height, draws(0, Stream.DISTRACTORS))
        assert abs(decode(tiny.image).shape[0] - height) <= 2
        scale = decode(tiny.image).shape[0] / whole
        assert np.allclose(tiny.landmarks, np.multiply(sharp.landmarks, scale), atol=1.5)
    assert decode(far(sitting, 500, draws(0, Stream.DISTRACTORS)).image).shape[0] == whole


def test_who_looks_away_is_a_whole_picture_that_scores_as_a_miss() -> None:
    sitting = sit(someone(7, Stream.DISTRACTORS, 0), draws(7, Stream.DISTRACTORS, 0, 0), SMALL_SIDE, away=True)
    for shot in (near(sitting), far(sitting, 20, draws(0, Stream.DISTRACTORS))):
        crop = shot.crop("a.png", None, part="gallery")
        assert crop.attributes == {"part": "gallery", "missing": "no_face"}
        assert crop.landmarks is None
    assert decode(near(sitting).image).shape == (SMALL_SIDE, SMALL_SIDE, 3)
    assert 8 < decode(far(sitting, 20, draws(0, Stream.DISTRACTORS)).image).shape[0] < SMALL_SIDE
