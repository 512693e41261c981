"""Which HR face stands in for which native one, so that both make the same benchmark."""

from collections.abc import Sequence
from itertools import chain, zip_longest

import numpy as np


def counterparts(
    native: tuple[Sequence[str | None], Sequence[str]], hr: Sequence[str | None], seed: int
) -> list[tuple[int, int]]:
    """Finds an HR face for native faces, as many as there are HR faces for.

    A native identity is played by one HR identity, the one with more images by the one with more; of a native identity
    with more images than its player has, probes and gallery faces are played in turn. Whoever plays nobody is, with
    the unnamed HR faces, a distractor. Identities and distractors that are left over are left out, at random.

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
    drawn = [list(wanted)[index] for index in rng.permutation(len(wanted))[: len(people)]]
    roles = _most_images_first({name: _in_turn(wanted[name], split) for name in drawn})
    players = _most_images_first(people)[: len(roles)]
    pairs = [pair for faces, images in zip(roles, players, strict=True) for pair in zip(faces, images, strict=False)]
    playing = set(chain.from_iterable(players))
    strangers = [face for face in range(len(hr)) if face not in playing]
    distractors = [face for face, identity in enumerate(identities) if identity is None]
    some = min(len(strangers), len(distractors))
    chosen = (rng.permutation(faces)[:some].tolist() for faces in (distractors, strangers))
    return pairs + list(zip(*chosen, strict=True))


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
