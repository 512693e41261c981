"""drift: how far one synthesiser's faces are from native ones."""

from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from lrfr import faces, paths
from lrfr.config import read_params
from lrfr.core import image_statistics
from lrfr.decoding import decode
from lrfr.errors import BenchmarkError, unknown_name
from lrfr.files import write_json, write_text
from lrfr.images import Images
from lrfr.offline import stay_offline
from lrfr.progress import track
from lrfr.quality.limits import Drift

if TYPE_CHECKING:
    import pandas as pd

BATCH = 64  # encoded faces in memory at a time
LEAST = 20  # faces of each kind; below, a distance tells more about chance than about the faces


def run(name: str) -> None:
    """Writes data/drift/NAME.json and reports/drift_NAME.html; probes and their mates are left out, as test faces are.

    Raises:
        ParameterError: no such synthesiser.
        BenchmarkError: too few faces to compare.
        ImageError: a face's image cannot be decoded.
    """
    params = read_params()
    if name not in params.synthesizers:
        raise unknown_name("synthesizer", name, params.synthesizers, f"{paths.PARAMS}: synthesizers")
    chosen = params.read("drift", Drift)
    synthetic = _statistics(paths.synthetic(name), None, chosen.sample, params.seed)
    native = _statistics(paths.BENCHMARK, {"train", "distractor"}, chosen.sample, params.seed)
    stay_offline()
    from lrfr.quality.drift import compare

    comparison = compare(native, synthetic, chosen.drift_share, params.seed)
    write_json(
        paths.drift_result(name),
        {"synthesizer": name, "summary": comparison.summary, "evidently": comparison.evidently},
    )
    write_text(paths.drift_page(name), comparison.page)


def _statistics(path: Path, splits: set[str] | None, sample: int, seed: int) -> "pd.DataFrame":
    """Image statistics of at most ``sample`` faces of the splits (None: all) of a face table, one row per face."""
    import pandas as pd

    table = faces.read_faces(path, ["face_id", "split"])
    rows = np.array([i for i, split in enumerate(table.column("split").to_pylist()) if not splits or split in splits])
    if len(rows) < LEAST:
        raise BenchmarkError(f"{len(rows)} faces are too few to compare; {LEAST} are needed", where=path)
    if len(rows) > sample:
        rows = np.sort(np.random.default_rng(seed).choice(rows, sample, replace=False))
    images = chain.from_iterable(Images(path, rows).batches(BATCH))
    ids = track(table["face_id"].take(rows).to_pylist(), f"look at {path.stem}")
    described = [
        image_statistics.describe(decode(image, where=f"{path}, face {face}"))
        for face, image in zip(ids, images, strict=True)
    ]
    return pd.DataFrame(described, columns=list(image_statistics.STATISTICS))
