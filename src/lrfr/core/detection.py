"""How well a detector does, by the size of the face: what it finds, and what it takes for a face."""

from collections.abc import Mapping
from itertools import pairwise

import numpy as np

from lrfr.core.boxes import match

TRUTH_OVERLAP = 0.35  # IoU from which a detection is the true face: boxes of 12 px wobble by a pixel or two
HEIGHT_BINS = (6, 12, 16, 24, 32, None)  # px; the last bin has no upper end


def recall_by_height(
    detected: Mapping[str, np.ndarray], truth: Mapping[str, np.ndarray]
) -> list[dict[str, int | float | None]]:
    """Counts, one to one within each photo, the true faces that were found and the detections that are none.

    Args:
        detected: the detected boxes (N, 4) of each photo, x, y, width, height in px.
        truth: the true boxes (M, 4) of each photo.

    Returns:
        One row per bin of height, px: from, to (None: no end), faces, found, recall (0..1; None where there is no
        face), and false_alarms by the height of the detection.
    """
    none = np.empty((0, 4))
    found, missed, false = [], [], []
    for photo_id in sorted(truth.keys() | detected.keys()):
        true, boxes = truth.get(photo_id, none), detected.get(photo_id, none)
        pairs = match(true, boxes, TRUTH_OVERLAP)
        is_found = np.isin(np.arange(len(true)), [pair[0] for pair in pairs])
        is_true = np.isin(np.arange(len(boxes)), [pair[1] for pair in pairs])
        found += true[is_found, 3].tolist()
        missed += true[~is_found, 3].tolist()
        false += boxes[~is_true, 3].tolist()
    rows = []
    for start, end in pairwise(HEIGHT_BINS):
        hits, misses, alarms = (
            sum(start <= height < (end or np.inf) for height in heights) for heights in (found, missed, false)
        )
        recall = hits / (hits + misses) if hits + misses else None
        row = {"from": start, "to": end, "faces": hits + misses, "found": hits}
        rows.append(row | {"recall": recall, "false_alarms": alarms})
    return rows
