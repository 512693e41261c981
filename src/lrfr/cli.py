"""The command line: one command per stage, in the order in which the pipeline runs them, and the doctor.

Nothing heavy is imported here: each command imports its stage when it is called.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from typer.core import TyperGroup

from lrfr.circumstances import told
from lrfr.errors import InterruptedTrainingError, LrfrError, ParameterError
from lrfr.lifetime import stop_with_launcher
from lrfr.offline import stay_offline
from lrfr.recovery import keep_lock
from lrfr.release.commands import app as release
from lrfr.review.commands import app as verdicts
from lrfr.score.commands import app as score

stay_offline()

app = typer.Typer(
    name="lrfr",
    help="Low-resolution face recognition, from photos to a released model. `dvc repro` runs all of it, in this order.",
    epilog="Every command but score, embed --model and pull to try is run in the project's root, where params.yaml is.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

Synthesizer = Annotated[str, typer.Argument(metavar="NAME", help="One of params.yaml's synthesizers.")]
Learned = Annotated[str, typer.Argument(metavar="NAME", help="One of params.yaml's learned_synthesizers.")]
TestSet = Annotated[str, typer.Argument(metavar="SET", help="One of params.yaml's evaluation_sets.")]
SuperResolver = Annotated[str, typer.Argument(metavar="NAME", help="One of params.yaml's super_resolution.")]
Run = Annotated[str, typer.Argument(metavar="RUN", help="One of the runs under params.yaml's methods.")]
Backbone = Annotated[str, typer.Argument(metavar="NAME", help="One of params.yaml's backbones.")]


@app.command()
def acquire(
    list_sources: Annotated[bool, typer.Option("--list", help="Show the sources and the layout each expects.")] = False,
) -> None:
    """Read photos or faces from the source chosen."""
    _run("acquire", list_sources=list_sources)


@app.command()
def detect() -> None:
    """Find the faces and their landmarks in every photo."""
    _run("detect")


@app.command()
def import_testset(test_set: TestSet) -> None:
    """Import a test set as it was published."""
    _run("import_testset", test_set)


@app.command()
def curate() -> None:
    """Keep the tiny, verified faces; exclude the others."""
    _run("curate")


@app.command()
def split() -> None:
    """Split the identities: half to train, half to test."""
    _run("split")


@app.command()
def validate(
    data_docs: Annotated[bool, typer.Option("--data-docs", help="Also render Great Expectations' Data Docs.")] = False,
) -> None:
    """Stop here if the data is not what it should be."""
    _run("validate", data_docs=data_docs)


@app.command()
def check_batches() -> None:
    """Stop here if a batch is larger than its collection."""
    _run("check_batches")


@app.command()
def card() -> None:
    """Describe the benchmark: data card, Croissant metadata."""
    _run("card")


@app.command()
def synlr() -> None:
    """Make the SynLR set: the benchmark out of HR faces."""
    _run("synlr")


@app.command()
def synthesize(name: Synthesizer) -> None:
    """Make LR faces from HR portraits by one synthesiser."""
    _run("synthesize", name)


@app.command()
def validate_synthetic() -> None:
    """Stop here if synthetic faces are not as expected."""
    _run("validate_synthetic")


@app.command()
def train_landmarks() -> None:
    """Train the network that finds landmarks in tiny faces."""
    _run("train_landmarks")


@app.command()
def locate_landmarks() -> None:
    """Find the landmarks of all faces that models train on."""
    _run("locate_landmarks")


@app.command()
def train_sr(network: SuperResolver) -> None:
    """Train a super-resolution network by itself."""
    _run("train_sr", network)


@app.command()
def apply_sr(network: SuperResolver) -> None:
    """Super-resolve the test faces by such a network."""
    _run("apply_sr", network)


@app.command()
def pretrain(name: Backbone) -> None:
    """Train a backbone on HR portraits."""
    _run("pretrain", name)


@app.command()
def train_synthesizer(name: Learned) -> None:
    """Train a synthesiser on native LR faces."""
    _run("train_synthesizer", name)


@app.command()
def drift(
    reference: Annotated[
        Path | None, typer.Option(metavar="A", help="A face table, or a release's reference.parquet.")
    ] = None,
    current: Annotated[Path | None, typer.Option(metavar="B", help="The face table that is compared with it.")] = None,
    model: Annotated[
        Path | None, typer.Option(metavar="DIR", help="With both: also by the embeddings of this model.")
    ] = None,
    sample: Annotated[int, typer.Option(min=20, max=10**7, help="With both: faces of each at most.")] = 1000,
    json: Annotated[Path | None, typer.Option(metavar="FILE", help="With both: where all figures go.")] = None,
) -> None:
    """Compare synthetic LR with native LR, or two tables.

    Without options: the faces of every synthesizer. With --reference and --current it ends with 3 where the faces have
    drifted.
    """
    if reference is None and current is None and model is None and json is None:
        _run("drift")
        return
    with readable_errors():
        if reference is None or current is None:
            remedy = "lrfr drift --reference A --current B; or lrfr drift, which compares every synthesizer"
            raise ParameterError("two tables are compared by --reference and --current together", remedy=remedy)
        from lrfr.stages.drift_arrivals import run

        if run(reference, current, model, sample, json):
            raise typer.Exit(3)


@app.command()
def rank_synthesizers() -> None:
    """Rank synthesizers; stop here if none is near enough."""
    _run("rank_synthesizers")


@app.command()
def training_sets() -> None:
    """Make ready the test sets that some run trains on."""
    _run("training_sets")


@app.command()
def finetune(run: Run) -> None:
    """Train one run from its backbone."""
    _run("finetune", run)


@app.command()
def embed(
    what: Annotated[str, typer.Argument(metavar="WHAT", help="A run; with --model a folder, list or face table.")],
    model: Annotated[
        Path | None, typer.Option(metavar="M", help="A model's folder, or an .onnx file, for images of yours.")
    ] = None,
    out: Annotated[Path | None, typer.Option(metavar="F", help="With --model: the .npz or .parquet to write.")] = None,
    fusion: Annotated[
        Literal["none", "mirror_sum", "mirror_concat"] | None,
        typer.Option(help="With --model: what is made of an image and its mirror image.", show_default="none"),
    ] = None,
    colour: Annotated[
        Literal["RGB", "BGR"] | None, typer.Option(help="With an .onnx file: the order of its channels.")
    ] = None,
    mean: Annotated[str | None, typer.Option(help="With an .onnx file: of values 0..1, as 0.5,0.5,0.5.")] = None,
    std: Annotated[str | None, typer.Option(help="Likewise.")] = None,
    presentation: Annotated[
        str | None, typer.Option(help="With an .onnx file: as_cropped, arcface_112 or dlib_150.")
    ] = None,
) -> None:
    """Embed the test faces of a run, or your own images."""
    fed = {"colour": colour, "mean": mean, "std": std, "presentation": presentation}
    if model is None and out is None and fusion is None and not any(fed.values()):
        _run("embed", what)
        return
    with readable_errors():
        if model is None or out is None:
            remedy = "lrfr embed IMAGES --model M --out F; or lrfr embed RUN, for which params.yaml says the rest"
            raise ParameterError("--model and --out go together, and the other options with them", remedy=remedy)
        from lrfr.stages.embed_images import run

        if run(Path(what), model, out, fusion or "none", **fed):
            raise typer.Exit(3)


@app.command()
def evaluate(run: Run) -> None:
    """Score the embeddings by the published protocols."""
    _run("evaluate", run)


@app.command()
def summary() -> None:
    """Gather a few figures of each run, for `dvc metrics`."""
    _run("summary")


@app.command()
def visualize() -> None:
    """Show some faces before and after super-resolution."""
    _run("visualize")


@app.command()
def report() -> None:
    """Write the report: results, curves, examples."""
    _run("report")


@app.command()
def package() -> None:
    """Package the chosen model under its name and version."""
    _run("package")


@app.command()
def code() -> None:
    """Record the code that params.yaml names, by its hash."""
    _run("code")


@app.command()
def params(
    file: Annotated[Path, typer.Argument(help="A parameter file, which may begin with `base: FILE`.")],
) -> None:
    """Print a parameter file, complete with its base."""
    with readable_errors():
        from lrfr.parameter_files import composed

        typer.echo(composed(file), nl=False)


@app.command()
def check() -> None:
    """Check the whole of params.yaml before anything runs."""
    _run("check")


@app.command()
def doctor() -> None:
    """Check that this machine is fit; say what to do if not."""
    from lrfr import doctor

    with readable_errors():
        raise typer.Exit(0 if doctor.examine() else 1)


@app.command()
def recover() -> None:
    """Mend what a killed run left of DVC's files."""
    with readable_errors():
        from lrfr.recovery import recover_patiently

        recover_patiently(typer.echo)


@app.command()
def review(
    labeller: Annotated[str, typer.Option(metavar="NAME", help="Who judges; names the manifest.")],
    port: Annotated[int | None, typer.Option(min=1, max=65535, help="On 127.0.0.1; else the first free one.")] = None,
    order: Annotated[
        Literal["doubtful", "label-errors", "identity", "photo"],
        typer.Option(help="Doubtful faces or likely label errors first, or grouped."),
    ] = "doubtful",
    adjudicate: Annotated[bool, typer.Option("--adjudicate", help="Settle what labellers disagree on.")] = False,
    copies: Annotated[bool, typer.Option("--copies", help="Judge the pairs taken for copies of one picture.")] = False,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Only print the page's address.")] = False,
) -> None:
    """Verify and name the detected faces, in the browser."""
    with readable_errors():
        from lrfr.review.serve import serve

        serve(labeller, port, order, adjudicate, copies, browser=not no_browser)


@app.command()
def export(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A folder that is new, or empty.")],
) -> None:
    """Write the detected faces as pictures, with a CSV."""
    _run("export", folder)


@app.command()
def label_errors(
    model: Annotated[
        str | None, typer.Option(metavar="NAME", help="A run, or a backbone, which saw no native face; else the first.")
    ] = None,
) -> None:
    """List likely label errors, for `review --order`."""
    _run("label_errors", model)


@app.command(name="import-backbone")
def import_backbone(
    file: Annotated[
        Path, typer.Argument(help="The checkpoint, as it was published; or dlib, of which a package brings it.")
    ],
    name: Annotated[str | None, typer.Option(help="Of the folder in imported/; else the file's.")] = None,
    format: Annotated[
        str | None,
        typer.Option(
            help="Whose file it is: adaface, arcface_torch, curricularface, cvlface, dlib, face_evolve, "
            "insightface_pytorch, magface, massoli, vggface2_dag, timm."
        ),
    ] = None,
    architecture: Annotated[str | None, typer.Option(help="The name of the network; needed for timm's.")] = None,
    colour: Annotated[
        Literal["RGB", "BGR"] | None, typer.Option(help="The order of its channels, if its publisher has both.")
    ] = None,
    mean: Annotated[str | None, typer.Option(help="Of its channels in that order, values 0..1: 0.5,0.5,0.5.")] = None,
    std: Annotated[str | None, typer.Option(help="Likewise.")] = None,
    embedding_dim: Annotated[int | None, typer.Option(min=2, help="For timm's: which layer is the embedding.")] = None,
    input_size: Annotated[int | None, typer.Option(min=16, help="For timm's: side of its images, px.")] = None,
    licence: Annotated[str | None, typer.Option(help="Under which the weights were published; kept with them.")] = None,
) -> None:
    """Import a published backbone, to start training from."""
    options = dict(name=name, format=format, architecture=architecture, colour=colour, mean=mean, std=std)
    _run("import_backbone", file, **options, embedding_dim=embedding_dim, input_size=input_size, licence=licence)


ReleaseFolder = Annotated[Path, typer.Option("--model", metavar="DIR", help="A release, as `lrfr pull` fetches it.")]
GalleryPath = Annotated[Path, typer.Option("--gallery", metavar="FILE", help="Who is known.")]
Fpir = Annotated[
    float, typer.Option(min=0, max=0.5, help="The share of strangers that may be taken for somebody (ISO/IEC 19795-1).")
]
Json = Annotated[bool, typer.Option("--json", help="One JSON object a line, for programs.")]
GALLERY = Path("people.gallery")


@app.command()
def pull(
    release: Annotated[str, typer.Argument(metavar="NAME@vX.Y.Z")],
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where to; new, or empty.")],
    place: Annotated[
        str, typer.Option("--from", metavar="PLACE", help="A folder or web address: NAME/vX.Y.Z/ is there.")
    ],
    key: Annotated[Path, typer.Option(metavar="FILE", help="The public key of who signed it, or their certificates.")],
) -> None:
    """Fetch a release; refuse it unless it is as signed."""
    _serve("pull", release, place, folder, key)


@app.command()
def enroll(
    given: Annotated[list[str], typer.Argument(metavar="NAME PHOTO...", help="Or a folder with a folder per person.")],
    model: ReleaseFolder,
    gallery: GalleryPath = GALLERY,
    add: Annotated[bool, typer.Option("--add", help="A name that is known means the same person.")] = False,
) -> None:
    """Enrol people in a gallery by their photos."""
    if _serve("enroll", given, model, gallery, add):
        raise typer.Exit(3)


@app.command()
def forget(
    name: Annotated[str, typer.Argument(help="As it was enrolled.")],
    model: ReleaseFolder,
    gallery: GalleryPath = GALLERY,
) -> None:
    """Delete a person from a gallery, with every trace."""
    _serve("forget", name, model, gallery)


@app.command()
def identify(
    photos: Annotated[list[Path], typer.Argument(metavar="PHOTO...", help="Or folders of photos.")],
    model: ReleaseFolder,
    gallery: GalleryPath = GALLERY,
    fpir: Fpir = 0.01,
    as_json: Json = False,
) -> None:
    """Say who is on a photo, or "don't know"."""
    _serve("identify_photos", photos, model, gallery, fpir, as_json)


@app.command()
def watch(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Where photos come.")],
    model: ReleaseFolder,
    gallery: GalleryPath = GALLERY,
    fpir: Fpir = 0.01,
    as_json: Json = False,
) -> None:
    """Say who is on every photo that comes into a folder."""
    _serve("watch", folder, model, gallery, fpir, as_json)


@app.command(name="try")
def try_out(
    model: ReleaseFolder,
    gallery: GalleryPath = GALLERY,
    port: Annotated[int | None, typer.Option(min=1, max=65535, help="On 127.0.0.1; else the first free one.")] = None,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Only print the page's address.")] = False,
) -> None:
    """Try a release in the browser, by picture or camera."""
    with readable_errors("serve"):
        from lrfr.serve.trying import try_out

        try_out(model, gallery, port, browser=not no_browser)


def _serve(name: str, *arguments: Any) -> Any:
    """Runs a command of those that need a release alone."""
    with readable_errors("serve"):
        return getattr(import_module("lrfr.serve.commands"), name)(*arguments)


class ReadableErrors(TyperGroup):
    """Commands of which each tells its errors as the others do."""

    def invoke(self, ctx):
        """Runs the command that was asked for."""
        with readable_errors():
            return super().invoke(ctx)


app.add_typer(verdicts, name="verdicts", cls=ReadableErrors)
app.add_typer(score, name="score", cls=ReadableErrors)
app.add_typer(release, name="release", cls=ReadableErrors)


@contextmanager
def readable_errors(extra: str = "pipeline") -> Iterator[None]:
    """Turns what a user can act on into a message and an exit code; a defect of ours keeps its traceback.

    Args:
        extra: of lrfr, which brings the packages that are needed.

    Raises:
        typer.Exit: 1 for an error, 130 after Ctrl-C.
    """
    try:
        yield
    except KeyboardInterrupt:
        raise _exit("interrupted; run the same command again to go on", code=130) from None
    except LrfrError as error:
        raise _exit(str(error), code=130 if isinstance(error, InterruptedTrainingError) else 1) from None
    except ModuleNotFoundError as error:
        if (error.name or "lrfr").partition(".")[0] == "lrfr":
            raise
        raise _exit(f"the package '{error.name}' is not installed; install it: pip install 'lrfr[{extra}]'") from None
    except Exception as error:
        if (message := told(error)) is None:
            raise
        raise _exit(message) from None


def _exit(message: str, code: int = 1) -> typer.Exit:
    typer.echo(f"error: {message}", err=True)
    return typer.Exit(code)


def _run(stage: str, *arguments: str | Path | None, **options: str | int | None) -> None:
    """Imports a stage, now that it is wanted, and runs it."""
    with readable_errors():
        if "DVC_STAGE" in os.environ:  # DVC waits for it
            keep_lock()
            stop_with_launcher()
        import_module(f"lrfr.stages.{stage}").run(*arguments, **options)
