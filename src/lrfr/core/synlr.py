"""Which HR face stands in for which native one, so that both make the same benchmark."""

from collections.abc import Sequence
from itertools import chain, zip_longest

import numpy as np


def counterparts(
    native: tuple[Sequence[str | None], Sequence[str]], hr: Sequence[str | None], seed: int
) -> list[tuple[int, int]]:
    """Finds an HR face for native faces, as many as there are HR faces for.

    One HR identity stands in for one native identity, those with more images for those with more; where the native one
    has more images, its probes and gallery faces are taken in turn. HR faces that stand in for no identity, and the
    unnamed ones, stand in for distractors. Identities and distractors that are left over are left out, at random.

    Args:
        native: identity (None for a distractor) and split (probe, gallery or distractor) of each native test face.
        hr: identity of each HR face, None for one that nobody could name.
        seed: draws who is left out.

    Returns:
        Pairs (native face, HR face), each face in one at most. A native identity is in them with a probe and a gallery
        face at least, or not at all.
    """
    identities, split = native
    rng = np.random.default_rng(seed)
    wanted = _faces_of(identities)
    people = {name: faces for name, faces in _faces_of(hr).items() if len(faces) > 1}
    pairs, stand_ins = _paired({name: _in_turn(faces, split) for name, faces in wanted.items()}, people, rng)
    taken = set(chain.from_iterable(stand_ins))
    strangers = [face for face in range(len(hr)) if face not in taken]
    distractors = [face for face, identity in enumerate(identities) if identity is None]
    some = min(len(strangers), len(distractors))
    chosen = (rng.permutation(faces)[:some].tolist() for faces in (distractors, strangers))
    return pairs + list(zip(*chosen, strict=True))


def training_counterparts(native: Sequence[str], hr: Sequence[str | None], seed: int) -> list[tuple[int, int]]:
    """Finds an HR face for native training faces: identity by identity, as :func:`counterparts`.

    Args:
        native: identity of each native training face.
        hr: identity of each HR face, None for one that nobody could name.
        seed: draws who is left out.
    """
    return _paired(_faces_of(native), _faces_of(hr), np.random.default_rng(seed))[0]


def halves(train: int, tested: int, hr: Sequence[str | None], seed: int) -> tuple[np.ndarray, np.ndarray]:
    """The HR faces that may stand in for training faces, and those that may for test faces: of other identities.

    Of too few HR identities either side has its share.

    Args:
        train: how many native identities train.
        tested: how many are tested.
        hr: identity of each HR face, None for one that nobody could name, which may stand in for a distractor.
        seed: draws the identities.

    Returns:
        Their numbers, ascending.
    """
    people = [name for name, faces in _faces_of(hr).items() if len(faces) > 1]
    count = train if len(people) >= train + tested else round(len(people) * train / (train + tested))
    drawn = np.random.default_rng((seed, 1)).permutation(len(people))[:count]
    chosen = {people[index] for index in drawn.tolist()}
    trains = np.array([name in chosen for name in hr], bool)
    return np.flatnonzero(trains), np.flatnonzero(~trains)


def _paired(
    wanted: dict[str, list[int]], people: dict[str, list[int]], rng: np.random.Generator
) -> tuple[list[tuple[int, int]], list[list[int]]]:
    """The pairs (native face, HR face), and all HR faces of each identity that stands in for one."""
    drawn = [list(wanted)[index] for index in rng.permutation(len(wanted))[: len(people)]]
    replaced = _most_images_first({name: wanted[name] for name in drawn})
    stand_ins = _most_images_first(people)[: len(replaced)]
    pairs = [
        pair for faces, images in zip(replaced, stand_ins, strict=True) for pair in zip(faces, images, strict=False)
    ]
    return pairs, stand_ins


def _faces_of(identities: Sequence[str | None]) -> dict[str, list[int]]:
    """The faces of each identity, in the order of the names."""
    faces: dict[str, list[int]] = {}
    for face, identity in enumerate(identities):
        if identity is not None:
            faces.setdefault(identity, []).append(face)
    return dict(sorted(faces.items()))


def _most_images_first(faces: dict[str, list[int]]) -> list[list[int]]:
    return sorted(faces.values(), key=len, reverse=True)


def _in_turn(faces: list[int], split: Sequence[str]) -> list[int]:
    """Probes and gallery faces in turn, so that wherever the list is cut, from two on, it has both."""
    sides = [[face for face in faces if split[face] == side] for side in ("gallery", "probe")]
    return [face for pair in zip_longest(*sides) for face in pair if face is not None]
