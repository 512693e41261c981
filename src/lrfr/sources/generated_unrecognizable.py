"""Generated faces that nobody recognises, made so on purpose: far away, smeared by motion, in the dark.

They take the place of the detections on MARS and LPW by which Chai et al. (Recognizability Embedding Enhancement, CVPR
2023) find the cluster of unrecognizable faces. The people are in no other collection, and who they are is not said.
"""

from dataclasses import replace
from functools import partial
from pathlib import Path

from pydantic import Field

from lrfr.config import Section
from lrfr.parallel import parallel_map
from lrfr.sources.acquired import Acquired
from lrfr.sources.reading.crops import Crop, crop_rows
from lrfr.sources.reading.flaws import draw_flaw, flawed
from lrfr.sources.rendering.capture import SMALL_SIDE, Stream, draws, far, sit, someone

LAYOUT = "nothing: the pictures are rendered from params.yaml's seed"
SOURCE = "generated_unrecognizable"
COLLECTIONS = ("unrecognizable",)


class Settings(Section):
    """How many people are photographed; those whom the detector misses even in a sharp picture are left out."""

    faces: int = Field(gt=0, le=10**6)


def acquire(root: Path, settings: Settings, seed: int) -> Acquired:
    """Renders the faces; ``root`` is not read. Equal settings and seed give equal bytes."""
    taken = parallel_map(partial(_face, seed), range(settings.faces), "rendering unrecognizable faces", "face")
    crops = [crop for crop in taken if crop is not None]
    return Acquired(faces=crop_rows(crops, SOURCE, "packing unrecognizable faces", len(crops))[0])


def _face(seed: int, number: int) -> Crop | None:
    rng = draws(seed, Stream.UNRECOGNIZABLE, number)
    sitting = sit(someone(seed, Stream.UNRECOGNIZABLE, number), rng, SMALL_SIDE)
    if sitting.found is None:
        return None
    flaw, height = draw_flaw(rng)
    shot = far(replace(sitting, scene=flawed(sitting.scene, sitting.height, flaw, rng)), height, rng)
    name = f"{number + 1:05d}.png"
    return Crop(
        name, shot.image, attributes={"flaw": flaw}, collection="unrecognizable",
        landmarks=shot.landmarks, score=shot.score,
    )  # fmt: skip
