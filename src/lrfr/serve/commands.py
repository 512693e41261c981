"""lrfr pull, enroll, forget, identify and watch: what each says, to people and to programs."""

import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from lrfr.errors import GalleryError, ImageError
from lrfr.galleries.changes import checked_name
from lrfr.galleries.changes import forget as forget_person
from lrfr.galleries.gallery import FollowedGallery, Gallery
from lrfr.serve.enrolment import enrol_folders, enrol_person
from lrfr.serve.identification import as_json, as_text, identify, told_threshold
from lrfr.serve.model import Model
from lrfr.serve.photos import pictures_of, read_photo
from lrfr.serve.pull import pull as fetch
from lrfr.serve.watch import arriving


def pull(release: str, place: str, folder: Path, key: Path) -> None:
    """Fetches a release, verified."""
    done = "fetched and verified" if fetch(release, place, folder, key) else "there already, and verified"
    print(f"{release} is {done}: {folder}")


def enroll(given: list[str], model: Path, gallery: Path, add: bool) -> bool:
    """Enrols a person by a name and photos, or everybody of a folder of folders.

    Returns:
        Whether photos were left out.
    """
    folder = Path(given[0])
    if len(given) == 1 and not folder.is_dir():
        remedy = "lrfr enroll NAME PHOTO..., or lrfr enroll FOLDER, which holds a folder for each person"
        raise GalleryError(f"'{given[0]}' is a name without photos, or no folder", remedy=remedy)
    loaded = Model.load(model)
    if len(given) == 1:
        outcome = enrol_folders(loaded, gallery, folder, add)
    else:
        outcome = enrol_person(loaded, gallery, given[0], [Path(photo) for photo in given[1:]], add)
    people = outcome.people[0] if len(outcome.people) == 1 else f"{len(outcome.people):,} people"
    print(f"{people}: {_photos(outcome.faces)} enrolled in {gallery}")
    for photo, why in outcome.left_out:
        print(f"left out: {photo}: {why}", file=sys.stderr)
    return bool(outcome.left_out)


def forget(name: str, model: Path, gallery: Path) -> None:
    """Takes a person out of a gallery."""
    count = forget_person(gallery, Model.load(model).origin, checked_name(name))
    print(f"{name}: {_photos(count)} deleted from {gallery}")


Wanted = tuple[float, float | None]  # the FPIR, and the least quality


def identify_photos(photos: list[Path], model: Path, gallery: Path, wanted: Wanted, as_lines: bool) -> None:
    """Says who is on photos."""
    _say(pictures_of(photos), Model.load(model), gallery, wanted, as_lines, go_on=False)


def watch(folder: Path, model: Path, gallery: Path, wanted: Wanted, as_lines: bool) -> None:
    """Says who is on each photo that comes into a folder, until Ctrl-C."""
    _say(arriving(folder), Model.load(model), gallery, wanted, as_lines, go_on=True)


def _say(photos: Iterable[Path], model: Model, path: Path, wanted: Wanted, as_lines: bool, go_on: bool) -> None:
    """Says it of each photo, by the gallery as it is then; ``go_on`` where a photo cannot be read."""
    followed = FollowedGallery(path, model)
    gallery = followed.latest()
    _say_by_what(gallery, wanted, as_lines)
    for photo in photos:
        if (latest := followed.latest()) is not gallery:
            gallery = latest
            _say_by_what(gallery, wanted, as_lines)
        try:
            identified = identify(model, gallery, read_photo(photo), *wanted)
        except ImageError as error:
            if not go_on:
                raise
            _print({"photo": str(photo), "error": str(error).partition("\n")[0]}, f"{photo}: {error}", as_lines)
            continue
        _print(as_json(str(photo), identified), as_text(str(photo), identified), as_lines)


def _say_by_what(gallery: Gallery, wanted: Wanted, as_lines: bool) -> None:
    threshold = gallery.threshold(*wanted)
    if not as_lines:
        print(told_threshold(threshold), flush=True)


def _print(told: dict[str, Any], text: str, as_lines: bool) -> None:
    print(json.dumps(told, ensure_ascii=False) if as_lines else text, flush=True)


def _photos(count: int) -> str:
    return "1 photo" if count == 1 else f"{count:,} photos"
