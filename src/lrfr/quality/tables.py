"""What the expectations look at: the face tables as data frames, with what has to be computed as further columns."""

import hashlib
from itertools import chain
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from lrfr.decoding import decode
from lrfr.errors import ImageError
from lrfr.faces import read_faces
from lrfr.images import Images

BATCH = 64  # images in memory at a time
PLAIN = ["face_id", "source", "width", "height", "identity", "score", "split"]
PARTS = {
    "train": ("benchmark", "Native, training"),
    "probe": ("benchmark", "Native, probe"),
    "gallery": ("benchmark", "Native, gallery"),
    "distractor": ("benchmark", "Native, distractors"),
    "auxiliary_train": ("auxiliary", "Auxiliary HR, training"),
    "auxiliary_validation": ("auxiliary", "Auxiliary HR, validation"),
}


def pictured(path: Path, decoded: bool = False) -> pa.Table:
    """A face table, with what was found in its images in their place.

    - ``picture``: a hash of the image's bytes;
    - ``image_problem``, if the images are to be ``decoded``: why one is not what its row says, or null.

    Raises:
        FaceTableError: the table is missing, or misses a column.
    """
    table = read_faces(path)
    sizes = zip(table["width"].to_pylist(), table["height"].to_pylist(), strict=True)
    digests, problems = [], []
    for image, size in zip(chain.from_iterable(Images(path).batches(BATCH)), sizes, strict=True):
        digests.append(hashlib.sha256(image).hexdigest()[:20])
        problems.append(_image_problem(image, *size) if decoded else None)
    table = table.append_column("picture", pa.array(digests, pa.string()))
    return table.append_column("image_problem", pa.array(problems, pa.string())) if decoded else table


def face_frame(table: pa.Table) -> pd.DataFrame:
    """A face table as :func:`pictured` gives it decoded, and with these columns of what was found in each row.

    - ``number_problem``: which of score, box and landmarks holds a value that is no number, or null;
    - ``landmark_overshoot``: how far the outermost landmark lies outside the crop, as a share of the crop's larger
      side; 0 inside, null without landmarks.
    """
    frame = table.select(PLAIN).to_pandas()
    rows = table.select(["width", "height", "score", "box", "landmarks"]).to_pylist()
    overshoot = [_overshoot(row["landmarks"], row["width"], row["height"]) for row in rows]
    return objects(
        frame,
        image_problem=table["image_problem"].to_pylist(),
        picture=table["picture"].to_pylist(),
        number_problem=[_number_problem(row) for row in rows],
    ).assign(landmark_overshoot=pd.Series(overshoot, index=frame.index, dtype=float))


def attribute(table: pa.Table, name: str) -> list[str | None]:
    """One attribute of each face of a table that has ``attributes``; null where a face does not have it."""
    return [dict(known or []).get(name) for known in table["attributes"].to_pylist()]


def people(table: pa.Table) -> list[str | None]:
    """Each face's person under the source's own name, for every source names its people in its own way."""
    pairs = zip(table["source"].to_pylist(), table["identity"].to_pylist(), strict=True)
    return [None if who is None else f"{source}/{who.removeprefix(f'{source}/')}" for source, who in pairs]


def objects(frame: pd.DataFrame, **columns: list) -> pd.DataFrame:
    """The frame with further columns, whose nulls stay nulls whatever else they hold."""
    return frame.assign(
        **{name: pd.Series(values, index=frame.index, dtype=object) for name, values in columns.items()}
    )


def known_faults(frame: pd.DataFrame, findings: pa.Table) -> tuple[pd.DataFrame, str]:
    """Takes out of the frame what curation knows of published test faces, which stay as they are; and says so.

    Their size, their damage and their being a copy is not to be held against the benchmark a second time.
    """
    known = frame["face_id"].isin(findings.filter(~pc.field("excluded"))["face_id"].to_pylist())
    if not known.any():
        return frame, ""
    faults = {column: frame[column].mask(known, None) for column in ("width", "height", "image_problem", "picture")}
    note = f"Of {known.sum():,} published test faces that curation found fault with, size and image are not checked."
    return frame.assign(**faults), note


def identity_frame(benchmark: pd.DataFrame, auxiliary: pd.DataFrame) -> pd.DataFrame:
    """One row per identity, sorted, with the number of its faces in each part.

    Columns: identity, train, probe, gallery, test (probe + gallery), auxiliary, auxiliary_train.
    """
    parts = {part: benchmark[benchmark["split"] == part] for part in ("train", "probe", "gallery")}
    parts |= {"auxiliary": auxiliary, "auxiliary_train": auxiliary[auxiliary["split"] == "train"]}
    counts = pd.DataFrame({name: part["identity"].value_counts() for name, part in parts.items()})
    counts = counts.fillna(0).astype(int).sort_index().rename_axis("identity").reset_index()
    return counts.assign(test=counts["probe"] + counts["gallery"])


def part_counts(benchmark: pd.DataFrame, auxiliary: pd.DataFrame) -> list[dict]:
    """Faces, identities and heights (least, mean, greatest; px) of each part; heights are null where it is empty."""
    tables = {"benchmark": benchmark, "auxiliary": auxiliary}
    return [
        part_count(key, title, tables[table][tables[table]["split"] == key.removeprefix("auxiliary_")])
        for key, (table, title) in PARTS.items()
    ]


def synthetic_counts(benchmark: pa.Table, synlr: pa.Table, synthetic: dict[str, pa.Table]) -> list[dict]:
    """The same of the SynLR set's parts, each below its native part, and of the synthetic faces' parts."""
    parts = [
        (f"{key}_{split}", f"{title}, {split}", table, split)
        for split in ("probe", "gallery", "distractor")
        for key, title, table in (("native", "Native", benchmark), ("synlr", "SynLR", synlr))
    ]
    parts += [
        (f"{name}_{split}", f"Synthetic by {name}, {split}", table, split)
        for name, table in synthetic.items()
        for split in ("train", "validation")
    ]
    return [
        part_count(key, title, table.filter(pc.field("split") == split).select(["identity", "height"]).to_pandas())
        for key, title, table, split in parts
    ]


def part_count(key: str, title: str, part: pd.DataFrame) -> dict:
    """Faces, identities and heights (least, mean, greatest; px) of the rows of one part; heights are null in none."""
    height = part["height"]
    return {
        "part": key,
        "title": title,
        "faces": len(part),
        "identities": part["identity"].nunique(),
        "heights": [int(height.min()), round(float(height.mean()), 1), int(height.max())] if len(part) else None,
    }


def _image_problem(image: bytes, width: int | None, height: int | None) -> str | None:
    try:
        pixels = decode(image)
    except ImageError as error:
        return str(error).splitlines()[0]
    if pixels.shape[:2] != (height, width):
        return f"the image is {pixels.shape[1]} x {pixels.shape[0]} px, the row says {width} x {height}"
    return None


def _number_problem(row: dict) -> str | None:
    spoilt = [
        name
        for name in ("score", "box", "landmarks")
        if row[name] is not None and not np.isfinite(np.array(row[name], dtype=float)).all()
    ]
    return f"not a number in {', '.join(spoilt)}" if spoilt else None


def _overshoot(landmarks: list[float] | None, width: int | None, height: int | None) -> float | None:
    if landmarks is None or not width or not height:
        return None
    points = np.array(landmarks, dtype=float).reshape(5, 2)
    if not np.isfinite(points).all():  # number_problem says so
        return None
    outside = np.maximum(-points, points - [width, height]).max()
    return float(max(outside, 0) / max(width, height))
