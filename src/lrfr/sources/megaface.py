"""FaceScrub probes among MegaFace distractors, without the noise that was found in both: insightface's test pack.

Ng, Winkler: A data-driven approach to cleaning large face datasets, ICIP 2014; Kemelmacher-Shlizerman et al.: The
MegaFace benchmark, CVPR 2016; the lists of noise: Deng et al.: ArcFace, CVPR 2019.
"""

import hashlib
import heapq
from collections.abc import Sequence
from itertools import chain
from pathlib import Path, PurePosixPath

from pydantic import Field

from lrfr.config import Section
from lrfr.errors import SourceError
from lrfr.sources.acquired import Acquired
from lrfr.sources.reading.crops import Crop, crop_rows, excluded_table, listed_crops
from lrfr.sources.reading.dataset_files import find, pictures, relative
from lrfr.sources.reading.list_checks import composed

LAYOUT = (
    "a folder with facescrub_images/<Name>/<Name>_<n>.png and facescrub_lst (which of them are probes), "
    "megaface_images/<a>/<b>/<n>.jpg, and the lists of noise facescrub_noises.txt and megaface_noises.txt"
)

PROTOCOL = "rifr"

FACESCRUB = "facescrub_images"


class Settings(Section):
    """How many MegaFace pictures, drawn by the seed, are distractors."""

    distractors: int = Field(default=10_000, ge=1, le=10**9)


def acquire(root: Path, settings: Settings, seed: int) -> Acquired:
    """Reads the probes and draws the distractors; pictures on the lists of noise are excluded as noise.

    Raises:
        SourceError: a folder or a list is missing, a path leads out of ``root``, a list names no picture that is
            there, or there are fewer distractors than the settings ask for.
    """
    probes, excluded = _probes(root)
    distractors, noise = _distractors(root, settings.distractors, seed)
    crops = chain(
        probes,
        (Crop(name, root / name, None, "distractor", {"part": "distractor"}, is_test=True) for name in distractors),
    )
    faces, _ = crop_rows(crops, "megaface", "reading FaceScrub and MegaFace", len(probes) + len(distractors))
    return Acquired(faces=faces, excluded=excluded_table(excluded + noise))


def _probes(root: Path) -> tuple[list[Crop], list[dict[str, str]]]:
    """FaceScrub's pictures on the list of probes and not on the list of noise. Both spell names in several ways."""
    noise = {_scrub_key(line) for line in _lines(root, "facescrub_noises.txt")}
    identities: dict[str, str] = {}
    for line in _lines(root, "facescrub_lst"):
        who, name = PurePosixPath(line).parent.name, PurePosixPath(line).name
        if who in ("", FACESCRUB):
            remedy = f"a line is: {FACESCRUB}/<Name>/<Name>_1.png"
            raise SourceError(f"a line names nobody: {line}", where=root / "facescrub_lst", remedy=remedy)
        if identities.setdefault(name, who) != who:
            what = f"{name} has two identities: {identities[name]} and {who}"
            raise SourceError(what, where=root / "facescrub_lst", remedy="take one of the lines out")
    noisy = [name for name in identities if _scrub_key(name) in noise]
    clean = {name: who for name, who in identities.items() if _scrub_key(name) not in noise}
    crops, excluded = listed_crops(root, FACESCRUB, clean, "probe", "probe")
    for row in excluded:
        if _scrub_key(row["where"]) in noise:
            row["reason"] = "noise"
            noisy.append(row["where"])
    _check_noise(root, "facescrub_noises.txt", noise, noisy)
    return crops, excluded


def _check_noise(root: Path, file: str, noise: set[str], found: Sequence[str]) -> None:
    """Raises where a list of noise names nothing that is there: then the noise would stay."""
    if noise and not found:
        what = f"none of the {len(noise)} entries is there, such as {min(noise)}"
        remedy = "get the list of this very copy; if the noise is taken out already, leave the list empty"
        raise SourceError(what, where=root / file, remedy=remedy)


def _distractors(root: Path, count: int, seed: int) -> tuple[list[str], list[dict[str, str]]]:
    """MegaFace's pictures that the seed draws, sorted, and those that the list of noise names."""
    noise = {_mega_key(line) for line in _lines(root, "megaface_noises.txt")}
    names, excluded = pictures(root, "megaface_images")
    clean = [name for name in names if _mega_key(name) not in noise]
    noisy = [name for name in names if _mega_key(name) in noise]
    _check_noise(root, "megaface_noises.txt", noise, noisy)
    excluded += [{"where": name, "reason": "noise"} for name in noisy]
    if len(clean) < count:
        what = f"{len(clean)} distractors are there, and {count} are asked for"
        raise SourceError(what, where=root / "megaface_images", remedy="lower the setting 'distractors'")
    drawn = heapq.nsmallest(
        count, clean, key=lambda name: hashlib.sha256(f"{seed}:{_mega_key(name)}".encode()).digest()
    )
    return sorted(drawn), excluded


def _lines(root: Path, file: str) -> list[str]:
    """The paths on a list; a number may stand before a tab, and a comment begins with #."""
    try:
        text = composed((root / find(root, file)).read_text(encoding="utf-8-sig"))
    except UnicodeDecodeError as error:
        raise SourceError("a list is no text", where=root / file, remedy="save it as UTF-8") from error
    lines = [line.rpartition("\t")[2].strip() for line in text.splitlines() if not line.startswith("#")]
    return [relative(root, line).as_posix() for line in lines if line]


def _scrub_key(path: str) -> str:
    """A FaceScrub picture, whether it is PNG or JPEG, with spaces or underscores."""
    return composed(PurePosixPath(path).stem.replace(" ", "_"))


def _mega_key(path: str) -> str:
    """A MegaFace picture: its folder's folder, its folder and itself, without the ending."""
    return "/".join(PurePosixPath(path).with_suffix("").parts[-3:])
