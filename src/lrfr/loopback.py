"""A page for the person at this machine: its server answers nobody but the page that a command of ours opened.

A page of another site must neither read faces nor send anything: the server listens on 127.0.0.1 alone, believes no
other host name (DNS rebinding), takes what its own origin sends, and wants the run's token with every question. The
token stands in the address's fragment, which browsers send to nobody.
"""

import errno
import re
import secrets
import socket
import threading
import webbrowser
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.resources.abc import Traversable

import uvicorn
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response

from lrfr.errors import EnvironmentProblemError

HOST = "127.0.0.1"
OWN_HOST = re.compile(r"(127\.0\.0\.1|localhost)(:\d{1,5})?", re.ASCII)
TOKEN_HEADER = "X-Lrfr-Token"
KINDS = {".html": "text/html", ".css": "text/css", ".js": "text/javascript"}
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src data: blob:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}
PORTS = 20  # that are tried where none is named


@dataclass(frozen=True)
class Page:
    """A page and what it may send.

    Attributes:
        command: that opens it.
        parts: the folder with its files, ``index.html`` among them.
        sends: the media type of all that it posts, such as ``application/json``.
        most: bytes of a question.
        first_port: where a free port is looked for when none is named.
    """

    command: str
    parts: Traversable
    sends: str
    most: int
    first_port: int


def guarded(page: Page, token: str) -> FastAPI:
    """A server that has a page's files, and answers all else to the page alone; routes are to be added.

    Args:
        page: the page.
        token: what it must know to be answered.
    """
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)  # FastAPI's own pages load scripts from elsewhere
    parts = {f"/{part.name}".removesuffix("index.html"): part for part in page.parts.iterdir()}
    for path, part in parts.items():
        app.add_api_route(path, _static(part.read_bytes(), KINDS[part.name[part.name.rindex(".") :]]))

    @app.middleware("http")
    async def guard(request: Request, go_on: Callable[[Request], Awaitable[Response]]) -> Response:
        refused = _refused(request, page, token, request.url.path in parts)
        response = message(*refused) if refused else await go_on(request)
        response.headers.update(HEADERS)
        return response

    @app.exception_handler(RequestValidationError)
    def refuse(request: Request, error: RequestValidationError) -> Response:
        first = error.errors()[0]  # what was sent is not sent back
        return message(422, f"{'.'.join(str(part) for part in first['loc'])[:200]}: {first['msg'][:200]}")

    return app


def message(status: int, text: str) -> Response:
    """An answer that says what is amiss."""
    return JSONResponse({"message": text}, status)


def _static(content: bytes, kind: str) -> Callable[[], Response]:
    """Answers with a part of the page."""
    return lambda: Response(content, media_type=kind)


def _refused(request: Request, page: Page, token: str, is_part: bool) -> tuple[int, str] | None:
    """Status and reason when a request is not the page's own."""
    host = request.headers.get("host", "")
    if not OWN_HOST.fullmatch(host):
        return 403, "this server answers to 127.0.0.1 and localhost alone"
    origin = request.headers.get("origin")
    if origin not in (f"http://{host}", None) or (origin is None and request.method not in ("GET", "HEAD")):
        return 403, "this server answers its own page alone"
    if is_part:
        return None
    if request.headers.get("sec-fetch-site", "same-origin") != "same-origin":
        return 403, "this server answers its own page alone"
    if not secrets.compare_digest(request.headers.get(TOKEN_HEADER, "").encode(), token.encode()):
        return 401, f"this window belongs to an earlier run of {page.command}"
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if request.method == "POST" and media_type != page.sends:
        return 415, f"questions are sent as {page.sends}"
    return _too_long(request, page.most)


def _too_long(request: Request, most: int) -> tuple[int, str] | None:
    """Refuses a body that does not say how long it is, or is too long; what follows is never read."""
    if "transfer-encoding" in request.headers:
        return 411, "a question says how long it is"
    length = request.headers.get("content-length", "0")
    if not (length.isascii() and length.isdigit()) or len(length) > 12 or int(length) > most:
        return 413, f"no question has more than {most:,} bytes"
    return None


@contextmanager
def opened(app: FastAPI, page: Page, token: str, port: int | None, browser: bool) -> Iterator[tuple[str, Callable]]:
    """Listens on this machine alone.

    Args:
        app: of :func:`guarded`.
        page: the page.
        token: what the page must know.
        port: where; None takes the first free one from the page's own on.
        browser: open the page in the browser, once it is served.

    Yields:
        The page's address, and what serves it until Ctrl-C.

    Raises:
        EnvironmentProblemError: the port is taken.
    """
    with _listening(page, port) as listening:
        address = f"http://{HOST}:{listening.getsockname()[1]}/#{token}"

        def serve() -> None:
            if browser:
                threading.Thread(target=webbrowser.open, args=[address], daemon=True).start()
            _run(app, listening)

        yield address, serve


def _listening(page: Page, port: int | None) -> socket.socket:
    """A socket that listens on this machine alone."""
    for candidate in [port] if port is not None else range(page.first_port, page.first_port + PORTS):
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
    tried = f"port {port}" if port is not None else f"ports {page.first_port} to {page.first_port + PORTS - 1}"
    remedy = "end the program that holds it, name another one with --port, or leave --port out"
    raise EnvironmentProblemError(f"{tried} cannot be had on this machine", where=HOST, remedy=remedy)


def _run(app: FastAPI, listening: socket.socket) -> None:
    """Serves until Ctrl-C."""
    settings = uvicorn.Config(app, log_level="warning", server_header=False, timeout_graceful_shutdown=3)
    try:
        uvicorn.Server(settings).run(sockets=[listening])
    except KeyboardInterrupt:
        print()
