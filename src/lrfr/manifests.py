"""What people said of faces, read from disk: the labellers' manifests, and the list of gold faces."""

from collections.abc import Collection, Iterable
from pathlib import Path

from lrfr import paths
from lrfr.core import gold
from lrfr.core.gold import Gold
from lrfr.core.verdicts import Verdict, parse, render
from lrfr.errors import VerdictError

HEADER = render([])


def read_manifest(path: Path) -> list[Verdict]:
    """The verdicts of a manifest, in the order of its lines; none when there is no file.

    Raises:
        VerdictError: it is not UTF-8, or a line cannot be right.
    """
    if not path.is_file():
        return []
    try:
        text = path.read_text(encoding="utf-8")
        return [] if HEADER.startswith(text) else parse(text, path.stem, path)  # a crash can cut the header short
    except UnicodeDecodeError as error:
        raise VerdictError("a verdict manifest is not UTF-8 text", where=path, remedy="save it as UTF-8") from error


def read_manifests(folder: Path) -> list[Verdict]:
    """The verdicts of every manifest in a folder; errors as :func:`read_manifest`."""
    return [verdict for path in sorted(folder.glob("*.csv")) for verdict in read_manifest(path)]


def read_gold() -> dict[str, Gold]:
    """The gold faces that people state, by face_id; none when there is no list.

    Raises:
        VerdictError: a line is no gold face.
    """
    return gold.parse(paths.GOLD.read_bytes(), paths.GOLD) if paths.GOLD.is_file() else {}


def check_detected(verdicts: Iterable[Verdict], gold_faces: Iterable[str], known: Collection[str]) -> None:
    """Proves that what people said is of faces that were detected.

    Args:
        verdicts: the lines of people's manifests.
        gold_faces: the face_ids of the gold faces that people state.
        known: the faces that were detected.

    Raises:
        VerdictError: one was not; for a verdict it names file and line.
    """
    among = f"is not among the {len(known)} detected faces"
    for verdict in verdicts:
        if verdict.face_id not in known:
            what = f"the verdict of {verdict.labeller} is on face {verdict.face_id}, which {among}"
            remedy = "set the source and detect settings back to those that it was made with, or move the manifest out"
            raise VerdictError(what, where=f"{paths.VERDICTS / verdict.manifest}.csv:{verdict.line}", remedy=remedy)
    for face_id in sorted(set(gold_faces).difference(known)):
        remedy = "remove its line, or set the source and detect settings back"
        raise VerdictError(f"gold face {face_id} {among}", where=paths.GOLD, remedy=remedy)
