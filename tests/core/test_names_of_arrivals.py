"""Names of new faces: right ones keep their place through a poor camera, wrong ones fall to a half."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lrfr.core import names_of_arrivals as names

PEOPLE, IMAGES, SIZE = 30, 6, 24


@pytest.fixture
def town():
    """Accepted faces (N, D) of people, their numbers, and a function that makes new faces of somebody."""
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(PEOPLE + 20, SIZE)) + 2.0  # all have something in common

    def faces(person, noise=0.9):
        return centres[person] + rng.normal(0, noise, (len(person), SIZE))

    known_person = np.repeat(np.arange(PEOPLE), IMAGES)
    return faces(known_person), known_person, faces


def share(town, faces, said, shift=0.0):
    known, known_person, _ = town
    centre = names.centre_of(known)
    old = names.directions(known, centre)
    found = names.places(names.directions(faces + shift, centre), said, old, known_person)
    return names.wrong_share(found.place.mean(), names.accepted_places(old, known_person).place.mean()), found


def test_right_names_are_right(town):
    who = np.repeat(np.arange(10), 3)
    assert share(town, town[2](who), who)[0] < 0.1


def test_a_poor_camera_is_no_wrong_name(town):
    who = np.repeat(np.arange(10), 3)
    shift = np.linspace(-2, 2, SIZE)
    assert share(town, town[2](who, noise=1.3), who, shift)[0] < 0.35


def test_names_that_slipped_by_one_are_wrong(town):
    who = np.repeat(np.arange(10), 3)
    assert share(town, town[2](who), np.roll(who, 3))[0] > 0.7


def test_new_people_are_compared_with_one_another(town):
    who = np.repeat(np.arange(PEOPLE, PEOPLE + 12), 4)
    faces = town[2](who)
    assert share(town, faces, who)[0] < 0.2
    assert share(town, faces, np.random.default_rng(1).permutation(who))[0] > 0.7


def test_nobody_s_face_and_a_new_person_s_only_one_have_no_place(town):
    who = np.array([0, -1, PEOPLE + 1])
    assert share(town, town[2](np.array([0, 1, PEOPLE + 1])), who)[1].row.tolist() == [0]


def test_the_place_is_the_share_of_others_that_are_less_alike(town):
    known, known_person, faces = town
    face = faces(np.array([3]))
    means = np.array([known[known_person == person].sum(axis=0) for person in range(PEOPLE)])
    likeness = means @ face[0] / np.linalg.norm(means, axis=1)
    found = names.places(face, np.array([3]), known, known_person)
    assert found.place[0] == pytest.approx((likeness < likeness[3]).sum() / (PEOPLE - 1))


def test_accepted_faces_are_compared_without_themselves(town):
    known, known_person, _ = town
    found = names.accepted_places(known, known_person)
    row = 8
    sums = np.array([known[known_person == person].sum(axis=0) for person in range(PEOPLE)])
    sums[known_person[row]] -= known[row]
    likeness = sums @ known[row] / np.linalg.norm(sums, axis=1)
    assert found.place[row] == pytest.approx((likeness < likeness[known_person[row]]).sum() / (PEOPLE - 1))


def test_a_share_of_wrong_names_is_what_mixes_the_two(town):
    assert names.wrong_share(0.9, 0.9) == 0
    assert names.wrong_share(0.5, 0.9) == 1
    assert names.wrong_share(0.7, 0.9) == pytest.approx(0.5)
    assert names.wrong_share(0.4, 0.5) == 0  # a model that knows nothing tells nothing


def judged(places):
    """What usual lacks are told from: two batches' places by person."""
    return names.Places(np.arange(len(places)), np.repeat(np.arange(len(places) // 4), 4), np.asarray(places))


def test_people_who_differ_more_are_allowed_to_lack_more():
    rng = np.random.default_rng(0)
    accepted = judged(np.repeat(rng.uniform(0.9, 1.0, 40), 4))
    usual = names.usual_lacks(accepted, accepted)
    _, _, means = accepted.by_person()
    assert usual == pytest.approx(means - means.mean())
    poor = judged(np.repeat(rng.uniform(0.4, 0.9, 40), 4))
    assert names.usual_lacks(accepted, poor).min() < 3 * usual.min()
    calm = judged(np.repeat(rng.uniform(0.94, 0.96, 40), 4))
    assert names.usual_lacks(accepted, calm) == pytest.approx(usual), "no batch narrows them"


def test_a_wrong_person_widens_nothing():
    rng = np.random.default_rng(1)
    accepted, batch = (np.repeat(rng.uniform(0.9, 1.0, 40), 4) for _ in range(2))
    poisoned = batch.copy()
    poisoned[:4] = 0.5
    before, after = (names.usual_lacks(judged(accepted), judged(one)).min() for one in (batch, poisoned))
    assert after == pytest.approx(before, rel=0.15)


def test_a_wrong_person_is_found_where_accepted_faces_came_through_a_poor_camera():
    rng = np.random.default_rng(2)
    mixed = judged(np.repeat(np.concatenate([rng.uniform(0.95, 1.0, 30), rng.uniform(0.55, 0.9, 10)]), 4))
    person = np.concatenate([np.full(12, 7), np.repeat(np.arange(100, 115), 3)])

    def batch(place):
        place = np.concatenate([np.full(12, place), np.repeat(rng.uniform(0.95, 1.0, 15), 3)])
        return names.Places(np.arange(len(place)), person, place)

    assert names.wrong_people(batch(0.95), lambda most: mixed) == []
    ((who, count, share),) = names.wrong_people(batch(0.72), lambda most: mixed)
    assert (who, count) == (7, 12) and 0.5 < share < 0.6


def test_a_clean_batch_of_many_people_is_seldom_refused_by_a_weak_model():
    rng = np.random.default_rng(3)

    def people(count):
        return judged(np.repeat(rng.beta(4, 1.2, count), 4))

    accepted = people(110)
    refused = sum(bool(names.wrong_people(people(40), lambda most: accepted)) for _ in range(200))
    assert refused <= 10  # one in twenty


def test_somebody_far_beyond_all_who_were_accepted_is_found_among_many_people():
    rng = np.random.default_rng(4)
    accepted, batch = (np.repeat(rng.uniform(0.9, 1.0, count), 4) for count in (110, 40))
    batch[:4] = 0.5
    assert [who for who, *_ in names.wrong_people(judged(batch), lambda most: judged(accepted))] == [0]


def test_a_person_of_many_faces_is_held_against_as_many_of_others():
    rng = np.random.default_rng(5)
    faces = np.clip(rng.normal(0.8, 0.4, (100, 12)), 0, 1)

    def accepted(most):
        return names.Places(np.arange(100 * most), np.repeat(np.arange(100), most), faces[:, :most].ravel())

    def found(count):
        person = np.concatenate([np.full(count, 200), np.repeat(np.arange(15), 4)])
        place = np.concatenate([np.full(count, 0.7), rng.uniform(0.93, 1, 60)])
        return names.wrong_people(names.Places(np.arange(len(person)), person, place), accepted)

    assert found(4) == []
    assert [(who, count) for who, count, _ in found(12)] == [(200, 12)]


@given(st.lists(st.floats(-1, 1), min_size=1, max_size=60), st.floats(-2, 1), st.floats(-2, 1))
def test_a_larger_lack_is_no_less_rare(lacks, one, other):
    low, high = sorted((one, other))
    rare, usual = (names.rarity(np.array(lacks), lack) for lack in (low, high))
    assert 0 <= rare <= usual <= 1
