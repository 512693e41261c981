"""What people said of faces, read from disk: the labellers' manifests, and the list of gold faces."""

from collections.abc import Collection, Iterable
from pathlib import Path

from lrfr import paths
from lrfr.core import gold, names, pair_verdicts, verdicts
from lrfr.core.gold import Gold
from lrfr.core.manifest_lines import Kind, Line
from lrfr.core.names import Name
from lrfr.core.pair_verdicts import PairVerdict
from lrfr.core.verdicts import Verdict
from lrfr.errors import VerdictError

KINDS: dict[Path, Kind] = {
    paths.VERDICTS: verdicts.KIND,
    paths.NAMES: names.KIND,
    paths.PAIR_VERDICTS: pair_verdicts.KIND,
}


def read_manifest(path: Path, kind: Kind[Line] = verdicts.KIND) -> list[Line]:  # pyrefly: ignore
    """The lines of a manifest, in their order; none when there is no file.

    Raises:
        VerdictError: it is not UTF-8, or a line cannot be right.
    """
    if not path.is_file():
        return []
    try:
        text = path.read_text(encoding="utf-8")
        return [] if kind.header.startswith(text) else kind.parse(text, path.stem, path)  # a crash can cut the header
    except UnicodeDecodeError as error:
        raise VerdictError(
            f"a {kind.noun} manifest is not UTF-8 text", where=path, remedy="save it as UTF-8"
        ) from error


def read_manifests(folder: Path, kind: Kind[Line] = verdicts.KIND) -> list[Line]:  # pyrefly: ignore
    """The lines of every manifest in a folder; errors as :func:`read_manifest`."""
    return [line for path in sorted(folder.glob("*.csv")) for line in read_manifest(path, kind)]


def read_names() -> list[Name]:
    """The lines of everybody who named faces; errors as :func:`read_manifest`."""
    return read_manifests(paths.NAMES, names.KIND)


def read_pair_verdicts() -> list[PairVerdict]:
    """The lines of everybody who judged pairs; errors as :func:`read_manifest`."""
    return read_manifests(paths.PAIR_VERDICTS, pair_verdicts.KIND)


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
            raise _not_detected("verdict", paths.VERDICTS, verdict, f"face {verdict.face_id}, which {among}")
    for face_id in sorted(set(gold_faces).difference(known)):
        remedy = "remove its line, or set the source and detect settings back"
        raise VerdictError(f"gold face {face_id} {among}", where=paths.GOLD, remedy=remedy)


def check_named(lines: Iterable[Name], known: Collection[str]) -> None:
    """Proves that people named faces that were detected, and that no publisher has placed; errors as
    :func:`check_detected`."""
    for name in lines:
        if name.face_id not in known:
            among = f"is not among the {len(known)} detected native faces that people may name"
            raise _not_detected("name", paths.NAMES, name, f"face {name.face_id}, which {among}")


def check_paired(verdicts: Iterable[PairVerdict], known: Collection[str]) -> None:
    """Proves that people judged pairs of faces that are there, detected or imported; errors as
    :func:`check_detected`."""
    for verdict in verdicts:
        for face_id in verdict.about:
            if face_id not in known:
                among = f"is not among the {len(known)} detected and imported faces"
                raise _not_detected("verdict on a pair", paths.PAIR_VERDICTS, verdict, f"face {face_id}, which {among}")


def _not_detected(noun: str, folder: Path, line: Verdict | Name | PairVerdict, of: str) -> VerdictError:
    remedy = "set the source and detect settings back to those that it was made with, or move the manifest out"
    what = f"the {noun} of {line.labeller} is on {of}"
    return VerdictError(what, where=f"{folder / line.manifest}.csv:{line.line}", remedy=remedy)
