"""``lrfr verdicts``: the options of each subcommand. Nothing heavy is imported before one is called."""

from pathlib import Path
from typing import Annotated, Literal

import typer

app = typer.Typer(
    help="Exchange faces and verdicts with Label Studio.",
    epilog="See docs/verification.md.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@app.command("export")
def export_(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The tasks, JSON; the configuration lies beside it.")],
    to: Annotated[Literal["label-studio"], typer.Option(help="The tool that reads it.")],
    with_verdicts: Annotated[
        bool, typer.Option("--with-verdicts", help="Let what labellers said go along, as predictions.")
    ] = False,
) -> None:
    """Write the faces that await verdicts as tasks."""
    from lrfr.review.exchange import export_tasks

    export_tasks(file, with_verdicts)


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What the tool exported, JSON.")],
    from_: Annotated[Literal["label-studio"], typer.Option("--from", help="The tool that wrote it.")],
    labeller: Annotated[str, typer.Option(metavar="NAME", help="Who judged; names the manifest.")],
    completed_by: Annotated[
        str | None, typer.Option(metavar="WHO", help="Their e-mail address or number there, if several annotated.")
    ] = None,
) -> None:
    """Append annotations to a labeller's manifest."""
    from lrfr.review.exchange import import_annotations

    import_annotations(file, labeller, completed_by)
