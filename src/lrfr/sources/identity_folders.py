"""Identity folders: a training set with one folder of faces per person, as VGGFace2 and CASIA-WebFace come.

Cao, Shen, Xie, Parkhi, Zisserman: VGGFace2, FG 2018. Yi, Lei, Liao, Li: Learning Face Representation from Scratch,
arXiv:1411.7923, 2014.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Literal

from lrfr.errors import SourceError
from lrfr.sources.acquired import Acquired
from lrfr.sources.reading.crops import Crop, crop_rows, excluded_table
from lrfr.sources.reading.dataset_files import pictures
from lrfr.sources.reading.list_checks import named
from lrfr.sources.reading.selection import Selection, select

LAYOUT = "<identity>/<any folders>/*.jpg, such as n000001/0001_01.jpg (VGGFace2) or 0000045/001.jpg (CASIA-WebFace)"
SOURCE = "identity_folders"

PARTS = ("train", "training", "val", "validation", "test", "images", "data")  # what publishers call what holds people


class Settings(Selection):
    """How much is taken, and what it becomes: HR faces to train on, or native faces of the benchmark."""

    collection: Literal["auxiliary", "native"] = "auxiliary"


def acquire(root: Path, settings: Settings, seed: int) -> Acquired:
    """Reads the pictures of each identity. A picture beside the folders, which has no name, is excluded.

    Raises:
        SourceError: no picture lies in the layout, or a link leads out of ``root``.
    """
    names, excluded = pictures(root, ".")
    images: dict[str, list[str]] = {}
    for name in names:
        folder = PurePosixPath(name).parts[0]
        if folder == name:
            excluded.append({"where": name, "reason": "no_identity"})
        else:
            images.setdefault(named(folder, root / folder), []).append(name)
    if not images:
        raise SourceError("no picture lies in a folder of its identity", where=root, remedy=f"expected: {LAYOUT}")
    _check_identities(root, images)
    chosen = [(identity, name) for identity, names in select(images, settings, seed).items() for name in names]
    crops = (Crop(name, root / name, identity, collection=settings.collection) for identity, name in chosen)
    faces, unreadable = crop_rows(crops, SOURCE, "reading identity folders", len(chosen))
    return Acquired(faces=faces, excluded=excluded_table(excluded + unreadable))


def _check_identities(root: Path, images: Mapping[str, Sequence[str]]) -> None:
    """Raises where the root is one level too high: then a folder of identities would pass for one person."""
    for identity, names in images.items():
        inner = {PurePosixPath(name).parts[1] for name in names}
        has_own = any(len(PurePosixPath(name).parts) == 2 for name in names)
        if not has_own and len(inner) > 1 and (len(images) == 1 or identity.lower() in PARTS):
            what = f"the folder '{identity}' holds {len(inner)} folders and no picture: it is no identity"
            raise SourceError(what, where=root, remedy=f"set the root to {root / identity}")
