"""The verification page's server. It answers nobody but the page that `lrfr review` opened.

A page of another site must neither read faces nor write verdicts: the server listens on 127.0.0.1 alone, believes no
other host name (DNS rebinding), takes JSON from its own origin only, and wants the run's token with every question. The
token stands in the address's fragment, which browsers send to nobody.
"""

import secrets
from collections.abc import Awaitable, Callable
from importlib.resources import files
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from fastapi import FastAPI, Path, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ConfigDict, Field

from lrfr.errors import ImageError, LrfrError
from lrfr.review.photo import Photos
from lrfr.review.record import Judgement
from lrfr.review.session import Session

HOST = "127.0.0.1"
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


class FaceVerdict(BaseModel):
    """What the page says of one face; see :class:`lrfr.review.record.Judgement`."""

    model_config = ConfigDict(extra="forbid", strict=True)

    face_id: str = Field(min_length=1, max_length=64)
    verdict: Literal["face", "not_face", "unrecognizable", "unsure"] | None
    note: str = Field(default="", max_length=500)
    seen: str | None = None


class SheetVerdicts(BaseModel):
    """A sheet that is to be saved, by whom and in which manifest: a page never writes in another labeller's name."""

    model_config = ConfigDict(extra="forbid", strict=True)

    labeller: str
    manifest: str
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

    @app.get("/api/session")
    def describe() -> dict[str, Any]:
        record = session.record
        return {
            "labeller": record.labeller, "manifest": record.path.stem, "file": str(record.path), "order": order,
            "adjudicates": record.adjudicates, "sheets": len(session.sheets), "photos": bool(photos.rows),
            "next": session.next_open(-1), "progress": session.progress(),
        }  # fmt: skip

    @app.get("/api/sheets/{index}")
    def sheet(index: Annotated[int, Path(ge=0, lt=len(session.sheets))]) -> dict[str, Any]:
        return {"sheet": index, "faces": session.sheet(index), "next": session.next_open(index)}

    @app.post("/api/verdicts", response_model=None)
    def save(body: SheetVerdicts) -> dict[str, Any] | Response:
        record = session.record
        if (body.labeller, body.manifest) != (record.labeller, record.path.stem):
            return _message(403, f"this window is {body.labeller}'s; the server now works for {record.labeller}")
        if any(verdict.face_id not in session.rows for verdict in body.verdicts):
            return _message(422, "a face of this sheet does not await a verdict; load the page again")
        stale = session.save([Judgement(**verdict.model_dump()) for verdict in body.verdicts])
        if stale:
            return JSONResponse({"elsewhere": [session.state(face_id) for face_id in stale]}, 409)
        faces = [session.state(verdict.face_id) for verdict in body.verdicts]
        return {"faces": faces, "next": session.next_open(body.sheet), "progress": session.progress()}

    @app.get("/api/photos/{face_id}")
    def photo(face_id: str) -> Response:
        if face_id not in session.rows:
            return _message(404, "there is no such face")
        face = session.faces.select(["photo_id", "box"]).slice(session.rows[face_id], 1).to_pylist()[0]
        return Response(photos.around(face["photo_id"], face["box"]), media_type="image/jpeg")

    return app


def _refused(request: Request, token: str) -> tuple[int, str] | None:
    """Status and reason when a request is not the page's own."""
    host = request.headers.get("host", "")
    if urlsplit(f"//{host}").hostname not in (HOST, "localhost"):
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
    return None


def _static(content: bytes, kind: str) -> Callable[[], Response]:
    """Answers with a part of the page."""
    return lambda: Response(content, media_type=kind)


def _message(status: int, message: str) -> Response:
    return JSONResponse({"message": message}, status)
