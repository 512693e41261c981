"""lrfr review: gathers the faces that await a verdict, and serves the page until the labeller ends it."""

import errno
import secrets
import socket
import threading
import webbrowser

import pyarrow as pa
import uvicorn
from fastapi import FastAPI

from lrfr import paths
from lrfr.config import read_params
from lrfr.core.gold import settled
from lrfr.core.verdicts import Verdict
from lrfr.curation import Curate
from lrfr.errors import EnvironmentProblemError
from lrfr.images import Images
from lrfr.manifests import read_gold
from lrfr.review.manifest import checked_labeller, read_under_lock
from lrfr.review.photo import Photos
from lrfr.review.server import HOST, create_app
from lrfr.review.session import Session, opinions
from lrfr.review.sheets import ADJUDICATION_SHEET, SHEET, Order, awaiting, deal, disputed, error_probabilities

FIRST_PORT, PORTS = 8377, 20  # where a free port is looked for when none is named


def serve(labeller: str, port: int | None, order: Order, adjudicate: bool, browser: bool) -> None:
    """Serves the page until Ctrl-C, and says then what was done.

    Args:
        labeller: who judges.
        port: where to listen on 127.0.0.1; None takes the first free one from ``FIRST_PORT`` on.
        order: how faces are dealt out to sheets.
        adjudicate: show what labellers disagree on or are unsure of, and write down what settles it.
        browser: open the page in the browser.

    Raises:
        VerdictError: the labeller's name cannot be used, or a manifest has a line that cannot be right.
        FaceTableError: no faces were detected yet.
        EnvironmentProblemError: the port is taken.
    """
    labeller = checked_labeller(labeller, read_params().read("curate", Curate).simulated_labellers)
    session = open_session(labeller, order, adjudicate)
    if not session.ids:
        print(_nothing(adjudicate))
        return
    token = secrets.token_urlsafe(32)
    app = create_app(session, Photos(paths.PHOTOS), token, order)
    with _listening(port) as listening:
        address = f"http://{HOST}:{listening.getsockname()[1]}/#{token}"
        progress = session.progress()
        done = f"{progress['judged']:,} of {progress['faces']:,} faces have a verdict in {session.record.path}"
        print(f"{done}\nOpen {address}\nEvery sheet is on the disk before the page says so; Ctrl-C ends.", flush=True)
        if browser:
            threading.Thread(target=webbrowser.open, args=[address], daemon=True).start()
        _run(app, listening)
    print(_summary(session))


def open_session(labeller: str, order: Order, adjudicate: bool) -> Session:
    """The session of a labeller, or of an adjudicator, on the faces of the current project."""
    faces = awaiting(read_params().read("curate", Curate).max_side)
    verdicts: list[Verdict] = read_under_lock(paths.VERDICTS)
    error_probability = error_probabilities() if order == "label-errors" else {}
    if not adjudicate:
        known = settled(verdicts) | read_gold()
        return Session(faces, _images(faces), deal(faces, order, SHEET, error_probability, known), labeller)
    faces = disputed(faces, verdicts)
    sheets = deal(faces, order, ADJUDICATION_SHEET, error_probability)
    return Session(faces, _images(faces), sheets, labeller, opinions(verdicts))


def _images(faces: pa.Table) -> Images:
    return Images(paths.DETECTED_NATIVE, faces["row"].to_numpy())


def _listening(port: int | None) -> socket.socket:
    """A socket that listens on this machine alone."""
    for candidate in [port] if port is not None else range(FIRST_PORT, FIRST_PORT + PORTS):
        listening = socket.socket()
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind((HOST, candidate))
            listening.listen()
            return listening
        except OSError as error:
            listening.close()
            if error.errno not in (errno.EADDRINUSE, errno.EACCES):
                raise
    tried = f"port {port}" if port is not None else f"ports {FIRST_PORT} to {FIRST_PORT + PORTS - 1}"
    remedy = "end the program that holds it, name another one with --port, or leave --port out"
    raise EnvironmentProblemError(f"{tried} cannot be had on this machine", where=HOST, remedy=remedy)


def _run(app: FastAPI, listening: socket.socket) -> None:
    """Serves until Ctrl-C."""
    settings = uvicorn.Config(app, log_level="warning", server_header=False, timeout_graceful_shutdown=3)
    try:
        uvicorn.Server(settings).run(sockets=[listening])
    except KeyboardInterrupt:
        print()


def _nothing(adjudicate: bool) -> str:
    if adjudicate:
        return f"Nothing to adjudicate: in {paths.VERDICTS} nobody is unsure of a face and no two labellers disagree."
    return f"Nothing to verify: {paths.DETECTED_NATIVE} has no face that a verdict could bring into the benchmark."


def _summary(session: Session) -> str:
    """What was done, what is left, and what to do with it."""
    progress = session.progress()
    minutes, rate = progress["seconds"] / 60, progress["per_hour"]
    pace = f" in {minutes:.0f} min of work ({rate:,.0f} faces an hour)" if rate else ""
    said = ", ".join(f"{verdict} {count:,}" for verdict, count in progress["verdicts"].items())
    lines = [f"{progress['judged_now']:,} faces judged{pace}; {progress['faces'] - progress['judged']:,} left"]
    if said:
        lines.append(f"{session.record.path}: {said}")
        lines.append(f"next: git add {session.record.path} && git commit; dvc repro")
    return "\n".join(lines)
