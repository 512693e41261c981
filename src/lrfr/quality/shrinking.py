"""How a small face compares with the HR face that it was made of."""

import numpy as np
import pyarrow as pa

from lrfr.quality.tables import attribute

LANDMARK_TOLERANCE = 0.01  # px: float32's rounding, and nothing else


def rows_by_id(table: pa.Table) -> dict[str, dict]:
    """What of each HR face its small version is compared with, by face_id."""
    columns = ["face_id", "identity", "split", "source", "width", "height", "landmarks"]
    return {row["face_id"]: row for row in table.select(columns).to_pylist()}


def landmark_shifts(small: pa.Table, originals: dict[str, dict]) -> list[float]:
    """How far (px) the outermost landmark of each face lies from its original's, shrunk as the image was.

    Infinite where only one of the two has landmarks; 0 where neither has, or the original is not there.

    Args:
        small: rows of FACE_SCHEMA with the attribute ``hr_face_id``.
        originals: as :func:`rows_by_id` gives them.
    """
    rows = small.select(["width", "height", "landmarks"]).to_pylist()
    return [
        _shift(row, originals[face]) if face in originals else 0.0
        for row, face in zip(rows, attribute(small, "hr_face_id"), strict=True)
    ]


def _shift(row: dict, original: dict) -> float:
    here, there = row["landmarks"], original["landmarks"]
    if here is None or there is None:
        return 0.0 if here is there else np.inf
    scale = np.tile([row["width"] / original["width"], row["height"] / original["height"]], 5)
    shift = np.abs(np.array(here) - np.array(there) * scale).max()
    return float(shift) if np.isfinite(shift) else np.inf
