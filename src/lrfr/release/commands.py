"""``lrfr release``: to make a release of what the pipeline packaged, to verify one, and to publish it."""

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(
    help="Make, verify and publish signed releases.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

What = Annotated[str, typer.Argument(metavar="DIR|VERSION", help="A release's folder, or a version of this project.")]
Trusted = Annotated[Path | None, typer.Option("--key", metavar="FILE", help="Public key or certificates, PEM.")]


@app.command()
def make(
    key: Annotated[Path | None, typer.Option(metavar="FILE", help="Private key, PEM; never in git.")] = None,
    certificate: Annotated[Path | None, typer.Option(metavar="FILE", help="On that key, and its chain, PEM.")] = None,
) -> None:
    """Sign the packaged model, as signed/NAME/VERSION."""
    from lrfr.release.making import make

    make(key, certificate)


@app.command()
def verify(what: What, key: Trusted = None) -> None:
    """Check signature and hashes, and embed the kept sample."""
    from lrfr.release.trial import verify

    verify(what, key)


@app.command()
def publish(
    what: What,
    place: Annotated[Path, typer.Argument(metavar="PLACE", help="The folder from which `lrfr pull` fetches.")],
    key: Trusted = None,
) -> None:
    """Verify, and copy to PLACE/NAME/VERSION."""
    from lrfr.release.publishing import publish

    publish(what, place, key)
