"""Do the names of new faces fit what the faces look like? A share of wrong names, estimated without knowing which.

A face is compared with the mean of its own name's other faces and with the means of the other people. The share of the
others that are less like it, its *place*, is 1 for a face that is most like its own name, and 0.5 on average where the
name was drawn by lot. A poorer camera lowers the place of a right name; only wrong names lower it to a half.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

CHANCE = 0.5
LEAST_PEOPLE = 5  # whom a face is compared with
LEAST_FACES = 4  # of a person, from which that one's name is judged
LEAST_OTHERS = 10  # faces of a batch's other people, from which a person is held against them
MOST = 0.5  # of a person's faces that show others, estimated, from which that person is refused
BY_CHANCE = 0.05  # people as ill-placed whom a clean batch would have, at most
TAIL, LEAST_TAIL = 0.1, 5  # share and number of people, from whose lacks is told how rare a larger one is


@dataclass(frozen=True)
class Places:
    """The places of faces whose names can be judged.

    Attributes:
        row: (N,) which faces.
        person: (N,) whose name each has.
        place: (N,) 0..1.
    """

    row: np.ndarray
    person: np.ndarray
    place: np.ndarray

    def by_person(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The people (K,), how many faces of each were judged, and the mean of their places."""
        people, index, count = np.unique(self.person, return_inverse=True, return_counts=True)
        return people, count, np.bincount(index, weights=self.place) / np.maximum(count, 1)


def directions(embedding: np.ndarray, centre: np.ndarray) -> np.ndarray:
    """Embeddings (N, D) as unit vectors around a centre (D,): what all faces have in common says nothing."""
    return _unit(_unit(embedding) - centre)


def centre_of(embedding: np.ndarray) -> np.ndarray:
    """The mean direction (D,) of embeddings (N, D)."""
    return _unit(embedding).mean(axis=0)


def places(face: np.ndarray, person: np.ndarray, known: np.ndarray, known_person: np.ndarray) -> Places:
    """The places of new faces among the people who are known, and of new people among one another.

    A known person's new face is compared with the faces that were accepted alone: what is new shares a camera, by which
    new people would look alike.

    Args:
        face: (N, D) directions.
        person: (N,) int64, -1 for nobody's.
        known: (M, D) directions of the faces that were accepted.
        known_person: (M,) int64, in the same numbers.
    """
    is_known = np.isin(person, known_person) & (person >= 0)
    old = _among(face, person, np.flatnonzero(is_known), known, known_person)
    new = np.flatnonzero(~is_known & (person >= 0))
    return _joined(old, _left_out(face, person, new))


def accepted_places(known: np.ndarray, known_person: np.ndarray, most: int | None = None, seed: int = 0) -> Places:
    """The places of accepted faces among one another; ``most`` faces of each person alone, drawn by the seed."""
    rows = np.flatnonzero(known_person >= 0)
    if most is not None:
        drawn = np.random.default_rng(seed).permutation(rows)
        _, index, count = np.unique(known_person[drawn], return_inverse=True, return_counts=True)
        order = np.argsort(index, kind="stable")
        number = np.empty(len(drawn), np.int64)
        number[order] = np.arange(len(drawn)) - np.repeat(np.cumsum(count) - count, count)
        rows = np.sort(drawn[number < most])
    return _left_out(known, known_person, rows)


def wrong_share(place: float, accepted: float) -> float:
    """The share of wrong names, 0..1, that lowers the mean place from that of accepted faces to what was observed."""
    if accepted <= CHANCE:
        return 0.0
    return float(np.clip((accepted - place) / (accepted - CHANCE), 0, 1))


def wrong_people(batch: Places, accepted: Callable[[int], Places]) -> list[tuple[int, int, float]]:
    """The people of whom most faces seem to show somebody else, although the batch's names are right in general.

    Each is held against the other people of the batch, who came through the same camera, not against accepted faces,
    which may have come through others. How far a right name's place may lie from theirs is told from both: from as many
    faces of each accepted person as that one has, as a mean of more faces is surer.

    Args:
        batch: of the faces of a batch.
        accepted: the places of so many accepted faces of each person, at most.

    Returns:
        Of each: the person, how many faces were judged, and the estimated share of wrong ones, 0..1.
    """
    people, counts, means = batch.by_person()
    judged, wrong = np.flatnonzero(counts >= LEAST_FACES), []
    for place in judged:
        count, others = int(counts[place]), len(batch.place) - counts[place]
        rest = batch.place.sum() - count * means[place]
        right = rest / others if others >= LEAST_OTHERS else accepted(count).place.mean()
        share = wrong_share(means[place], right)
        if share < MOST:
            continue
        theirs = np.delete(means - right, place)[np.delete(counts, place) >= 2]
        lacks = np.concatenate([usual_lacks(accepted(count), batch), theirs])
        if rarity(lacks, means[place] - right) * len(judged) < BY_CHANCE:
            wrong.append((int(people[place]), count, share))
    return wrong


def rarity(lacks: np.ndarray, lack: float) -> float:
    """The share of right names, 0..1, whose lack would be as large as one, or larger.

    Beyond the largest tenth it is told from how fast that tenth thins out, as an exponential tail: what is beyond a
    high threshold is nearly so (J. Pickands, Annals of Statistics 3, 1975). Else nobody could be rarer than one in as
    many people as were accepted, which is not rare enough in a batch of many.

    Args:
        lacks: (K,) of right names, below 0 where somebody is placed lower than everybody.
        lack: the one in question.
    """
    if not len(lacks):
        return 1.0
    ordered = np.sort(lacks)
    share = min(max(TAIL, LEAST_TAIL / len(lacks)), 1.0)
    threshold = float(np.quantile(ordered, share))
    if lack >= threshold:
        return max(float(np.mean(ordered <= lack)), share)
    tail = threshold - ordered[ordered < threshold]
    thins_out = max(float(tail.mean()), 1 / len(lacks)) if len(tail) else 1 / len(lacks)
    return share * float(np.exp((lack - threshold) / thins_out))


def usual_lacks(accepted: Places, batch: Places) -> np.ndarray:
    """How far the mean places of people of right names lie from everybody's, (K,), below 0 where somebody's is lower.

    They are those of accepted people, and wider where the people of a batch differ more, as through a poorer camera:
    wider by the ratio of the quartiles' distances, which a few wrong names do not move.

    Args:
        accepted: of faces that were accepted.
        batch: of the faces of a batch.
    """
    lacks, others = (_lacks(places) for places in (accepted, batch))
    if not len(lacks) or not len(others):
        return lacks
    least = 1 / len(lacks)  # what a mean place of few faces can be told to
    wider = max(_spread(others), least) / max(_spread(lacks), least)
    return lacks * max(wider, 1.0)


def _lacks(places: Places) -> np.ndarray:
    _, count, mean = places.by_person()
    return mean[count >= 2] - places.place.mean() if len(mean) else mean


def _spread(values: np.ndarray) -> float:
    low, high = np.percentile(values, [25, 75])
    return float(high - low)


def _among(
    face: np.ndarray, person: np.ndarray, rows: np.ndarray, known: np.ndarray, known_person: np.ndarray
) -> Places:
    people, index = np.unique(known_person[known_person >= 0], return_inverse=True)
    if len(people) <= LEAST_PEOPLE or not len(rows):
        return _none()
    means = _means(known[known_person >= 0], index, len(people))
    likeness = face[rows] @ means.T
    own = np.searchsorted(people, person[rows])
    return Places(rows, person[rows], _place(likeness, own))


def _left_out(face: np.ndarray, person: np.ndarray, rows: np.ndarray) -> Places:
    """The places among the people of these rows; a face takes no part in the mean of its own name."""
    people, index, count = np.unique(person[rows], return_inverse=True, return_counts=True)
    if len(people) <= LEAST_PEOPLE:
        return _none()
    judged = count[index] > 1
    sums = np.zeros((len(people), face.shape[1]))
    np.add.at(sums, index, face[rows])
    likeness = face[rows] @ _unit(sums).T
    likeness[np.arange(len(rows)), index] = np.sum(face[rows] * _unit(sums[index] - face[rows]), axis=1)
    return Places(rows[judged], person[rows][judged], _place(likeness[judged], index[judged]))


def _place(likeness: np.ndarray, own: np.ndarray) -> np.ndarray:
    """The share of other people (N,) that are less like a face than its own name; who is as like counts half."""
    mine = likeness[np.arange(len(own)), own][:, None]
    below = (likeness < mine).sum(axis=1) + 0.5 * ((likeness == mine).sum(axis=1) - 1)
    return below / (likeness.shape[1] - 1)


def _means(face: np.ndarray, index: np.ndarray, people: int) -> np.ndarray:
    sums = np.zeros((people, face.shape[1]))
    np.add.at(sums, index, face)
    return _unit(sums)


def _joined(first: Places, second: Places) -> Places:
    return Places(
        np.concatenate([first.row, second.row]),
        np.concatenate([first.person, second.person]),
        np.concatenate([first.place, second.place]),
    )


def _none() -> Places:
    return Places(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0))


def _unit(rows: np.ndarray) -> np.ndarray:
    rows = np.asarray(rows, np.float64)
    return rows / np.maximum(np.linalg.norm(rows, axis=-1, keepdims=True), np.finfo(np.float64).tiny)
