"""Generated people, each in a sharp mugshot and before cameras at three distances: a small instance of SCface.

Grgic, Delac & Grgic: SCface, surveillance cameras face database, 2011. Somebody who passes a camera keeps pose and
light while coming nearer; another camera sees another pose.
"""

from functools import partial
from pathlib import Path

from pydantic import Field

from lrfr.config import Section
from lrfr.core.scface_partition import Partition
from lrfr.parallel import parallel_map
from lrfr.sources.acquired import Acquired
from lrfr.sources.reading.crops import Crop, crop_rows, excluded_table
from lrfr.sources.reading.scface_parts import parted
from lrfr.sources.rendering.capture import SMALL_SIDE, Stream, draws, far, near, sit, someone

LAYOUT = "nothing: the pictures are rendered from params.yaml's seed"
PROTOCOL = "scface"
SOURCE = "generated_mugshots"
DISTANCES = {1: ("4.2", 12), 2: ("2.6", 18), 3: ("1.0", 28)}  # metres, mean face height in px


class Settings(Section):
    """How many people; SCface has 130, and five cameras at each distance. ``partition``: as SCface's."""

    identities: int = Field(gt=1, le=10**6)
    cameras: int = Field(gt=0, le=10**6)
    partition: Partition | None = None


def acquire(root: Path, settings: Settings, seed: int) -> Acquired:
    """Renders the set; ``root`` is not read. Equal settings and seed give equal bytes."""
    work = partial(_images, seed, settings.cameras)
    taken = parallel_map(work, range(settings.identities), "rendering mugshots", "person")
    crops, excluded = parted((crop for images in taken for crop in images), settings.partition)
    faces, _ = crop_rows(crops, SOURCE, "packing mugshots", len(crops))
    return Acquired(faces=faces, excluded=excluded_table(excluded))


def _images(seed: int, cameras: int, number: int) -> list[Crop]:
    """One person's mugshot and surveillance images."""
    identity = f"m{number + 1:03d}"
    somebody = someone(seed, Stream.MUGSHOTS, number)
    mugshot = near(sit(somebody, draws(seed, Stream.MUGSHOTS, number, 0)))
    crops = [mugshot.crop(f"mugshot/{identity}_frontal.png", identity, "gallery", part="mugshot")]
    for camera in range(1, cameras + 1):
        rng = draws(seed, Stream.MUGSHOTS, number, camera)
        sitting = sit(somebody, rng, SMALL_SIDE)
        for step, (metres, height) in DISTANCES.items():
            shot = far(sitting, height * float(rng.normal(1, 0.08)), rng)
            attributes = {"part": f"distance_{step}", "camera": str(camera), "distance": metres}
            name = f"distance_{step}/cam_{camera}/{identity}_cam{camera}_{step}.png"
            crops.append(shot.crop(name, identity, "probe", **attributes))
    return crops
