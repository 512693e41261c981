"""lrfr verdicts: faces and verdicts to another labelling tool, and back into a labeller's manifest."""

import json
from pathlib import Path

from lrfr import paths
from lrfr.config import read_params
from lrfr.core.normal_names import normal_name
from lrfr.core.verdicts import Verdict
from lrfr.curation import Curate
from lrfr.errors import VerdictError
from lrfr.faces import read_faces
from lrfr.files import parse_json, write_text
from lrfr.images import Images
from lrfr.manifests import read_manifest
from lrfr.review.cards import opinions
from lrfr.review.label_studio import CONFIG, Annotation, given, tasks
from lrfr.review.manifest import append, checked_labeller, locked, manifest_path, read_under_lock
from lrfr.review.nothing import nothing_to_verify
from lrfr.review.sheets import awaiting


def export_tasks(path: Path, with_verdicts: bool) -> None:
    """Writes the faces that await verdicts as Label Studio's tasks, and its labelling configuration beside them.

    Args:
        path: the JSON file; the configuration gets the same name with ``.xml``.
        with_verdicts: let the latest verdict of each labeller go along, as predictions.

    Raises:
        FaceTableError: no faces were detected yet.
        VerdictError: no face awaits a verdict, a manifest has a line that cannot be right, or a file cannot be written.
    """
    config = _beside(path)
    faces = awaiting(read_params().read("curate", Curate).max_side)
    if not faces.num_rows:
        raise VerdictError(nothing_to_verify(), where=path, remedy="no file was written")
    images = Images(paths.DETECTED_NATIVE, faces["row"].to_numpy())
    made = tasks(faces, images, opinions(read_under_lock(paths.VERDICTS)) if with_verdicts else {})
    try:
        write_text(path, json.dumps(made, ensure_ascii=False))
        write_text(config, CONFIG)
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError, PermissionError) as error:
        raise VerdictError(f"cannot be written: {error.strerror}", where=path, remedy="name another file") from error
    print(f"{len(made):,} faces in {path}; the labelling configuration is {config}")
    if len(made) < faces.num_rows:
        print(f"{faces.num_rows - len(made):,} faces whose picture cannot be read were left out")


def _beside(path: Path) -> Path:
    """Where the labelling configuration lies: beside the tasks, which must be a file for that."""
    if (path.exists() and not path.is_file()) or path.suffix.lower() == ".xml":
        what = "the tasks need a file, and their configuration another one beside it"
        raise VerdictError(what, where=path, remedy="give a file's name, such as tasks.json")
    return path.with_suffix(".xml")


def import_annotations(path: Path, labeller: str, completed_by: str | None) -> None:
    """Appends what somebody said in Label Studio to a labeller's manifest; lines that are there are not repeated.

    Args:
        path: Label Studio's export, JSON.
        labeller: whose manifest.
        completed_by: the e-mail address or number of the person in Label Studio, where several annotated.

    Raises:
        VerdictError: the file cannot be read or is no such export, nobody annotated anything, several people annotated
            and none was chosen, or a face was not detected; nothing was appended.
    """
    labeller = checked_labeller(labeller, read_params().read("curate", Curate).simulated_labellers)
    try:
        exported = parse_json(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise VerdictError(f"cannot be read: {error.strerror}", where=path, remedy="name another file") from error
    except ValueError as error:
        raise VerdictError(f"not JSON: {error}", where=path, remedy="export from Label Studio as JSON") from error
    said = _of_one(given(exported, path), _who(completed_by), path)
    _check_detected(said, path)
    manifest = manifest_path(labeller, adjudicate=False)
    with locked(manifest):
        there = {(line.face_id, line.verdict, line.at, line.note) for line in read_manifest(manifest)}
        news = [item for item in said if (item.face_id, item.verdict, item.at, item.note) not in there]
        lines = [Verdict(item.face_id, item.verdict, labeller, item.at, item.note, labeller, 0) for item in news]
        if lines:
            append(manifest, lines)
    print(f"{len(lines):,} verdicts appended to {manifest}; {len(said) - len(lines):,} were there already")


def _who(completed_by: str | None) -> str | None:
    """The person who is asked for, in the normal form of names."""
    try:
        return normal_name(completed_by)
    except ValueError as error:
        raise VerdictError(f"the person {error}", where="--completed-by") from error


def _of_one(said: list[Annotation], completed_by: str | None, where: Path) -> list[Annotation]:
    """The annotations of one person: two people's verdicts in one manifest could never be told apart again."""
    people = sorted({item.by for item in said})
    if completed_by is None and len(people) > 1:
        remedy = "import one after the other, each with --completed-by and a --labeller of their own"
        raise VerdictError(f"{len(people)} people annotated: {', '.join(people)}", where=where, remedy=remedy)
    if completed_by is not None and completed_by not in people:
        remedy = f"those who did: {', '.join(people) or 'nobody'}"
        raise VerdictError(f"'{completed_by}' annotated nothing", where=where, remedy=remedy)
    return [item for item in said if completed_by in (None, item.by)]


def _check_detected(said: list[Annotation], where: Path) -> None:
    """Every face must have been detected."""
    detected = set(read_faces(paths.DETECTED_NATIVE, ["face_id"])["face_id"].to_pylist())
    unknown = sorted({item.face_id for item in said} - detected)
    if unknown:
        what = f"{len(unknown)} faces are not among the {len(detected)} detected ones, such as {unknown[0]}"
        remedy = "set the source and detect settings back to those that the tasks were made with"
        raise VerdictError(what, where=where, remedy=remedy)
