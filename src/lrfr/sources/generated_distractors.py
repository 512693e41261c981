"""Generated people in several sharp portraits each, among strangers: a small instance of FaceScrub with MegaFace.

Khalid, Awais, Feng, Chan, Farooq, Akbari & Kittler: Resolution invariant face recognition using a distillation
approach, 2020, whose protocols P1 and P2 it is made for.
"""

from functools import partial
from pathlib import Path

from pydantic import Field

from lrfr.config import Section
from lrfr.parallel import parallel_map
from lrfr.sources.acquired import Acquired
from lrfr.sources.reading.crops import Crop, crop_rows
from lrfr.sources.rendering.capture import Stream, draws, near, sit, someone

LAYOUT = "nothing: the pictures are rendered from params.yaml's seed"
PROTOCOL = "rifr"
SOURCE = "generated_distractors"


class Settings(Section):
    """How many people with a name, images of each, and strangers with one image each."""

    identities: int = Field(gt=1, le=10**6)
    images: int = Field(gt=1, le=10**6)
    distractors: int = Field(gt=0, le=10**6)


def acquire(root: Path, settings: Settings, seed: int) -> Acquired:
    """Renders the set; ``root`` is not read. Equal settings and seed give equal bytes."""
    people = [(number, settings.images) for number in range(settings.identities)]
    people += [(settings.identities + number, 0) for number in range(settings.distractors)]
    taken = parallel_map(partial(_portraits, seed), people, "rendering a distractor set", "person")
    crops = [crop for portraits in taken for crop in portraits]
    return Acquired(faces=crop_rows(crops, SOURCE, "packing the distractor set", len(crops))[0])


def _portraits(seed: int, person: tuple[int, int]) -> list[Crop]:
    """One person's portraits; a stranger has no image to be known by, and one to be mistaken for somebody."""
    number, images = person
    somebody = someone(seed, Stream.DISTRACTORS, number)
    shots = [near(sit(somebody, draws(seed, Stream.DISTRACTORS, number, picture))) for picture in range(images or 1)]
    if not images:
        return [shots[0].crop(f"distractor/{number + 1:04d}.png", None, "distractor", part="distractor")]
    identity = f"l{number + 1:04d}"
    return [
        shot.crop(f"probe/{identity}_{picture + 1}.png", identity, "probe", part="probe")
        for picture, shot in enumerate(shots)
    ]
