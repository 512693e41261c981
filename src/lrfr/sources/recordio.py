"""MXNet RecordIO: training sets of aligned faces as insightface packs them: MS1M, CASIA-WebFace, Glint360K.

Record 0 says where the identities' own records are, after the images; each of those says which records are its images.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from lrfr.errors import SourceError
from lrfr.progress import track
from lrfr.sources.acquired import Acquired
from lrfr.sources.reading.crops import Crop, crop_rows, excluded_table
from lrfr.sources.reading.dataset_files import find, within
from lrfr.sources.reading.mxnet_records import RecordFile
from lrfr.sources.reading.selection import Selection, select

LAYOUT = "train.rec, train.idx and property (a line such as 85742,112,112: identities, height, width)"
SOURCE = "recordio"

EXACT = 2**24  # records' numbers are stored as float32: from here on, as in Glint360K, they are rounded


COLLECTIONS = ("auxiliary",)


class Settings(Selection):
    """How much is taken. Faces are held in memory, 5 to 10 kB each: give a limit to MS1M's 5.8 million."""


def acquire(root: Path, settings: Settings, seed: int) -> Acquired:
    """Reads the chosen identities' images as auxiliary faces; nothing else of ``train.rec`` is read.

    Raises:
        SourceError: a file is missing, a record is truncated or broken, or a label is no identity that ``property``
            allows.
    """
    places = [within(root, find(root, name)) for name in ("train.rec", "train.idx", "property")]
    records, classes = RecordFile(*places[:2]), _identities(places[2])
    chosen = select(_images(records, classes), settings, seed)
    keys = sorted({key for images in chosen.values() for key in images})
    faces, unreadable = crop_rows(_crops(records, keys, classes), SOURCE, "reading records", len(keys))
    return Acquired(faces=faces, excluded=excluded_table(unreadable))


def _identities(path: Path) -> int:
    """The number of identities, the first of property's numbers."""
    text = path.read_text(encoding="utf-8", errors="replace").strip()
    try:
        return int(text.split(",")[0])
    except ValueError as error:
        remedy = "the file holds one line such as 85742,112,112: identities, height, width"
        raise SourceError(f"not the properties of a record file: {text[:40]!r}", where=path, remedy=remedy) from error


def _images(records: RecordFile, classes: int) -> dict[str, Sequence[int]]:
    """The keys of each identity's images."""
    identities = _range(records, 0)
    if identities.stop < EXACT:
        return {str(number): _range(records, key) for number, key in enumerate(identities)}
    images: dict[str, list[int]] = {}
    for key in track(records.keys[1:-classes], "reading labels", unit="record"):
        images.setdefault(_identity(records, key, records.read(key).labels, classes), []).append(key)
    return dict(images)


def _range(records: RecordFile, key: int) -> range:
    """The keys that a record points to with its two labels, the second excluded."""
    labels = records.read(key).labels
    if len(labels) < 2 or not np.isfinite(labels[:2]).all() or not 1 <= labels[0] <= labels[1]:
        raise records.fault(key, f"its labels are no range of records: {labels[:2].tolist()}")
    return range(int(labels[0]), int(labels[1]))


def _crops(records: RecordFile, keys: list[int], classes: int) -> Iterator[Crop]:
    """The images of some records, read one after the other."""
    for key in keys:
        record = records.read(key)
        identity = _identity(records, key, record.labels, classes)
        yield Crop(f"{records.path.name}/{key}", record.content, identity, collection="auxiliary")


def _identity(records: RecordFile, key: int, labels: np.ndarray, classes: int) -> str:
    """The identity of an image: its first label, a whole number, though stored as a float."""
    label = float(labels[0])
    if not (0 <= label < classes and label == int(label)):
        raise records.fault(key, f"its label {label:g} is none of the {classes} identities in property")
    return str(int(label))
