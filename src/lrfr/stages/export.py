"""export: the detected native faces as pictures in a folder, with a table of what is known of each."""

from collections.abc import Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import Any

import pyarrow as pa

from lrfr import paths
from lrfr.core import names
from lrfr.core.verdicts import Outcome, resolve
from lrfr.errors import FaceTableError, ParameterError
from lrfr.faces import read_faces, with_rows
from lrfr.files import write_csv
from lrfr.images import Images
from lrfr.manifests import read_manifests, read_names
from lrfr.progress import track

BATCH = 256  # encoded faces in memory at a time
TABLE = "faces.csv"
KNOWN = ("face_id", "identity", "photo_id", "width", "height", "box", "score", "source")
HEADER = ("path", "face_id", "identity", "photo_id", "x", "y", "width", "height", "score", "source", "verdict",
          "excluded", "split")  # fmt: skip
ENDINGS = {b"\x89PNG": ".png", b"\xff\xd8\xff": ".jpg", b"BM": ".bmp", b"RIFF": ".webp", b"II": ".tif", b"MM": ".tif",
           b"P5": ".pgm", b"P6": ".ppm"}  # fmt: skip

Row = dict[str, Any]


def run(folder: Path) -> None:
    """Writes each detected native face as its picture, unchanged, and faces.csv; the CSV comes last.

    ``path`` and ``identity`` in the CSV are what ``lrfr embed`` reads. The identity is the one that people gave, else
    the source's. ``verdict`` is what people came to; ``excluded`` is curation's reason and ``split`` the face's place,
    where these stages have run.

    Raises:
        ParameterError: the folder holds something, or is a file.
        FaceTableError: no faces were detected yet, or none was found.
        VerdictError: a manifest has a line that cannot be right.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        what = "the folder is not empty" if folder.is_dir() else "this is a file"
        raise ParameterError(what, where=folder, remedy="name a new folder; nothing is written over")
    if not paths.DETECTED_NATIVE.is_file():
        raise FaceTableError("no faces were detected yet", where=paths.DETECTED_NATIVE, remedy="dvc repro detect")
    faces = with_rows(read_faces(paths.DETECTED_NATIVE))
    if not faces.num_rows:
        what, remedy = "there is no face to export: none was detected", "lower detect.thresholds or the min_face sizes"
        raise FaceTableError(what, where=paths.DETECTED_NATIVE, remedy=remedy)
    (folder / "faces").mkdir(parents=True)
    write_csv(folder / TABLE, HEADER, list(_exported(faces, folder)))
    print(f"{faces.num_rows:,} faces in {folder / 'faces'}; {folder / TABLE} says what is known of each")


def _exported(faces: pa.Table, folder: Path) -> Iterator[list[object]]:
    """The rows of the CSV; each picture is written on the way."""
    identities, outcomes = names.resolve(read_names()), resolve(read_manifests(paths.VERDICTS))
    excluded, places = _excluded(), _places()
    images = chain.from_iterable(Images(paths.DETECTED_NATIVE, faces["row"].to_numpy()).batches(BATCH))
    rows = faces.select(KNOWN).to_pylist()
    for number, (row, image) in enumerate(track(zip(rows, images, strict=True), "exporting", len(rows), "face"), 1):
        path = Path("faces") / f"{number:06d}_{row['face_id'][:8]}{_ending(image)}"
        (folder / path).write_bytes(image)
        face_id = row["face_id"]
        told = [_verdict(outcomes, face_id), excluded.get(face_id), places.get(face_id)]
        x, y = (row["box"] or [None, None])[:2]
        known = [row["photo_id"], x, y, row["width"], row["height"], row["score"], row["source"]]
        yield [path.as_posix(), face_id, identities.get(face_id, row["identity"]), *known, *told]


def _verdict(outcomes: Mapping[str, Outcome], face_id: str) -> str | None:
    """What people came to; ``undecided`` where they disagree or are unsure."""
    return (outcomes[face_id].verdict or "undecided") if face_id in outcomes else None


def _excluded() -> dict[str, str]:
    """Why curation excluded faces, by face_id; none before it ran."""
    if not paths.EXCLUDED.is_file():
        return {}
    rows = read_faces(paths.EXCLUDED, ["face_id", "attributes"]).to_pylist()
    return {row["face_id"]: dict(row["attributes"] or [])["reason"] for row in rows}


def _places() -> dict[str, str]:
    """The split of each face of the benchmark; none before it was made."""
    if not paths.BENCHMARK.is_file():
        return {}
    table = read_faces(paths.BENCHMARK, ["face_id", "split"])
    return dict(zip(table["face_id"].to_pylist(), table["split"].to_pylist(), strict=True))


def _ending(image: bytes) -> str:
    """The ending of a picture's file, by its first bytes."""
    return next((ending for magic, ending in ENDINGS.items() if image.startswith(magic)), ".bin")
