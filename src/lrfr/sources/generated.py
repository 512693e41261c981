"""Generated people: portraits and photos of people who do not exist, rendered from a seed.

Nobody's consent is at stake and nothing is downloaded. The auxiliary collection holds portraits, one face each; the
native collection holds photos of several people at different distances, taken through bad cameras.
"""

from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from pydantic import Field

from lrfr.config import Section
from lrfr.faces import PHOTO_SCHEMA, TAG_SCHEMA, TRUTH_SCHEMA
from lrfr.parallel import parallel_map
from lrfr.sources.acquired import Acquired
from lrfr.sources.rendering.identity import Identity, draw_identity
from lrfr.sources.rendering.portrait import SIDE, portray
from lrfr.sources.rendering.scene import HEIGHT, WIDTH, shoot

LAYOUT = "nothing: the pictures are rendered from params.yaml's seed"
SOURCE = "generated"

# Each use of randomness has a stream of its own, so that no picture depends on the order of the work.
_PLAN, _NATIVE, _AUXILIARY, _UNNAMED, _PHOTO, _PORTRAIT = range(6)
COLLECTIONS = ("native", "auxiliary")
KNOWS_TRUTH = True  # who is where in the photos


class Settings(Section):
    """How much is rendered. Shares are 0..1."""

    identities: int = Field(gt=0, le=10**6)
    photos: int = Field(gt=0, le=10**6)
    auxiliary_identities: int = Field(gt=0, le=10**6)
    portraits_per_identity: int = Field(gt=0, le=10**6)
    people_per_photo: float = Field(default=8.0, gt=1, le=14)
    unnamed_share: float = Field(default=0.28, ge=0, lt=1)


def acquire(root: Path, settings: Settings, seed: int) -> Acquired:
    """Renders both collections; ``root`` is not read. Equal settings and seed give equal bytes."""
    portraits = range(settings.auxiliary_identities)
    results = list(parallel_map(partial(_portraits, settings, seed), portraits, "rendering portraits", "person"))
    scenes = list(enumerate(guest_lists(settings, seed)))
    results += list(parallel_map(partial(_scene, seed), scenes, "rendering photos", "photo"))
    photos, tags, truth = ([row for result in results for row in result[part]] for part in range(3))
    return Acquired(
        pa.Table.from_pylist(photos, schema=PHOTO_SCHEMA),
        pa.Table.from_pylist(tags, schema=TAG_SCHEMA),
        pa.Table.from_pylist(truth, schema=TRUTH_SCHEMA),
    )


Rows = tuple[list[dict[str, Any]], list[dict[str, Any]], list[dict[str, Any]]]


@lru_cache(maxsize=4096)
def _person(seed: int, kind: int, number: int) -> Identity:
    return draw_identity(np.random.default_rng([seed, kind, number]))


@dataclass(frozen=True)
class Guest:
    """Somebody in a photo: a ``name``, or None for people nobody can name; ``kind`` and ``number`` say who it is."""

    name: str | None
    kind: int
    number: int


def guest_lists(settings: Settings, seed: int) -> list[list[Guest]]:
    """Who is in which photo. Everybody with a name appears equally often, and at most once in a photo."""
    rng = np.random.default_rng([seed, _PLAN])
    counts = np.clip(rng.poisson(settings.people_per_photo - 2, settings.photos) + 2, 2, 14)
    unnamed = rng.binomial(counts, settings.unnamed_share)
    rounds = int((counts - unnamed).sum()) // settings.identities + 1
    queue = np.concatenate([rng.permutation(settings.identities) for _ in range(rounds)]).tolist()
    photos = []
    for count, without_name in zip(counts.tolist(), unnamed.tolist(), strict=True):
        named = sorted({queue.pop() for _ in range(count - without_name)})
        strangers = rng.choice(settings.identities, min(without_name, settings.identities), replace=False)
        guests = [Guest(f"n{number + 1:04d}", _NATIVE, number) for number in named]
        photos.append(guests + [Guest(None, _UNNAMED, number) for number in strangers.tolist()])
    return photos


def _scene(seed: int, task: tuple[int, list[Guest]]) -> Rows:
    number, guests = task
    rng = np.random.default_rng([seed, _PHOTO, number])
    people = [(guest.name, _person(seed, guest.kind, guest.number)) for guest in guests]
    shot = shoot([people[i] for i in rng.permutation(len(people))], rng)
    photo_id = f"photo_{number:05d}"
    tags = [{"photo_id": photo_id, "identity": identity, "box": box} for identity, box in shot.tags]
    truth = [
        {"photo_id": photo_id, "identity": identity, "box": box, "recognizable": recognizable}
        for identity, box, recognizable in shot.truth
    ]
    return [_photo_row(photo_id, "native", shot.image, WIDTH, HEIGHT)], tags, truth


def _portraits(settings: Settings, seed: int, number: int) -> Rows:
    person = _person(seed, _AUXILIARY, number)
    name = f"a{number + 1:04d}"
    photos, tags = [], []
    for picture in range(settings.portraits_per_identity):
        image, box = portray(person, np.random.default_rng([seed, _PORTRAIT, number, picture]))
        photo_id = f"{name}_{picture:03d}"
        photos.append(_photo_row(photo_id, "auxiliary", image, SIDE, SIDE))
        tags.append({"photo_id": photo_id, "identity": name, "box": box})
    return photos, tags, []


def _photo_row(photo_id: str, collection: str, image: bytes, width: int, height: int) -> dict[str, Any]:
    return {
        "photo_id": photo_id, "source": SOURCE, "collection": collection,
        "image": image, "width": width, "height": height,
    }  # fmt: skip
