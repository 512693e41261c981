"""How much of a training set is taken. Published ones hold up to millions of images; not every machine does."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import TypeVar

from lrfr.config import Count, Section

Item = TypeVar("Item", str, int)


class Selection(Section):
    """At most ``max_identities``, and of each at most ``max_images``, both drawn by the seed; all when not given."""

    max_identities: Count | None = None
    max_images: Count | None = None


def select(images: Mapping[str, Sequence[Item]], settings: Selection, seed: int) -> dict[str, list[Item]]:
    """The drawn identities and images, in their former order.

    Args:
        images: the images of each identity.
        settings: how many are taken.
        seed: draws them.
    """
    identities = draw(list(images), settings.max_identities, f"{seed}:identity")
    return {name: draw(images[name], settings.max_images, f"{seed}:image") for name in identities}


def draw(items: Sequence[Item], count: int | None, seed: str) -> list[Item]:
    """Draws ``count`` items, or all, in their former order. Each draw is a hash, so that new items displace few."""
    if count is None or len(items) <= count:
        return list(items)
    chosen = set(sorted(items, key=lambda item: hashlib.sha256(f"{seed}:{item}".encode()).digest())[:count])
    return [item for item in items if item in chosen]
