"""``lrfr score``: the options of each subcommand. Nothing heavy is imported before one is called."""

from importlib import import_module
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from lrfr.score.rates import parse_rates

app = typer.Typer(
    help="Score your own embeddings by the published protocols.",
    epilog="Files are .npz, .npy with the other columns in a .csv of that name, or .parquet; see docs/scoring.md.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

Arrays = Annotated[Path, typer.Option(metavar="FILE", help="Arrays: embedding (N, D), identity (N,).")]
Gallery = Annotated[Path, typer.Option(metavar="FILE", help="Arrays: embedding, identity; -1 is a distractor.")]
Metric = Annotated[
    Literal["cosine", "euclidean"] | None,
    typer.Option(help="Euclidean takes the embeddings as they are.", show_default="the model's, else cosine"),
]
Json = Annotated[Path | None, typer.Option("--json", metavar="FILE", help="Write every figure; - prints it.")]
Plots = Annotated[Path | None, typer.Option(metavar="DIR", help="Write the curves as .svg and .csv.")]
MOST_DRAWS = 1_000_000
Draws = Annotated[
    int, typer.Option("--bootstrap", min=0, max=MOST_DRAWS, metavar="N", help="Draws of the intervals; 0 for none.")
]
Seed = Annotated[int, typer.Option(min=0, help="Of the draws.")]


@app.command("closed-set")
def closed_set(
    probe: Arrays,
    gallery: Gallery,
    metric: Metric = None,
    json_file: Json = None,
    plots: Plots = None,
    bootstrap: Draws = 1000,
    seed: Seed = 0,
) -> None:
    """Who of the gallery is it? Rank-k and mAP (TinyFace)."""
    _score("closed_set", json_file, plots, probe, gallery, metric, bootstrap, seed)


@app.command("open-set")
def open_set(
    gallery: Gallery,
    mated: Annotated[Path, typer.Option(metavar="FILE", help="Probes of people in the gallery, likewise.")],
    unmated: Annotated[Path, typer.Option(metavar="FILE", help="Probes of others: embedding.")],
    rank: Annotated[int, typer.Option(min=1, help="The last at which a mate counts as found.")] = 20,
    fpir: Annotated[str, typer.Option(metavar="RATES", help="To read TPIR at.")] = "0.3,0.2,0.1,0.01",
    average: Annotated[
        Literal["unit", "raw"] | None,
        typer.Option(help="Whether rows are L2-normalised first.", show_default="unit; of a Euclidean model raw"),
    ] = None,
    metric: Metric = None,
    json_file: Json = None,
    plots: Plots = None,
    bootstrap: Draws = 1000,
    seed: Seed = 0,
) -> None:
    """Is the probe enrolled, and as whom? TPIR at FPIR (SurvFace)."""
    rates = parse_rates(fpir, "--fpir")
    _score("open_set", json_file, plots, gallery, mated, unmated, metric, rank, rates, average, bootstrap, seed)


@app.command()
def verification(
    scores: Annotated[Path | None, typer.Option(metavar="FILE", help="Arrays: score (N,), same (N,) bool.")] = None,
    probe: Annotated[Path | None, typer.Option(metavar="FILE", help="Or all pairs: embedding, identity.")] = None,
    gallery: Annotated[Path | None, typer.Option(metavar="FILE", help="Likewise; may be the same file.")] = None,
    metric: Metric = None,
    far: Annotated[str, typer.Option(metavar="RATES", help="To read TAR at.")] = "1e-6,1e-5,1e-4,1e-3,1e-2,1e-1",
    nearest: Annotated[bool, typer.Option("--nearest", help="Read TAR at the nearest FAR, as insightface.")] = False,
    json_file: Json = None,
    plots: Plots = None,
    bootstrap: Draws = 1000,
    seed: Seed = 0,
) -> None:
    """Are two faces one person's? TAR at FAR, AUC, EER from pairs."""
    of_pairs, of_embeddings = scores and not (probe or gallery or metric), probe and gallery and not scores
    if not (of_pairs or of_embeddings):
        raise typer.BadParameter("give --scores; or --probe and --gallery, and --metric if you like")
    rates = parse_rates(far, "--far")
    _score("verification", json_file, plots, scores, probe, gallery, metric, rates, _method(nearest), bootstrap, seed)


@app.command()
def folds(
    pairs: Annotated[Path, typer.Option(metavar="FILE", help="Arrays: left, right (N, D), same (N,) bool.")],
    metric: Metric = None,
    thresholds: Annotated[
        Literal["exact", "grid"], typer.Option(help="Between all scores, or on insightface's grid of distances.")
    ] = "exact",
    json_file: Json = None,
    plots: Plots = None,
    bootstrap: Draws = 1000,
    seed: Seed = 0,
) -> None:
    """Ten-fold accuracy (LFW, CALFW, CPLFW, AgeDB-30, CFP-FP)."""
    _score("folds", json_file, plots, pairs, metric, thresholds, bootstrap, seed)


@app.command()
def templates(
    images: Annotated[Path, typer.Option(metavar="FILE", help="Arrays: embedding (N, D), template, media (N,).")],
    pairs: Annotated[Path | None, typer.Option(metavar="CSV", help="1:1: left, right, same.")] = None,
    gallery: Annotated[
        list[Path] | None, typer.Option(metavar="CSV", help="1:N: template, identity; twice for two galleries.")
    ] = None,
    probe: Annotated[Path | None, typer.Option(metavar="CSV", help="1:N: template, identity.")] = None,
    norm: Annotated[
        Literal["keep", "unit", "quality"],
        typer.Option(help="Whether images count by their embedding's norm, all alike, or by the array quality (N,)."),
    ] = "keep",
    nearest: Annotated[bool, typer.Option("--nearest", help="1:1: read TAR at the nearest FAR.")] = False,
    json_file: Json = None,
    plots: Plots = None,
    bootstrap: Draws = 1000,
    seed: Seed = 0,
) -> None:
    """Templates of several images: 1:1 or 1:N (IJB-B, IJB-C)."""
    one_to_one, one_to_many = pairs and not (gallery or probe), gallery and probe and not (pairs or nearest)
    if not (one_to_one or one_to_many):
        raise typer.BadParameter("give --pairs, and --nearest if you like; or --gallery and --probe")
    if pairs:
        _score("template_pairs", json_file, plots, images, pairs, norm, _method(nearest), bootstrap, seed)
    else:
        _score("template_search", json_file, plots, images, gallery, probe, norm, bootstrap, seed)


@app.command()
def reject(
    scores: Annotated[
        Path, typer.Option(metavar="FILE", help="Arrays: score, same, quality_left, quality_right (N,).")
    ],
    fmr: Annotated[str, typer.Option(metavar="RATE", help="The false match rate that sets the threshold.")] = "1e-3",
    variant: Annotated[
        Literal["fixed", "reestimated"], typer.Option(help="Whether the threshold is set once or at each step.")
    ] = "fixed",
    json_file: Json = None,
    plots: Plots = None,
    bootstrap: Draws = 1000,
    seed: Seed = 0,
) -> None:
    """Does quality tell which pairs cannot be matched? (ERC)."""
    rates = parse_rates(fmr, "--fmr")
    if len(rates) > 1:
        raise typer.BadParameter("give one rate", param_hint="--fmr")
    _score("reject", json_file, plots, scores, rates[0], variant, bootstrap, seed)


@app.command()
def compare(
    probe_a: Arrays,
    gallery_a: Gallery,
    probe_b: Arrays,
    gallery_b: Gallery,
    metric: Metric = None,
    json_file: Json = None,
    plots: Plots = None,
    bootstrap: Annotated[
        int, typer.Option(min=1, max=MOST_DRAWS, metavar="N", help="Sign patterns, and draws.")
    ] = 10_000,
    seed: Seed = 0,
) -> None:
    """Is A better than B on the same probes? A paired test."""
    _score("compare", json_file, plots, probe_a, gallery_a, probe_b, gallery_b, metric, bootstrap, seed)


def _score(protocol: str, json_file: Path | None, plots: Path | None, *arguments: Any) -> None:
    """Imports a protocol, now that it is wanted, scores, and delivers."""
    output = import_module("lrfr.score.output")
    output.check_places(json_file, plots)
    with output.waiting(f"scoring: {protocol.replace('_', ' ')}"):
        outcome = import_module(f"lrfr.score.{protocol}").score(*arguments)
    output.deliver(outcome, json_file, plots)


def _method(nearest: bool) -> str:
    return "nearest" if nearest else "exact"
