"""The verification page's server: the session's sheets, and the verdicts on them.

Whom it answers is :mod:`lrfr.loopback`'s matter.
"""

from importlib.resources import files
from typing import Annotated, Any

from fastapi import FastAPI, Path, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ConfigDict, Field

from lrfr.core.names import LONGEST
from lrfr.errors import ImageError, LrfrError
from lrfr.loopback import Page, guarded, message
from lrfr.review.photo import Photos
from lrfr.review.session import Judgement, Session

MOST = 1 << 20  # bytes of a question; a sheet of 40 faces, each with the longest note and name, takes 40 kB
PAGE = Page("lrfr review", files("lrfr.review") / "page", "application/json", MOST, 8377)


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
    app = guarded(PAGE, token)

    @app.exception_handler(LrfrError)
    def explain(request: Request, error: LrfrError) -> Response:
        return message(404 if isinstance(error, ImageError) else 507, str(error))

    @app.get("/api/session")
    def describe() -> dict[str, Any]:
        record = session.record
        return {
            "labeller": record.labeller, "manifest": record.path.stem, "file": str(record.path), "order": order,
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
            return message(403, f"this window is another labeller's; the server now works for {record.labeller}")
        if fault := _fault(body, session):
            return message(422, fault)
        stale = session.save([Judgement(**verdict.model_dump()) for verdict in body.verdicts])
        if stale:
            return JSONResponse({"elsewhere": [session.state(card_id) for card_id in stale]}, 409)
        faces = [session.state(verdict.face_id) for verdict in body.verdicts]
        return {"faces": faces, "next": session.next_open(body.sheet), "progress": session.progress()}

    @app.get("/api/photos/{face_id}")
    def photo(face_id: Annotated[str, Path(max_length=256)]) -> Response:
        if face_id not in session.rows:
            return message(404, "there is no such face")
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
