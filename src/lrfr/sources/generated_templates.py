"""Generated people in templates of stills and video frames: a small instance of IJB-B and IJB-C.

Maze et al.: IARPA Janus Benchmark - C, 2018. Everybody is enrolled in one of the two galleries, by stills, and looked
for by two templates: stills with a video, and another video. In the other gallery those probes have no mate. A still
is a medium of its own; the frames of a video, which is taken from farther away by a worse camera, are one medium.
"""

from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import pyarrow as pa
from pydantic import Field

from lrfr.config import Section
from lrfr.faces import ENROLMENT_SCHEMA, PAIR_SCHEMA
from lrfr.parallel import parallel_map
from lrfr.sources.acquired import Acquired
from lrfr.sources.reading.crops import Crop, crop_rows
from lrfr.sources.rendering.capture import Stream, draws, far, near, sit, someone

LAYOUT = "nothing: the pictures are rendered from params.yaml's seed"
PROTOCOL = "ijb"
SOURCE = "generated_templates"
FACE_HEIGHT = (24, 76)  # px, of the faces in videos; the eyes are 10 to 30 px from the mouth in most of them
ROLES = ("G1", "G2")
TEMPLATES = 3  # of each identity: one to enrol, two to look for


class Settings(Section):
    """How many people, stills of each in its gallery template and in its first probe template, and frames a video."""

    identities: int = Field(gt=1, le=10**6)
    gallery_stills: int = Field(gt=0, le=10**6)
    probe_stills: int = Field(gt=0, le=10**6)
    frames: int = Field(gt=0, le=10**6)


def acquire(root: Path, settings: Settings, seed: int) -> Acquired:
    """Renders the set; ``root`` is not read. Equal settings and seed give equal bytes."""
    people = range(settings.identities)
    taken = parallel_map(partial(_images, seed, settings), people, "rendering templates", "person")
    crops = [crop for images in taken for crop in images]
    faces, _ = crop_rows(crops, SOURCE, "packing templates", len(crops))
    enrolment = [row for number in people for row in _enrolled(number)]
    return Acquired(
        faces=faces,
        pairs=pa.Table.from_pylist(_pairs(enrolment), PAIR_SCHEMA),
        enrolment=pa.Table.from_pylist(enrolment, ENROLMENT_SCHEMA),
    )


def _images(seed: int, settings: Settings, number: int) -> list[Crop]:
    """The images of one person's three templates."""
    somebody = someone(seed, Stream.TEMPLATES, number)
    gallery, first, second = _templates(number)
    media = [(gallery, 1)] * settings.gallery_stills + [(first, 1)] * settings.probe_stills
    media += [(first, settings.frames), (second, settings.frames)]
    is_video = [False] * (len(media) - 2) + [True] * 2
    crops = []
    for medium, (template, images) in enumerate(media):
        rng = draws(seed, Stream.TEMPLATES, number, medium)
        sitting = sit(somebody, rng)
        for image in range(images):
            shot = far(sitting, float(rng.uniform(*FACE_HEIGHT)), rng) if is_video[medium] else near(sitting)
            media_id = f"{number * len(media) + medium + 1}"
            name = f"{template}/{media_id}_{image + 1}.png"
            crops.append(shot.crop(name, _identity(number), template=template, media=media_id))
    return crops


def _identity(number: int) -> str:
    return f"t{number + 1:04d}"


def _templates(number: int) -> list[str]:
    """The ids of one person's templates: gallery, probe, probe."""
    return [str(TEMPLATES * number + which) for which in range(1, TEMPLATES + 1)]


def _enrolled(number: int) -> list[dict[str, str]]:
    """One person's rows of the enrolment: people take turns at the two galleries."""
    roles = (ROLES[number % len(ROLES)], "probe", "probe")
    return [
        {"template": template, "identity": _identity(number), "role": role}
        for template, role in zip(_templates(number), roles, strict=True)
    ]


def _pairs(enrolment: list[dict[str, str]]) -> list[dict[str, Any]]:
    """Each gallery template with each probe template."""
    probes = [row for row in enrolment if row["role"] == "probe"]
    enrolled = [row for row in enrolment if row["role"] != "probe"]
    return [
        {"left": one["template"], "right": other["template"], "same": one["identity"] == other["identity"]}
        for one, other in product(enrolled, probes)
    ]
