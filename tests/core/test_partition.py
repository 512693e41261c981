from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lrfr.core import partition
from lrfr.errors import BenchmarkError

people = st.dictionaries(st.sampled_from([f"person{n}" for n in range(30)]), st.integers(1, 6), max_size=30)


def numbers(names: list[str | None]) -> tuple[list[str], np.ndarray]:
    distinct = sorted({name for name in names if name is not None})
    return distinct, np.array([-1 if name is None else distinct.index(name) for name in names], dtype=np.int32)


def assign(faces: list[str], names: list[str | None], train_fraction: float, seed: int) -> list[str]:
    distinct, person = numbers(names)
    return partition.assign(np.array(faces, dtype=bytes), person, distinct, train_fraction, seed).tolist()


def hold_out(faces: list[str], names: list[str], seed: int) -> list[str]:
    return partition.hold_out(np.array(faces, dtype=bytes), numbers(names)[1], seed).tolist()


def check(names: list[str | None], split: list[str], auxiliary: list[str]) -> None:
    distinct, person = numbers(names)
    partition.check(person, distinct, np.array(split, dtype=object), auxiliary)


def rows(images: dict[str, int], unknown: int = 0) -> tuple[list[str], list[str | None]]:
    named = [(f"{name}/{index}", name) for name, count in images.items() for index in range(count)]
    pairs = named + [(f"unknown/{index}", None) for index in range(unknown)]
    return [face for face, _ in pairs], [name for _, name in pairs]


@given(people, st.integers(0, 5), st.integers(0, 9))
def test_identities_are_disjoint_and_every_probe_has_a_mate(images, unknown, seed):
    faces, names = rows(images, unknown)
    split = assign(faces, names, 0.5, seed)
    parts = {part: [name for name, of in zip(names, split, strict=True) if of == part] for part in set(split)}
    probe, gallery = Counter(parts.get("probe", [])), Counter(parts.get("gallery", []))
    assert not (probe.keys() | gallery.keys()) & set(parts.get("train", []))
    assert probe.keys() == gallery.keys()
    assert all(0 <= gallery[name] - probe[name] <= 1 for name in probe)
    assert parts.get("distractor", []) == [None] * unknown


@given(people, people, st.integers(0, 9))
def test_no_image_moves_when_identities_are_added(images, more, seed):
    faces, names = rows(images)
    everybody = images | {name: count for name, count in more.items() if name not in images}
    all_faces, all_names = rows(everybody, 3)
    before = dict(zip(faces, assign(faces, names, 0.5, seed), strict=True))
    after = dict(zip(all_faces, assign(all_faces, all_names, 0.5, seed), strict=True))
    assert before.items() <= after.items()
    shuffled = dict(zip(all_faces[::-1], assign(all_faces[::-1], all_names[::-1], 0.5, seed), strict=True))
    assert shuffled == after


@given(people, people, st.integers(0, 9))
def test_new_images_of_an_identity_do_not_change_its_side(images, more, seed):
    faces, names = rows({name: count + 1 for name, count in images.items()})
    more_faces, more_names = rows({name: count + 1 + more.get(name, 0) for name, count in images.items()})
    before = dict(zip(names, assign(faces, names, 0.5, seed), strict=True))
    after = dict(zip(more_names, assign(more_faces, more_names, 0.5, seed), strict=True))
    assert {name for name, part in before.items() if part == "train"} == {
        name for name, part in after.items() if part == "train"
    }


@given(st.lists(st.text(st.characters(codec="ascii", min_codepoint=33), min_size=1), min_size=1, unique=True))
def test_a_draw_depends_on_the_face_alone(faces):
    together = assign(faces, ["ann"] * len(faces), 0.0001, 3)
    padded = np.array([*faces, "a name that is longer than all of these" * 9], dtype=bytes)[:-1]
    alone = partition.assign(padded, np.zeros(len(faces), int), ["ann"], 0.0001, 3)
    assert together == alone.tolist()


def test_the_fraction_is_kept_and_the_seed_matters():
    faces, names = rows({f"person{n}": 2 for n in range(1000)})
    split = assign(faces, names, 0.3, 1)
    assert 250 < len({name for name, part in zip(names, split, strict=True) if part == "train"}) < 350
    assert split != assign(faces, names, 0.3, 2)


def test_an_identity_with_one_image_trains():
    faces, names = rows({f"person{n}": 1 for n in range(20)})
    assert set(assign(faces, names, 0.01, 0)) == {"train"}


@given(people, st.integers(0, 9))
def test_one_image_in_ten_is_held_out(images, seed):
    faces, names = rows(images | {"many": 40})
    split = hold_out(faces, names, seed)
    held_out = Counter(name for name, part in zip(names, split, strict=True) if part == "validation")
    assert held_out["many"] == 4
    assert all(held_out[name] == (1 if count >= 5 else 0) for name, count in images.items())


@pytest.mark.parametrize(
    ("names", "split", "auxiliary", "message"),
    [
        (["ann", "ann", "ann"], ["train", "probe", "gallery"], [], "in both train and test: ann"),
        (["bob", "ann", "ann"], ["train", "probe", "gallery"], ["ann"], "in both the auxiliary set and test: ann"),
        (["bob", "ann"], ["train", "probe"], [], "in only one of probe and gallery: ann"),
        (["bob", "ann", "ann", "eva"], ["train", "probe", "gallery", "distractor"], [], "among the distractors: eva"),
        (["bob", None, None], ["train", "probe", "gallery"], [], "has no identity"),
        (["ann", "ann"], ["probe", "gallery"], [], "nobody to train"),
        (["bob", None], ["train", "distractor"], [], "nobody to test"),
    ],
)
def test_a_broken_split_is_refused(names, split, auxiliary, message):
    with pytest.raises(BenchmarkError, match=message):
        check(names, split, auxiliary)


def test_a_sound_split_passes():
    check(["bob", "ann", "ann", None], ["train", "probe", "gallery", "distractor"], ["bob", "eva"])
