"""The verification page's server. It answers nobody but the page that `lrfr review` opened.

A page of another site must neither read faces nor write verdicts: the server listens on 127.0.0.1 alone, believes no
other host name (DNS rebinding), takes JSON from its own origin only, and wants the run's token with every question. The
token stands in the address's fragment, which browsers send to nobody.
"""

import re
import secrets
from collections.abc import Awaitable, Callable
from importlib.resources import files
from typing import Annotated, Any

from fastapi import FastAPI, Path, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ConfigDict, Field

from lrfr.core.names import LONGEST
from lrfr.errors import ImageError, LrfrError
from lrfr.review.photo import Photos
from lrfr.review.session import Judgement, Session

HOST = "127.0.0.1"
OWN_HOST = re.compile(r"(127\.0\.0\.1|localhost)(:\d{1,5})?", re.ASCII)
MOST = 1 << 20  # bytes of a question; a sheet of 40 faces, each with the longest note and name, takes 40 kB
TOKEN_HEADER = "X-Lrfr-Token"
KINDS = {".html": "text/html", ".css": "text/css", ".js": "text/javascript"}
PAGE = {f"/{part.name}".removesuffix("index.html"): part for part in (files("lrfr.review") / "page").iterdir()}
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


CardId = Annotated[str, Field(min_length=1, max_length=256)]
Moment = Annotated[str, Field(max_length=64)]


class FaceVerdict(BaseModel):
    """What the page says of one face or pair; see :class:`lrfr.review.session.Judgement`."""

    model_config = ConfigDict(extra="forbid", strict=True)

    face_id: CardId
    verdict: Annotated[str, Field(max_length=32)] | None
    note: str = Field(default="", max_length=500)
    seen: Moment | None = None
    name: Annotated[str, Field(max_length=LONGEST)] | None = None
    name_seen: Moment | None = None


class SheetVerdicts(BaseModel):
    """A sheet that is to be saved, by whom and in which manifest: a page never writes in another labeller's name."""

    model_config = ConfigDict(extra="forbid", strict=True)

    labeller: str = Field(max_length=64)
    manifest: str = Field(max_length=64)
    sheet: int = Field(ge=0)
    verdicts: list[FaceVerdict] = Field(max_length=1000)


def create_app(session: Session, photos: Photos, token: str, order: str) -> FastAPI:
    """The server of one session; ``token`` is what the page must know to be answered."""
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)  # FastAPI's own pages load scripts from elsewhere
    for path, part in PAGE.items():
        app.add_api_route(path, _static(part.read_bytes(), KINDS[part.name[part.name.rindex(".") :]]))

    @app.middleware("http")
    async def guard(request: Request, go_on: Callable[[Request], Awaitable[Response]]) -> Response:
        refused = _refused(request, token)
        response = _message(*refused) if refused else await go_on(request)
        response.headers.update(HEADERS)
        return response

    @app.exception_handler(LrfrError)
    def explain(request: Request, error: LrfrError) -> Response:
        return _message(404 if isinstance(error, ImageError) else 507, str(error))

    @app.exception_handler(RequestValidationError)
    def refuse(request: Request, error: RequestValidationError) -> Response:
        first = error.errors()[0]  # what was sent is not sent back
        return _message(422, f"{'.'.join(str(part) for part in first['loc'])[:200]}: {first['msg'][:200]}")

    @app.get("/api/session")
    def describe() -> dict[str, Any]:
        record = session.record
        return {
            "labeller": record.labeller, "manifest": record.path.stem, "file": str(record.path), "order": order,
            "names": str(session.names.path) if session.names is not None else None,
            "shows": session.cards.shows, "adjudicates": record.adjudicates, "sheets": len(session.sheets),
            "photos": bool(photos.rows), "next": session.next_open(-1), "progress": session.progress(),
            "recent_names": session.recent_names(), "vocabulary": session.vocabulary,
        }  # fmt: skip

    @app.get("/api/sheets/{index}")
    def sheet(index: Annotated[int, Path(ge=0, lt=len(session.sheets))]) -> dict[str, Any]:
        return {"sheet": index, "faces": session.sheet(index), "next": session.next_open(index)}

    @app.post("/api/verdicts", response_model=None)
    def save(body: SheetVerdicts) -> dict[str, Any] | Response:
        record = session.record
        if (body.labeller, body.manifest) != (record.labeller, record.path.stem):
            return _message(403, f"this window is another labeller's; the server now works for {record.labeller}")
        if fault := _fault(body, session):
            return _message(422, fault)
        stale = session.save([Judgement(**verdict.model_dump()) for verdict in body.verdicts])
        if stale:
            return JSONResponse({"elsewhere": [session.state(card_id) for card_id in stale]}, 409)
        faces = [session.state(verdict.face_id) for verdict in body.verdicts]
        return {"faces": faces, "next": session.next_open(body.sheet), "progress": session.progress()}

    @app.get("/api/photos/{face_id}")
    def photo(face_id: Annotated[str, Path(max_length=256)]) -> Response:
        if face_id not in session.rows:
            return _message(404, "there is no such face")
        return Response(photos.around(*session.cards.place(session.rows[face_id])), media_type="image/jpeg")

    return app


def _fault(body: SheetVerdicts, session: Session) -> str | None:
    """What of a sheet cannot be right, if anything."""
    ids = [verdict.face_id for verdict in body.verdicts]
    if body.sheet >= len(session.sheets):
        return "there is no such sheet"
    if len(set(ids)) < len(ids):
        return "a face stands twice on this sheet"
    if not all(card_id in session.rows for card_id in ids):
        return "a face of this sheet does not await a verdict; load the page again"
    if not all(verdict.verdict in (*session.cards.words, None) for verdict in body.verdicts):
        return f"a verdict is one of {', '.join(session.cards.words)}"
    if session.names is None and any(verdict.name for verdict in body.verdicts):
        return "a pair has no name"
    return None


def _refused(request: Request, token: str) -> tuple[int, str] | None:
    """Status and reason when a request is not the page's own."""
    host = request.headers.get("host", "")
    if not OWN_HOST.fullmatch(host):
        return 403, "this server answers to 127.0.0.1 and localhost alone"
    origin = request.headers.get("origin")
    if origin not in (f"http://{host}", None) or (origin is None and request.method not in ("GET", "HEAD")):
        return 403, "this server answers its own page alone"
    if request.url.path in PAGE:
        return None
    if request.headers.get("sec-fetch-site", "same-origin") != "same-origin":
        return 403, "this server answers its own page alone"
    if not secrets.compare_digest(request.headers.get(TOKEN_HEADER, "").encode(), token.encode()):
        return 401, "this window belongs to an earlier run of lrfr review"
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if request.method == "POST" and media_type != "application/json":
        return 415, "verdicts are sent as JSON"
    return _too_long(request)


def _too_long(request: Request) -> tuple[int, str] | None:
    """Refuses a body that does not say how long it is, or is longer than any sheet; what follows is never read."""
    if "transfer-encoding" in request.headers:
        return 411, "a question says how long it is"
    length = request.headers.get("content-length", "0")
    if not (length.isascii() and length.isdigit()) or len(length) > 12 or int(length) > MOST:
        return 413, f"no question has more than {MOST:,} bytes"
    return None


def _static(content: bytes, kind: str) -> Callable[[], Response]:
    """Answers with a part of the page."""
    return lambda: Response(content, media_type=kind)


def _message(status: int, message: str) -> Response:
    return JSONResponse({"message": message}, status)
