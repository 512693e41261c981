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

EXACT = 2**24  # numbers are stored as float32: from here on, as in Glint360K, they are rounded


COLLECTIONS = ("auxiliary",)


class Settings(Selection):
    """How much is taken. Faces are held in memory, 5 to 10 kB each: give a limit to MS1M's 5.8 million."""


def acquire(root: Path, settings: Settings, seed: int) -> Acquired:
    """Reads the chosen identities' images as auxiliary faces; nothing else of ``train.rec`` is read.

    Raises:
        SourceError: a file is missing, a record is truncated or broken, index and records do not belong together, the
            pack lacks the records of identities, or a label is no identity that ``property`` allows.
    """
    places = [within(root, find(root, name)) for name in ("train.rec", "train.idx", "property")]
    records, classes = RecordFile(*places[:2]), _identities(places[2])
    chosen = select(_images(records, classes), settings, seed)
    keys = sorted({key for images in chosen.values() for key in images})
    faces, unreadable = crop_rows(_crops(records, keys, classes), SOURCE, "reading records", len(keys))
    return Acquired(faces=faces, excluded=excluded_table(unreadable))


def _identities(path: Path) -> int:
    """The number of identities, the first of property's numbers."""
    text = path.read_text(encoding="utf-8-sig", errors="replace").strip()
    remedy = "the file holds one line such as 85742,112,112: identities, height, width"
    try:
        classes = int(text.split(",")[0])
    except ValueError as error:
        raise SourceError(f"not the properties of a record file: {text[:40]!r}", where=path, remedy=remedy) from error
    if not 0 < classes <= EXACT:
        what = f"{classes} identities: labels are float32, which tells 1 to {EXACT} apart"
        raise SourceError(what, where=path, remedy=remedy)
    return classes


def _images(records: RecordFile, classes: int) -> dict[str, Sequence[int]]:
    """The keys of each identity's images: from the identities' records, where these cover all images exactly."""
    keys = records.keys
    _check_header(records)
    identities = _range(records, 0)
    lacking = np.flatnonzero(keys != np.arange(len(keys)))
    if len(lacking):
        raise records.fault(int(lacking[0]), "the index does not have it")
    if identities.stop < EXACT and identities.stop == len(keys):
        images = {str(number): _range(records, key) for number, key in enumerate(identities)}
        ranges = sorted((of.start, of.stop) for of in images.values())
        starts, ends = [start for start, _ in ranges], [stop for _, stop in ranges]
        if starts == [1, *ends[:-1]] and ends[-1:] == [identities.start]:
            return dict(images)
    return _by_label(records, classes)


def _check_header(records: RecordFile) -> None:
    """Raises where record 0 is an image, or none: MXNet's own tool, im2rec, writes images alone."""
    first = records.read(0) if records.keys[0] == 0 else None
    if first is None or first.content:
        raise SourceError(
            "the pack lacks insightface's header records, which say whose the images are; im2rec writes such packs",
            where=records.path,
            remedy="unpack it into a folder per identity and name the source identity_folders; or pack it by "
            "insightface's tool",
        )


def _by_label(records: RecordFile, classes: int) -> dict[str, Sequence[int]]:
    """The keys of each identity's images by the images' own labels. A record of two labels alone is an identity's."""
    images: dict[str, list[int]] = {}
    for key in track(records.keys[1:].tolist(), "reading labels", unit="record"):
        record = records.read(key)
        if record.content or len(record.labels) < 2:
            images.setdefault(_identity(records, key, record.labels, classes), []).append(key)
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
