"""Person re-identification sets, MARS and LPW: whole pedestrians, whose faces are mostly unrecognizable.

Zheng et al.: MARS, ECCV 2016. Song et al.: Region-based Quality Estimation Network (LPW), AAAI 2018. Chai et al.
(Recognizability Embedding Enhancement, CVPR 2023) take the faces that MTCNN finds in both as examples of what nobody
can recognise; no benchmark is made of them.
"""

import re
from pathlib import Path

from pydantic import Field

from lrfr.config import Section
from lrfr.errors import SourceError
from lrfr.sources.acquired import Acquired
from lrfr.sources.reading.crops import excluded_table
from lrfr.sources.reading.dataset_files import pictures
from lrfr.sources.reading.photos import photo_table
from lrfr.sources.reading.selection import draw

LAYOUT = (
    "bbox_train/<person>/0001C1T0001F001.jpg and bbox_test/<person>/*.jpg (MARS, with 00-1 and 0000), or "
    "scen1/view1/<person>/*.jpg (LPW), or both, in any folders"
)

PEDESTRIAN = re.compile(r"(.*/)?(bbox_(train|test)|scen\d+/view\d+)/[^/]+/[^/]+", re.IGNORECASE)
COLLECTIONS = ("unrecognizable",)


class Settings(Section):
    """At most ``max_photos`` pedestrians are drawn: both sets together have 1.8 million. The paper uses 5,000 faces."""

    max_photos: int = Field(gt=0, le=10**9)


def acquire(root: Path, settings: Settings, seed: int) -> Acquired:
    """Draws pedestrians as photos of the collection ``unrecognizable``; who they are is of no use here.

    Raises:
        SourceError: no picture lies in the layout, or a link leads out of ``root``.
    """
    names, excluded = pictures(root, ".")
    pedestrians = [name for name in names if PEDESTRIAN.fullmatch(name)]
    if not pedestrians:
        raise SourceError("no pedestrian lies where MARS or LPW keeps them", where=root, remedy=f"expected: {LAYOUT}")
    excluded += [{"where": name, "reason": "unlisted"} for name in names if not PEDESTRIAN.fullmatch(name)]
    chosen = draw(pedestrians, settings.max_photos, f"{seed}:photo")
    photos = photo_table({name: root / name for name in chosen}, "reid_folders", "unrecognizable")
    return Acquired(photos=photos, excluded=excluded_table(excluded))
