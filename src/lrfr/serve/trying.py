"""lrfr try: a page on this machine that says who is on a picture, or before the camera, until Ctrl-C."""

import secrets
from pathlib import Path

from lrfr.galleries.gallery import FollowedGallery
from lrfr.loopback import opened
from lrfr.serve.model import Model
from lrfr.serve.server import PAGE, create_app


def try_out(model: Path, gallery: Path, port: int | None, browser: bool) -> None:
    """Serves the page.

    Args:
        model: the folder of a release.
        gallery: the file of who is known.
        port: where to listen on 127.0.0.1; None takes the first free one.
        browser: open the page in the browser.

    Raises:
        ReleaseError: no release is there.
        GalleryError: no gallery is there, or nobody is enrolled in it.
        EnvironmentProblemError: the port is taken.
    """
    loaded = Model.load(model)
    token = secrets.token_urlsafe(32)
    app = create_app(loaded, FollowedGallery(gallery, loaded), token)
    with opened(app, PAGE, token, port, browser) as (address, run):
        print(f"{loaded.origin.release}, {gallery}\nOpen {address}")
        print("Pictures stay on this machine and are kept nowhere; Ctrl-C ends.", flush=True)
        run()
