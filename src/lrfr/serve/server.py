"""The server of the page to try a release: pictures come in, who is on them goes out, and nothing is kept.

Whom it answers is :mod:`lrfr.loopback`'s matter.
"""

from base64 import b64encode
from importlib.resources import files
from threading import Lock
from typing import Annotated, Any

from fastapi import FastAPI, Query, Request
from fastapi.responses import Response
from starlette.concurrency import run_in_threadpool

from lrfr.decoding import decode
from lrfr.errors import LrfrError
from lrfr.galleries.gallery import FPIR, FollowedGallery, Gallery
from lrfr.loopback import Page, guarded, message
from lrfr.serve.identification import Identified, as_json, identify
from lrfr.serve.model import Model

MOST = 32 << 20  # bytes of a picture
PAGE = Page("lrfr try", files("lrfr.serve") / "page", "application/octet-stream", MOST, 8399)
RATES = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2)  # FPIRs that the page offers, as far as they are resolved


def create_app(model: Model, gallery: FollowedGallery, token: str) -> FastAPI:
    """The server of one release and one gallery; ``token`` is what the page must know to be answered."""
    app = guarded(PAGE, token)
    one_by_one = Lock()  # the detector's networks are not made for several threads

    @app.exception_handler(LrfrError)
    def explain(request: Request, error: LrfrError) -> Response:
        return message(422, str(error))

    @app.get("/api/about")
    def about() -> dict[str, Any]:
        known = gallery.latest()
        least = model.calibration.least(len(known.people))
        rates = [rate for rate in RATES if rate >= least]
        usual = next((rate for rate in rates if rate >= FPIR), None)
        return {"release": model.origin.release, "people": len(known.people), "photos": known.photos,
                "quality": model.quality, "rates": rates, "usual": usual}  # fmt: skip

    def answered(picture: bytes, fpir: float) -> dict[str, Any]:
        pixels = decode(picture, "the picture")
        with one_by_one:
            known = gallery.latest()
            identified = identify(model, known, pixels, fpir)
        return _shown(identified, known) | {"height": pixels.shape[0], "width": pixels.shape[1]}

    @app.post("/api/identify")
    async def who(request: Request, fpir: Annotated[float, Query(gt=0, le=0.5)]) -> dict[str, Any]:
        return await run_in_threadpool(answered, await request.body(), fpir)

    return app


def _shown(identified: Identified, known: Gallery) -> dict[str, Any]:
    """What the page shows: with the pictures of the faces, and of the people whom they resemble."""
    told = as_json("", identified)
    for face, found in zip(told["faces"], identified.faces, strict=True):
        face["picture"] = _address(found.found.picture)
        for near in face["nearest"]:
            near["picture"] = _address(known.picture(near["name"]))
    return told


def _address(picture: bytes) -> str:
    return f"data:image/png;base64,{b64encode(picture).decode()}"
