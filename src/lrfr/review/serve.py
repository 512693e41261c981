"""lrfr review: gathers the faces, or pairs, that await a verdict, and serves the page until the labeller ends it."""

import secrets

import pyarrow as pa

from lrfr import paths
from lrfr.config import read_params
from lrfr.core.gold import settled
from lrfr.core.names import Name
from lrfr.core.pair_verdicts import PairVerdict
from lrfr.core.verdicts import Verdict
from lrfr.curation import Curate
from lrfr.images import Images
from lrfr.loopback import opened
from lrfr.manifests import read_gold
from lrfr.review.cards import FaceCards, PairCards, opinions
from lrfr.review.manifest import checked_labeller, read_under_lock
from lrfr.review.nothing import nothing_to_judge
from lrfr.review.pairs import deal_pairs, disputed_pairs, near_pairs
from lrfr.review.photo import Photos
from lrfr.review.record import Record
from lrfr.review.server import PAGE, create_app
from lrfr.review.session import Session
from lrfr.review.sheets import (
    ADJUDICATION_SHEET,
    SHEET,
    Order,
    awaiting,
    deal,
    disputed,
    error_probabilities,
    of_several_names,
)


def serve(labeller: str, port: int | None, order: Order, adjudicate: bool, copies: bool, browser: bool) -> None:
    """Serves the page until Ctrl-C, and says then what was done.

    Args:
        labeller: who judges.
        port: where to listen on 127.0.0.1; None takes the first free one from 8377 on.
        order: how faces are dealt out to sheets.
        adjudicate: show what labellers disagree on or are unsure of, and write down what settles it.
        copies: show the pairs that curation took for one picture, instead of faces.
        browser: open the page in the browser.

    Raises:
        VerdictError: the labeller's name cannot be used, or a manifest has a line that cannot be right.
        FaceTableError: no faces were detected yet.
        ResultError: nobody looked for copies yet.
        EnvironmentProblemError: the port is taken.
    """
    labeller = checked_labeller(labeller, read_params().read("curate", Curate).simulated_labellers)
    session = open_pairs(labeller, adjudicate) if copies else open_session(labeller, order, adjudicate)
    if not session.ids:
        print(nothing_to_judge(adjudicate, copies))
        return
    token = secrets.token_urlsafe(32)
    app = create_app(session, Photos(paths.PHOTOS), token, order)
    with opened(app, PAGE, token, port, browser) as (address, run):
        print(f"{_done(session)}\nOpen {address}")
        print("Every sheet is on the disk before the page says so; Ctrl-C ends.", flush=True)
        run()
    print(_summary(session))


def open_session(labeller: str, order: Order, adjudicate: bool) -> Session:
    """The session of a labeller, or of an adjudicator, on the faces of the current project."""
    faces = awaiting(read_params().read("curate", Curate).max_side)
    verdicts: list[Verdict] = read_under_lock(paths.VERDICTS)
    given: list[Name] = read_under_lock(paths.NAMES)
    error_probability = error_probabilities() if order == "label-errors" else {}
    known = (*faces["identity"].to_pylist(), *(name.says for name in given))
    vocabulary = {name for name in known if name}
    said, unnamed, size, gold = None, set(), SHEET, settled(verdicts) | read_gold()
    if adjudicate:
        faces, said, unnamed = disputed(faces, verdicts, given), opinions(verdicts, given), of_several_names(given)
        size, gold = ADJUDICATION_SHEET, {}
    cards = FaceCards(faces, _images(faces), said)
    record = Record(paths.VERDICTS, labeller, set(cards.about.values()), adjudicate)
    names = Record(paths.NAMES, labeller, set(cards.about.values()), adjudicate)
    sheets = deal(_under_own_names(faces, names), order, size, error_probability, gold)
    return Session(cards, sheets, record, names, vocabulary, unnamed)


def _under_own_names(faces: pa.Table, names: Record[Name]) -> pa.Table:
    """The faces under the names that the labeller gave them, so that those of one identity stand together."""
    given = {line.face_id: line.says for line in names.lines()}
    rows = zip(faces["face_id"].to_pylist(), faces["identity"].to_pylist(), strict=True)
    column = pa.array([given.get(face_id) or identity for face_id, identity in rows], pa.string())
    return faces.set_column(faces.schema.get_field_index("identity"), "identity", column)


def open_pairs(labeller: str, adjudicate: bool) -> Session:
    """The session of a labeller, or of an adjudicator, on the pairs that curation took for one picture."""
    verdicts: list[PairVerdict] = read_under_lock(paths.PAIR_VERDICTS)
    pairs = near_pairs(verdicts, read_params())
    if adjudicate:
        pairs = disputed_pairs(pairs, verdicts)
    cards = PairCards(pairs, opinions(verdicts) if adjudicate else None)
    record = Record(paths.PAIR_VERDICTS, labeller, set(cards.about.values()), adjudicate)
    return Session(cards, deal_pairs(len(pairs)), record)


def _images(faces: pa.Table) -> Images:
    return Images(paths.DETECTED_NATIVE, faces["row"].to_numpy())


def _done(session: Session) -> str:
    """How far the labeller is."""
    progress, shows = session.progress(), session.cards.shows
    if session.next_open(-1) is None:
        return f"Nothing is left to verify: all {progress['faces']:,} {shows} have a verdict in {session.record.path}"
    return f"{progress['judged']:,} of {progress['faces']:,} {shows} have a verdict in {session.record.path}"


def _summary(session: Session) -> str:
    """What was done, what is left, and what to do with it."""
    progress, shows = session.progress(), session.cards.shows
    minutes, rate = progress["seconds"] / 60, progress["per_hour"]
    pace = f" in {minutes:.0f} min of work ({rate:,.0f} {shows} an hour)" if rate else ""
    said = ", ".join(f"{verdict} {count:,}" for verdict, count in progress["verdicts"].items())
    lines = [f"{progress['judged_now']:,} {shows} judged{pace}; {progress['faces'] - progress['judged']:,} left"]
    records = [record for record in (session.record, session.names) if record is not None and record.path.is_file()]
    if said:
        lines.append(f"{session.record.path}: {said}")
    if session.names is not None and progress["named"]:
        lines.append(f"{session.names.path}: {progress['named']:,} faces of {len(+session.names.counts):,} people")
    if records:
        files = " ".join(str(record.path) for record in records)
        lines.append(f"next: git add {files} && git commit; dvc repro")
    return "\n".join(lines)
