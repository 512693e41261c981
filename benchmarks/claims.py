"""Do the papers' claims hold here? Every variant trained from several seeds on the same data, and compared by pairs.

Run it in the root of a project whose data are there (`make repro`, or `dvc repro validate`); the project's own models
and results are left alone:

    python benchmarks/claims.py train --seeds 7 8 9     # resumes; one training per core at a time
    python benchmarks/claims.py table --seeds 7 8 9     # the search and the claims, as Markdown

Each seed has a folder of its own under `claims/`, with the project's data, params.yaml with that seed and one thread,
a pretrained backbone and the runs of params/csri.yaml, tc.yaml and rifr.yaml. The learning rate of T-C's variants is
searched, as their losses are of very different size: a tenth, once and ten times that in the parameter file, with the
first seed, by the validation loss at the end; the best is every seed's (in folders of their own: 7x0.1). As what is
best depends on the resolutions of the validation, `tc` is compared with `ntnc` at each of the rates. Nobody else's
settings are searched.

`--study real` does the same with a recogniser of real faces, the runs of params/lfw.yaml, in a project that was made by
`make repro PARAMS=params/lfw.yaml`; nobody's rate is searched there.

`--study ri` does the same with the rows of RI's Table 4 (params/ri.yaml), in a project that was made by `make repro
PARAMS=params/ri.yaml`. Native faces are too few for a validation set, so that no rate is chosen: the ArcFace baseline
and every row are compared at each of the three rates, with the same passes; then, at the rate of the file, by which
quality rejecting brings most (`rejecting.py`).

`--study ran` does the same with the rows of RAN's Tables 1 and 2 and of its Fig. 6, in a project that was made by `make
repro PARAMS=params/ran.yaml`: each seed trains synthesisers of its own, and how far their faces are from native ones is
told first (`gaps.py`).

Native LR: TinyFace's protocol on the benchmark, with distractors; "named" without. Cross-resolution: P1 and P2 of RIFR
and T-C's "probe at r, gallery at full resolution", on the distractor set's HR faces. Each run is compared by the metric
of its model.
"""

import argparse
import csv
import os
import subprocess
import sys
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from dataclasses import dataclass
from functools import partial
from itertools import pairwise, product
from pathlib import Path
from time import perf_counter

import numpy as np
import yaml

from lrfr import paths
from lrfr.core.inputs import UNKNOWN
from lrfr.core.scoring import comparable
from lrfr.core.significance import better
from lrfr.faces import read_faces, with_rows
from lrfr.images import Images
from lrfr.nn.compute import make_deterministic
from lrfr.nn.embedding import embed_faces, faces_of
from lrfr.nn.model_file import Model, read_model
from lrfr.parameter_files import composed
from lrfr.protocols.benchmark import Benchmark
from lrfr.protocols.embeddings import FULL, Embeddings
from lrfr.protocols.identification import identify
from lrfr.protocols.rifr import IdentificationFaces, identified
from lrfr.report.numbers import p_value
from lrfr.yaml_file import parse_yaml

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from benchmarks import gaps, rejecting
from benchmarks.rejecting import RANDOM, Rejects, measured

WIDTHS = (7, 9, 11, 14, 16, 20, 25, 32, 40, 64)  # px of the face's width, P1 and P2; 7 in 48 px are 16 in 112
RATES = (0.1, 1.0, 10.0)  # of the learning rates in params.yaml
AT_RATES = tuple(f"ntnc at x {rate:g}" for rate in RATES)
SIDES = (8, 16, 24, 32)  # px of the shortest side, T-C
LINEUP = {  # the probe's and the gallery's view, by measure
    **{f"side {side}": (f"side_{side}", FULL) for side in SIDES},
    **{f"P1 {width}": (f"width_{width}", f"width_{width}") for width in WIDTHS},
    **{f"P2 {width}": (f"width_{width}", FULL) for width in WIDTHS},
    "full": (FULL, FULL),
}
TINY = ("native rank-1", "native mAP")
BY_SIDE = tuple(name for name in LINEUP if name[0] != "P")
BY_WIDTH = tuple(name for name in LINEUP if not name.startswith("side"))
SMALL = ("P1 9", "P1 16", "P1 32", "P2 9", "P2 16", "P2 32", "full")  # what lfw.yaml trains for, and what is forgotten


@dataclass(frozen=True)
class Study:
    """What is trained from one backbone, and what is claimed of it.

    Attributes:
        files: in params/, whose runs are trained.
        backbone: of the project, what they start from.
        runs: those that are compared.
        claims: which run is better than which, and by what.
        searched: those whose learning rate is searched.
        resolver: the super-resolution network to be put in front of ``generic`` models, if any.
        generic: these models.
        rejects: by which quality rejecting brings more than by which.
        nearer_than: the synthesiser that learned ones should be nearer to native faces than, if any run uses one.
    """

    files: tuple[str, ...]
    backbone: str
    runs: tuple[str, ...]
    claims: tuple[tuple[str, str, tuple[str, ...]], ...]
    searched: tuple[str, ...] = ()
    resolver: str | None = None
    generic: tuple[str, ...] = ()
    rejects: tuple[Rejects, ...] = ()
    nearer_than: str | None = None

    @property
    def at_rates(self) -> set[str]:
        """The runs that are compared at each of the rates."""
        return {trained(name) for *pair, _ in self.claims for name in pair if " at x " in name}

    @property
    def rejected_by(self) -> set[str]:
        """The runs whose scores or qualities the claims on rejecting need."""
        return {run for claim in self.rejects for run in (claim.on, claim.first[0], claim.second[0])}


PAPERS = Study(
    files=("csri", "tc", "rifr"),
    backbone="main",
    runs=("independent_vdsr", "joint", "csri", "tc", "ntnc", "hr_only", "hr_lr", "rifr"),
    claims=(
        ("joint", "independent_vdsr", TINY),
        ("csri", "joint", TINY),
        *(("tc", name, (*BY_SIDE, "native rank-1")) for name in (*AT_RATES, "pretrained")),
        ("rifr", "hr_lr", BY_WIDTH),
        ("rifr", "hr_only", BY_WIDTH),
        *((name, f"{name} behind vdsr", TINY) for name in ("pretrained", "tc")),
    ),
    searched=("tc", "ntnc"),
    resolver="vdsr",
    generic=("pretrained", "tc"),
)
RAN_RUNS = ("downsample", "mrgan", "ran", "without_translator")
RAN_CLAIMS = (  # adaption gains at LR; with the translator HR is kept, without it is lost
    ("ran", "mrgan", (*BY_SIDE, *TINY)),
    ("mrgan", "downsample", (*BY_SIDE, *TINY)),
    *((name, "pretrained", (*BY_SIDE, *TINY)) for name in ("ran", "without_translator")),
    ("ran", "without_translator", (*BY_SIDE, *TINY)),
)
REAL = Study(  # a recogniser of real faces, on LFW
    files=("lfw",),
    backbone="real",
    runs=("baseline", "tc", "ntnc", "rifr", "hr_lr", "joint", "csri", "ri", *RAN_RUNS),
    claims=(
        *(("tc", name, (*BY_SIDE, *TINY)) for name in ("ntnc", "pretrained")),
        *(("rifr", name, (*SMALL, *TINY)) for name in ("hr_lr", "pretrained")),
        ("csri", "joint", (*TINY, "full")),
        ("csri", "baseline", (*TINY, "full")),
        ("ri", "baseline", (*TINY, "full")),
        ("baseline", "pretrained", (*TINY, "full")),
        *RAN_CLAIMS,
    ),
    nearer_than="downsample",
    rejects=tuple(
        Rejects(on, ("ri", "quality"), (on, name))
        for on in ("ri", "baseline")
        for name in ("norm", "size", "ers", RANDOM)
    ),
)
NAMED = (*TINY, "native named rank-1", "native named mAP")
ROWS = ("baseline", "row_i", "row_ii", "row_iii", "ri")
RI = Study(  # "recognizability": its Table 4, which is without distractors, and Fig. 7; each row at every rate
    files=("ri",),
    backbone="main",
    runs=(*ROWS, "ri_attended", "magface", "adaface", "crfiqa"),
    claims=(
        *(
            (f"{one} at x {rate:g}", f"{other} at x {rate:g}", NAMED)
            for rate in RATES
            for one, other in (("ri", "baseline"), *((high, low) for low, high in pairwise(ROWS)))
        ),
        *(("ri", name, NAMED) for name in ("magface", "adaface", "pretrained")),
        ("ri_attended", "ri", NAMED),
    ),
    rejects=(
        *(Rejects("ri", ("ri", "quality"), ("ri", name)) for name in ("norm", "size", "ers", RANDOM)),
        Rejects("ri", ("ri", "quality"), ("crfiqa", "quality")),
        *(Rejects("baseline", ("ri", "quality"), ("baseline", name)) for name in ("norm", "size", "ers", RANDOM)),
        Rejects("baseline", ("ri", "quality"), ("crfiqa", "quality")),
        Rejects("baseline", ("ri", "quality"), ("magface", "norm")),
    ),
)
OTHERS = ("downsample", "cyclegan", "high_to_low")
LONG = ("ran_long", "ran_summed", "without_translator_long", "without_translator_summed")
RAN = Study(
    files=("ran", "ran-sweeps"),
    backbone="main",
    runs=(*RAN_RUNS, "mrgan_longer", *(f"{name}_adapted" for name in OTHERS), *OTHERS[1:], "mrgan_long", *LONG),
    claims=(
        *RAN_CLAIMS,
        ("ran", "mrgan_longer", (*BY_SIDE, *TINY)),
        *((f"{name}_adapted", name, (*BY_SIDE, *TINY)) for name in OTHERS),
        *(("ran", f"{name}_adapted", (*BY_SIDE, *TINY)) for name in OTHERS),
        *((name, other, (*BY_SIDE, *TINY)) for name in LONG for other in ("mrgan_long", "pretrained")),
    ),
    nearer_than="downsample",
)
STUDIES = {"papers": PAPERS, "real": REAL, "ri": RI, "ran": RAN}
SHARED = ("data/split", "data/test_sets", "data/landmarks", "data/validation", "data/synlr", "models/landmarks")


def folder_of(root: Path, seed: int, rate: float = 1.0) -> Path:
    """Where a seed's models are, and those of another learning rate."""
    return root / "claims" / (f"{seed}" if rate == 1 else f"{seed}x{rate:g}")


def prepare(root: Path, study: Study, seed: int, rate: float = 1.0) -> Path:
    """A seed's project: the root's data, its parameters with another seed, one thread, and the searched rates."""
    folder = folder_of(root, seed, rate)
    folder.mkdir(parents=True, exist_ok=True)
    for name in SHARED:
        link(folder / name, root / name)
    if rate != 1:
        resolved = [paths.super_resolved(study.resolver, "benchmark").parent] if study.resolver else []
        for name in (paths.pretrained(study.backbone), *resolved):
            link(folder / name, folder_of(root, seed) / name)
    params = parse_yaml((root / paths.PARAMS).read_text(encoding="utf-8"), paths.PARAMS) | {"seed": seed, "threads": 1}
    files = [parse_yaml(composed(root / "params" / f"{name}.yaml"), name) for name in study.files]
    params["methods"] = {name: deepcopy(run) for file in files for name, run in file["methods"].items()}  # no aliases
    params["super_resolution"] = {name: of for file in files for name, of in file["super_resolution"].items()}
    params["release"]["run"] = "pretrained"
    for name in {*study.searched, *study.at_rates}:
        params["methods"][name]["training"]["learning_rate"] *= rate
    refuse_other_settings(folder, params)
    (folder / paths.PARAMS).write_text(yaml.safe_dump(params, sort_keys=False))
    return folder


def link(place: Path, target: Path) -> None:
    """Makes a link, unless there is one."""
    place.parent.mkdir(parents=True, exist_ok=True)
    if not place.is_symlink():
        place.symlink_to(target.resolve())


def read_params_of(folder: Path) -> dict:
    """The parameters of a seed's project."""
    return parse_yaml((folder / paths.PARAMS).read_text(encoding="utf-8"), folder)


def refuse_other_settings(folder: Path, params: dict) -> None:
    """Stops where models are there that were trained with other settings than those in params.yaml now."""
    if not (folder / paths.PARAMS).is_file():
        return
    before = read_params_of(folder)
    there = [name for name in params["methods"] if (folder / paths.model(name)).exists()]
    changed = [name for name in there if before["methods"].get(name) != params["methods"][name]]
    shared = ("backbones", "synthesizers", "learned_synthesizers")
    if changed or any(before[section] != params[section] for section in shared):
        raise SystemExit(f"{folder} has models of other settings: {', '.join(changed or ['all'])}; remove the folder")


def call(folder: Path, *command: str, makes: Path) -> None:
    """Runs a command in a folder, unless what it makes is there; its output goes to a file."""
    if (folder / makes).exists():
        return
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    began = perf_counter()
    with (folder / "log.txt").open("a") as log:
        done = subprocess.run(command, cwd=folder, env=environment, stdout=log, stderr=log)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} failed: {folder / 'log.txt'}")
    print(f"{folder.name}: {' '.join(command[-3:])}: {perf_counter() - began:.0f} s", flush=True)


def lrfr(folder: Path, *arguments: str, makes: Path) -> None:
    """One of lrfr's commands, with the code that this program runs with."""
    call(folder, sys.executable, "-m", "lrfr", *arguments, makes=makes)


def begin(root: Path, study: Study, runs: Sequence[str], seed: int) -> None:
    """What all runs of a seed start from."""
    folder, backbone, resolver = prepare(root, study, seed), study.backbone, study.resolver
    lrfr(folder, "code", makes=paths.code("backbones", backbone))
    lrfr(folder, "pretrain", backbone, makes=paths.pretrained(backbone) / "model.safetensors")
    lrfr(folder, "finetune", "pretrained", makes=paths.model("pretrained") / "model.safetensors")
    if resolver:
        lrfr(folder, "train-sr", resolver, makes=paths.super_resolver(resolver) / "model.safetensors")
        lrfr(folder, "apply-sr", resolver, makes=paths.super_resolved(resolver, "benchmark"))
    score(folder, study, "pretrained")
    params = read_params_of(folder)
    if any("synthesizer" in params["methods"][name] for name in runs):
        synthesize(folder, params, runs)


def synthesize(folder: Path, params: dict, runs: Sequence[str]) -> None:
    """A seed's own synthesisers, what they make, and how far that is from native faces."""
    for name in params["learned_synthesizers"]:
        lrfr(folder, "train-synthesizer", name, makes=paths.synthesizer(name) / "model.safetensors")
    makers = [*params["synthesizers"], *params["learned_synthesizers"]]
    for name in makers:
        lrfr(folder, "synthesize", name, makes=paths.synthetic(name))
    lrfr(folder, "drift", makes=paths.drift_result(makers[-1]))
    lrfr(folder, "training-sets", makes=paths.training_set(runs[0]))


def adapt(root: Path, seed: int, name: str, rate: float) -> Path:
    """Trains one run of a seed; its folder."""
    folder = folder_of(root, seed, rate)
    lrfr(folder, "code", makes=paths.code("runs", name))
    lrfr(folder, "finetune", name, makes=paths.model(name) / "model.safetensors")
    return folder


def validation_loss(root: Path, seed: int, name: str, rate: float) -> float:
    """The classification losses of the trained model on validation faces: the mean over resolutions."""
    with (folder_of(root, seed, rate) / paths.training_curve("runs", name)).open() as file:
        last = list(csv.DictReader(file))[-1]
    return float(np.mean([float(value) for key, value in last.items() if key.startswith("validation")]))


def chosen(root: Path, study: Study, seed: int, name: str) -> float:
    """The learning rate, of those searched with one seed, that leaves the least validation loss."""
    if name not in study.searched:
        return 1.0
    return min(RATES, key=partial(validation_loss, root, seed, name))


def score(folder: Path, study: Study, name: str) -> None:
    """Measures one model, in a process of its own."""
    result = folder.resolve() / "scores" / f"{name}.npz"
    which = next(key for key, value in STUDIES.items() if value == study)
    this = str(Path(__file__).resolve())
    call(folder, sys.executable, this, "score", "--study", which, "--model", name, makes=result)


def measure(study: Study, name: str) -> None:
    """Writes scores/NAME.npz in a seed's folder: a value per probe, or per identity, for every measure."""
    make_deterministic(0, 1)
    model = read_model(paths.model(name))
    values = native(model, paths.BENCHMARK, "native")
    if study.resolver and name in study.generic:
        values |= native(model, paths.super_resolved(study.resolver, "benchmark"), "behind")
    if name in study.rejected_by:
        values |= measured(model)
    claims = [measures for *claim, measures in study.claims if name in (of.partition(" at ")[0] for of in claim)]
    if wanted := {measure for measures in claims for measure in measures if measure in LINEUP}:
        values |= cross_resolution(model, wanted)
    Path("scores").mkdir(exist_ok=True)
    np.savez(Path("scores") / f"{name}.npz", **values)  # pyrefly: ignore


def native(model: Model, table: Path, prefix: str) -> dict[str, np.ndarray]:
    """Rank-1 hits and average precisions of the benchmark's probes among its gallery and distractors."""
    faces = with_rows(read_faces(table))
    benchmark = Benchmark(
        faces.filter([split in ("probe", "gallery", "distractor") for split in faces["split"].to_pylist()])
    )
    embeddings = embedded(model, benchmark, table, (), with_landmarks=False)
    probe, gallery = benchmark.splits("probe"), benchmark.splits("gallery", "distractor")
    found = identify(benchmark, embeddings, probe, gallery, model.facts.metric)
    named = identify(benchmark, embeddings, probe, benchmark.splits("gallery"), model.facts.metric)
    return {
        f"{prefix} identity": benchmark.identity[probe],
        f"{prefix} rank-1": (found.rank == 1).astype(float),
        f"{prefix} mAP": found.average_precision,
        f"{prefix} named rank-1": (named.rank == 1).astype(float),
        f"{prefix} named mAP": named.average_precision,
    }


def cross_resolution(model: Model, measures: Collection[str]) -> dict[str, np.ndarray]:
    """Each identity's rank-1 rate in the distractor set, by measure."""
    table = paths.test_set("distractors")
    benchmark = Benchmark(with_rows(read_faces(table)))
    views = sorted({name for measure in measures for name in LINEUP[measure]} - {FULL})
    embeddings, compared_by = embedded(model, benchmark, table, views), model.facts.metric
    person = benchmark.identity != UNKNOWN
    everybody = np.arange(len(person))
    at = {name: comparable(embeddings.of(name).astype(float), compared_by, name, everybody) for name in (*views, FULL)}

    def rates(probe: str, gallery: str) -> np.ndarray:
        missing = np.zeros(len(person), bool)
        faces = IdentificationFaces(
            at[probe][person], at[gallery][person], at[gallery][~person], benchmark.identity[person],
            missing[person], missing[~person],
        )  # fmt: skip
        return identified(faces, compared_by)

    values = {measure: rates(*LINEUP[measure]) for measure in measures}
    (n_identities,) = {len(value) for value in values.values()}  # those with a pair of pictures
    return values | {"distractors identity": np.arange(n_identities)}


def embedded(
    model: Model, benchmark: Benchmark, table: Path, views: Sequence[str], with_landmarks: bool = True
) -> Embeddings:
    """The embeddings of the faces of a test set, whose images are in a table, in their order."""
    images = Images(table, benchmark.faces["row"].to_numpy())
    arrays = embed_faces(model, faces_of(benchmark.faces, images, with_landmarks), views)
    return Embeddings(arrays, np.arange(len(benchmark.faces)), arrays["missing"], model.facts.model_dump())


def train(root: Path, study: Study, seeds: Sequence[int], runs: Sequence[str]) -> None:
    """Trains and measures all that is not there yet."""
    searched = [name for name in runs if name in study.searched]
    compared = study.at_rates & {*runs}
    for seed, rate in product(seeds, RATES if searched or compared else [1.0]):
        prepare(root, study, seed, rate)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(partial(begin, root, study, runs), seeds))
        list(pool.map(lambda pair: adapt(root, seeds[0], *pair), product(searched, RATES)))
        wanted = {(name, chosen(root, study, seeds[0], name)) for name in runs}
        wanted |= set(product(compared, RATES))
        triples = [(seed, name, rate) for (name, rate), seed in product(sorted(wanted), seeds)]
        list(pool.map(lambda triple: score(adapt(root, *triple), study, triple[1]), triples))


def gap_table(root: Path, study: Study, seeds: Sequence[int], runs: Sequence[str]) -> None:
    """Prints how far each synthesiser's faces are from native ones, where a run learns from some."""
    folders = {seed: folder_of(root, seed) for seed in seeds}
    params = read_params_of(folders[seeds[0]])
    if study.nearer_than and any("synthesizer" in params["methods"][name] for name in runs):
        names = [*params["synthesizers"], *params["learned_synthesizers"]]
        gaps.table(names, study.nearer_than, folders)
        print()


def search_table(root: Path, study: Study, seed: int, runs: Sequence[str]) -> None:
    """Prints the validation loss by learning rate of every method whose rate was searched."""
    if not (searched := [name for name in runs if name in study.searched]):
        return
    print(f"| method | {' | '.join(f'x {rate:g}' for rate in RATES)} | chosen |\n|---|{'---|' * len(RATES)}---|")
    for name in searched:
        losses = [f"{validation_loss(root, seed, name, rate):.3f}" for rate in RATES]
        print(f"| {name} | {' | '.join(losses)} | x {chosen(root, study, seed, name):g} |")
    print()


def table(root: Path, study: Study, seeds: Sequence[int], runs: Sequence[str]) -> None:
    """Prints the claims about some runs: means and differences over seeds, tested over identities."""
    print("| claim | measure | first | second | difference (95 %) | p | by seed |\n|---|---|---|---|---|---|---|")
    about = [claim for claim in study.claims if {trained(name) for name in claim[:2]} <= {"pretrained", *runs}]
    for first, second, measures in about:
        for measure_name in measures:
            a, b = (load(root, study, seeds, name, measure_name) for name in (first, second))
            identity = identities(root, study, seeds[0], first, measure_name)
            compared = better(a.mean(axis=0), b.mean(axis=0), identity)
            low, high = compared.interval or (np.nan, np.nan)
            difference = f"{100 * compared.difference:+.1f} ({100 * low:+.1f} to {100 * high:+.1f})"
            each = ", ".join(f"{100 * value:+.1f}" for value in (a - b).mean(axis=1))
            cells = (
                f"{first} > {second}",
                measure_name,
                mean_and_deviation(a),
                mean_and_deviation(b),
                difference,
                p_value(compared.p_value),
                each,
            )
            print(f"| {' | '.join(cells)} |")


def rejection_tables(root: Path, study: Study, seeds: Sequence[int], runs: Sequence[str]) -> None:
    """Prints the claims on rejecting by quality, and how far each model's quality is the face's size."""
    about = [claim for claim in study.rejects if {claim.on, claim.first[0], claim.second[0]} <= {*runs}]
    runs = [name for name in runs if name in study.rejected_by]
    if about:
        rates = {name: chosen(root, study, seeds[0], name) for name in runs}
        by_seed = [{name: scores(root, seed, name, rates[name]) for name in runs} for seed in seeds]
        print()
        rejecting.table(about, by_seed)
        rejecting.spearman_table(runs, by_seed)


def trained(name: str) -> str:
    """The run of a name with its rate, or behind a network."""
    return name.partition(" at ")[0].partition(" behind ")[0]


def mean_and_deviation(values: np.ndarray) -> str:
    """Mean and standard deviation over seeds (S, N), in percent."""
    by_seed = 100 * values.mean(axis=1)
    return f"{by_seed.mean():.1f} ± {by_seed.std(ddof=1):.1f}"


def load(root: Path, study: Study, seeds: Sequence[int], name: str, measure_name: str) -> np.ndarray:
    """One measure of one model by seed (S, N)."""
    model, _, behind = name.partition(" behind ")
    key = measure_name.replace("native", "behind") if behind else measure_name
    rate = rate_of(root, study, seeds[0], model)
    model = trained(model)
    return np.stack([scores(root, seed, model, rate)[key] for seed in seeds])


def identities(root: Path, study: Study, seed: int, name: str, measure_name: str) -> np.ndarray:
    """Whom the values of a measure are about (N,); it is the same people with every seed and model."""
    kind = "native" if measure_name.startswith("native") else "distractors"
    return scores(root, seed, trained(name), rate_of(root, study, seed, name))[f"{kind} identity"]


def rate_of(root: Path, study: Study, seed: int, name: str) -> float:
    """The rate that a name says, or the run's chosen one."""
    said = name.partition(" at x ")[2]
    return float(said) if said else chosen(root, study, seed, trained(name))


def scores(root: Path, seed: int, name: str, rate: float) -> Mapping[str, np.ndarray]:
    """What was measured of a model."""
    return np.load(folder_of(root, seed, rate) / "scores" / f"{name}.npz")


def main() -> None:
    """Trains, measures one model, or prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["train", "score", "table"])
    parser.add_argument("--seeds", type=int, nargs="+", default=[7, 8, 9])
    parser.add_argument("--study", choices=list(STUDIES), default="papers")
    parser.add_argument("--runs", nargs="+", help="some of the study's")
    parser.add_argument("--model", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    study, seeds = STUDIES[arguments.study], arguments.seeds
    runs = arguments.runs or study.runs
    if arguments.what == "score":
        measure(study, arguments.model)
    elif arguments.what == "train":
        train(Path(), study, seeds, runs)
    else:
        search_table(Path(), study, seeds[0], runs)
        gap_table(Path(), study, seeds, runs)
        table(Path(), study, seeds, runs)
        rejection_tables(Path(), study, seeds, runs)


if __name__ == "__main__":
    main()
