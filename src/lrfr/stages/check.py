"""check: the whole of params.yaml, before anything runs for minutes.

A stage reads its own part alone, and a source, a synthesiser and a method each know settings that nobody else does; a
slip in the last one should not come to light after the first ones have run.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch

from lrfr import paths
from lrfr.card.settings import Card
from lrfr.config import Params, Section, SectionType, Settings, read_params, settings
from lrfr.curation import Curate, Split
from lrfr.detector import Detect
from lrfr.errors import ParameterError, unknown_name
from lrfr.methods import FLOOR, Run, floor, read_run
from lrfr.nn.batches.order import parts_of_batch
from lrfr.nn.embedder import Architecture, Embedder
from lrfr.nn.landmarks.settings import Landmarks
from lrfr.nn.model_file import Facts, Model
from lrfr.nn.networks import NETWORKS
from lrfr.nn.pretraining import Pretraining
from lrfr.nn.start import read_start
from lrfr.nn.super_resolution.settings_alone import SuperResolutionAlone
from lrfr.nn.trained import All, TrainedPart
from lrfr.nn.training.optimizers import check_optimizers
from lrfr.nn.training.settings import Training
from lrfr.protocols.options import Evaluate
from lrfr.quality.limits import Drift, Validate
from lrfr.sources import benchmark_source, source, test_set_source
from lrfr.stages.release import Release
from lrfr.synthesis import degradations, synthesizer
from lrfr.test_sets import SynLR

ANY_BACKBONE = Architecture(backbone="lrfr_ir18", width=0.05, embedding_dim=16, input_size=112, dropout=0.0)

SECTIONS: dict[str, type[Section]] = {
    "detect": Detect,
    "curate": Curate,
    "split": Split,
    "validate": Validate,
    "drift": Drift,
    "card": Card,
}


def run() -> None:
    """Reads every section as its owner does.

    Raises:
        ParameterError: the first thing that is wrong.
        SourceError: nothing lies at the root of a test set.
    """
    params = read_params()
    _check_data(params)
    for name, values in params.backbones.items():
        _check_backbone(f"backbones.{name}", values)
    _check_training("landmarks", _check("landmarks", params.landmarks, Landmarks).training)
    for name, values in params.super_resolution.items():
        place = f"super_resolution.{name}"
        _check_training(place, _check(place, values, SuperResolutionAlone).training)
    for name in params.methods:
        chosen = read_run(name, params)
        _check_run(chosen)
        _check_part(chosen, params)
    _check_names(params, _check("evaluate", params.evaluate, Evaluate))
    print(f"{paths.PARAMS}: every section and every name in it is right")


def _check(place: str, values: Settings, section: type[SectionType]) -> SectionType:
    return settings(values, section, f"{paths.PARAMS}: {place}")


def _check_data(params: Params) -> None:
    benchmark = benchmark_source(params.acquire.source, f"{paths.PARAMS}: acquire.source")
    _check("acquire.settings", params.acquire.settings, benchmark.Settings)
    for collection, chosen in params.acquire.others().items():
        _check(f"acquire.{collection}.settings", chosen.settings, source(chosen.source).Settings)
    for name, section in SECTIONS.items():
        params.read(name, section)
    for name, values in params.synthesizers.items():
        _check(f"synthesizers.{name}", values, synthesizer(name).Settings)
    for name, chosen in params.evaluation_sets.items():
        place = f"evaluation_sets.{name}"
        module = test_set_source(chosen.source, Path(chosen.root), f"{paths.PARAMS}: {place}")
        _check(f"{place}.settings", chosen.settings, module.Settings)


def _check_backbone(place: str, values: Settings) -> None:
    chosen = _check(place, values, Pretraining)
    _check_training(place, chosen.training)
    if chosen.start:
        read_start(chosen.start)
    if chosen.architecture:
        _check_network(chosen.architecture.backbone)


def _check_network(name: str) -> None:
    if name in NETWORKS:
        return
    import timm  # 5 s: only for those who ask for one of its models

    if not timm.is_model(name):
        raise unknown_name("backbone", name, [*NETWORKS, *timm.list_models(f"*{name[:5]}*")[:10]], paths.PARAMS)


def _check_run(chosen: Run) -> None:
    for step, collections in chosen.steps.items():
        training = getattr(chosen.settings, step)
        optimizers = _optimizers(chosen, step) if training.optimizers else ["main"]
        _check_training(f"methods.{chosen.name}", training, step, collections, optimizers)


def _check_part(chosen: Run, params: Params) -> None:
    """That the run's backbone has the part that is to be trained; its values need no memory for that."""
    if isinstance(chosen.trained, All):
        return
    backbone = settings(params.backbones[chosen.backbone], Pretraining, f"{paths.PARAMS}: backbones.{chosen.backbone}")
    with torch.device("meta"):
        embedder = read_start(backbone.start).embedder if backbone.start else Embedder(backbone.architecture)  # pyrefly: ignore
    TrainedPart(embedder.backbone, chosen.trained)


def _optimizers(chosen: Run, step: str) -> list[str]:
    """The names of the optimisers of a step; the backbone makes no difference."""
    facts = Facts(head={"name": "Softmax"})
    backbone = replace(Model(Embedder(ANY_BACKBONE), facts), prototypes=torch.zeros(2, ANY_BACKBONE.embedding_dim))
    task = chosen.method.build(chosen.settings, backbone, dict.fromkeys(chosen.collections, 2))
    task.begin(step)
    return list(task.parameter_groups())


def _check_training(
    section: str,
    training: Training,
    key: str = "training",
    collections: Sequence[str] = ("auxiliary",),
    optimizers: Sequence[str] = ("main",),
) -> None:
    place = f"{paths.PARAMS}: {section}.{key}"
    degradations(training.low_resolution, collections, place)
    parts_of_batch(list(collections), training.batch_size, training.shares, f"{place}.shares")
    check_optimizers(training, optimizers, f"{place}.optimizers")


def _check_names(params: Params, evaluate: Evaluate) -> None:
    """The names by which one section speaks of another."""
    for kind, name, known, place in [
        ("evaluation set", params.read("synlr", SynLR).faces, params.evaluation_sets, "synlr.faces"),
        ("run", params.read("release", Release).run, params.methods, "release.run"),
        *(
            ("super-resolution network", name, params.super_resolution, "evaluate.super_resolution")
            for name in evaluate.super_resolution
        ),
    ]:
        if name not in known:
            raise unknown_name(kind, name, known, f"{paths.PARAMS}: {place}")
    if floor(params) is None:
        what = f"no run has the method '{FLOOR}'; the report and the release compare every other with untrained weights"
        remedy = f"add under methods: '{FLOOR}: {{method: {FLOOR}, backbone: {next(iter(params.backbones))}}}'"
        raise ParameterError(what, where=f"{paths.PARAMS}: methods", remedy=remedy)
