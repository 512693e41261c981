"""Enrolling people by their photos: each shows one face, and nobody guesses which of several is meant."""

from dataclasses import dataclass
from pathlib import Path

from lrfr.errors import GalleryError, ImageError
from lrfr.galleries.changes import checked_name, enrol
from lrfr.galleries.file import Enrolled
from lrfr.progress import track
from lrfr.serve.detection import FoundFace, find_faces
from lrfr.serve.model import Model
from lrfr.serve.photos import photos_in, pictures_of, read_photo

WATCHED = 8  # photos from which on progress is shown
TOLD = 10  # photos that are listed


@dataclass(frozen=True)
class Outcome:
    """What was enrolled.

    Attributes:
        faces: how many are new.
        people: whose.
        left_out: photos that could not be used, and why.
    """

    faces: int
    people: list[str]
    left_out: list[tuple[Path, str]]


def enrol_person(model: Model, gallery: Path, name: str, given: list[Path], add: bool) -> Outcome:
    """Enrols one person by photos, or folders of them; all of them or none.

    Raises:
        GalleryError: a photo shows no face, or several; or the gallery refuses the name.
        ImageError: a photo cannot be read.
    """
    return _enrolled(model, gallery, {checked_name(name): pictures_of(given)}, add, whole=True)


def enrol_folders(model: Model, gallery: Path, folder: Path, add: bool) -> Outcome:
    """Enrols everybody of a folder that has a folder for each person; photos that cannot be used are left out.

    Raises:
        GalleryError: there is nobody, no photo can be used, or the gallery refuses a name.
    """
    people = {checked_name(each.name): photos_in(each) for each in sorted(folder.iterdir()) if each.is_dir()}
    if not any(people.values()):
        remedy = "make a folder for each person, named as the person is, with photos in it"
        raise GalleryError("no folder of a person with photos is here", where=folder, remedy=remedy)
    return _enrolled(model, gallery, people, add, whole=False)


def _enrolled(model: Model, gallery: Path, people: dict[str, list[Path]], add: bool, whole: bool) -> Outcome:
    wanted = [(name, path) for name, photos in people.items() for path in photos]
    watched = track(wanted, "reading photos", unit="photo") if len(wanted) >= WATCHED else wanted
    faces, left_out = [], []
    for name, path in watched:
        try:
            faces.append((name, _only_face(model, path)))
        except (GalleryError, ImageError) as error:
            if whole and len(wanted) == 1:
                raise
            left_out.append((path, str(error).partition("\n")[0]))
    if left_out and (whole or not faces):
        told = "\n".join(f"    {path}: {why}" for path, why in left_out[:TOLD])
        more = f"\n    and {len(left_out) - TOLD} more" if len(left_out) > TOLD else ""
        what = f"{len(left_out)} of {len(wanted)} photos cannot be used, and nobody was enrolled:\n{told}{more}"
        raise GalleryError(what, remedy="leave them out, or cut out the one face that is meant")
    seen = model.see([face.pixels for _, face in faces])
    quality = [None] * len(faces) if seen.quality is None else seen.quality.tolist()
    rows = [
        Enrolled(name, face.face_id, embedding, value, face.picture)
        for (name, face), embedding, value in zip(faces, seen.embedding, quality, strict=True)
    ]
    return Outcome(enrol(gallery, model.origin, rows, add), sorted({name for name, _ in faces}), left_out)


def _only_face(model: Model, path: Path) -> FoundFace:
    faces = find_faces(read_photo(path), model.detector)
    if len(faces) != 1:
        what = f"the photo shows {len(faces)} faces" if faces else "no face was found in the photo"
        remedy = "cut out the one that is meant" if faces else "give another photo, or a larger copy of it"
        raise GalleryError(what, where=path, remedy=remedy)
    return faces[0]
