"""What the page shows: faces, or pairs of faces that may show one picture, each as a card that is ready for JSON."""

from base64 import b64encode
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import pyarrow as pa

from lrfr.core.manifest_lines import latest
from lrfr.core.names import Name
from lrfr.core.pair_verdicts import PAIR_VERDICTS, Pair
from lrfr.core.verdicts import VERDICTS
from lrfr.decoding import decode
from lrfr.errors import ImageError
from lrfr.faces import encode_png
from lrfr.images import Images

Card = dict[str, Any]
Place = tuple[str | None, list[float] | None]  # photo_id and box

FACE_FACTS = ("width", "height", "score", "identity", "photo_id")


@dataclass(frozen=True)
class Opinion:
    """What a labeller said, for an adjudicator: a verdict, or a name, or both."""

    labeller: str
    verdict: str | None = None
    note: str = ""
    name: str | None = None


class Cards(Protocol):
    """What is judged, in rows.

    Attributes:
        shows: faces or pairs.
        words: the verdicts that it can have; the first is what most are.
        about: by id, which the page knows, what the manifest's lines speak of; in the order of the rows.
    """

    shows: str
    words: tuple[str, ...]
    about: dict[str, Hashable]

    def of(self, rows: Sequence[int]) -> list[Card]:
        """The cards of some rows, without what was said of them."""
        ...

    def place(self, row: int) -> Place:
        """Where a row's face is in which photo."""
        ...


class FaceCards:
    """The faces of a table; ``images`` are theirs, in their order, ``said`` what labellers said, for adjudicators."""

    shows: str = "faces"
    words: tuple[str, ...] = VERDICTS

    def __init__(self, faces: pa.Table, images: Images, said: Mapping[str, Sequence[Opinion]] | None = None) -> None:
        self._faces, self._images, self._said = faces, images, said or {}
        self.about: dict[str, Hashable] = {face_id: face_id for face_id in faces["face_id"].to_pylist()}

    def of(self, rows: Sequence[int]) -> list[Card]:
        """The cards of some rows."""
        (images,) = self._images.select(np.array(rows)).batches(len(rows))
        return [self._card(row, image) for row, image in zip(rows, images, strict=True)]

    def place(self, row: int) -> Place:
        """Where the face is."""
        face = self._faces.select(["photo_id", "box"]).slice(row, 1).to_pylist()[0]
        return face["photo_id"], face["box"]

    def _card(self, row: int, image: bytes) -> Card:
        face = self._faces.slice(row, 1).to_pylist()[0]
        said = [vars(opinion) for opinion in self._said.get(face["face_id"], [])]
        return {name: face[name] for name in FACE_FACTS} | {"image": data_uri(image), "said": said}


@dataclass(frozen=True)
class Side:
    """One face of a pair: what is known of it, and what reads its encoded image."""

    facts: Card
    image: Callable[[], bytes]


@dataclass(frozen=True)
class ShownPair:
    """Two faces side by side.

    Attributes:
        copy: the one that may go.
        first: the one that it may copy.
        difference: mean absolute difference of their thumbnails, 0..255; None for a pair that is no finding any more.
        follows: why the copy is excluded, a reason of curation's; None likewise.
    """

    copy: Side
    first: Side
    difference: float | None
    follows: str | None


class PairCards:
    """Pairs of faces that may show the same picture."""

    shows: str = "pairs"
    words: tuple[str, ...] = PAIR_VERDICTS

    def __init__(self, pairs: Mapping[Pair, ShownPair], said: Mapping[Pair, Sequence[Opinion]] | None = None) -> None:
        self._pairs, self._said = list(pairs.items()), said or {}
        self.about: dict[str, Hashable] = {" ".join(about): about for about in pairs}

    def of(self, rows: Sequence[int]) -> list[Card]:
        """The cards of some rows."""
        return [self._card(*self._pairs[row]) for row in rows]

    def place(self, row: int) -> Place:
        """Two faces are in two photos, and none of them is shown."""
        return None, None

    def _card(self, about: Pair, pair: ShownPair) -> Card:
        said = [vars(opinion) for opinion in self._said.get(about, [])]
        sides = (pair.copy, pair.first)
        shown = {"faces": [side.facts for side in sides], "images": [data_uri(side.image()) for side in sides]}
        return shown | {"difference": pair.difference, "follows": pair.follows, "said": said}


def opinions(verdicts: Iterable, names: Iterable[Name] = ()) -> dict[Any, list[Opinion]]:
    """What each labeller said last, by face or pair, in the order of the labellers' names."""
    said: dict[Any, dict[str, Opinion]] = {}
    for (about, labeller), verdict in latest(verdicts).items():
        said.setdefault(about, {})[labeller] = Opinion(labeller, verdict.verdict, verdict.note)
    for (about, labeller), name in latest(names).items():
        before = said.setdefault(about, {}).get(labeller, Opinion(labeller))
        said[about][labeller] = Opinion(labeller, before.verdict, before.note, name.says)
    return {about: [by[labeller] for labeller in sorted(by)] for about, by in said.items()}


def data_uri(image: bytes) -> str | None:
    """The face as a PNG, which every browser shows; None when it cannot be decoded."""
    try:
        return "data:image/png;base64," + b64encode(encode_png(decode(image))).decode()
    except ImageError:
        return None
