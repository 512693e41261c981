"""check: the whole of params.yaml, before anything runs for minutes.

A stage reads its own part alone, and a source, a synthesiser and a method each know settings that nobody else does; a
slip in the last one should not come to light after the first ones have run.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from lrfr import paths
from lrfr.config import Params, SectionType, Settings, read_params, settings
from lrfr.errors import ParameterError, unknown_name
from lrfr.families.distillation import StudentSettings
from lrfr.methods import FLOOR, method, trains_on
from lrfr.nn.batches.order import parts_of_batch
from lrfr.nn.embedder import Architecture, Embedder
from lrfr.nn.heads import HeadSettings
from lrfr.nn.landmarks.settings import Landmarks
from lrfr.nn.networks import NETWORKS
from lrfr.nn.pretraining import Pretraining
from lrfr.nn.start import read_start
from lrfr.nn.super_resolution.settings_alone import SuperResolutionAlone
from lrfr.nn.training.optimizers import check_optimizers
from lrfr.nn.training.settings import Training
from lrfr.sources import benchmark_source, source, test_set_source
from lrfr.synthesis import degradations, synthesizer

ANY_BACKBONE = Architecture(backbone="lrfr_ir18", width=0.05, embedding_dim=16, input_size=112, dropout=0.0)


def run() -> None:
    """Reads every section as its owner does.

    Raises:
        ParameterError: the first thing that is wrong.
        SourceError: nothing lies at the root of a test set.
    """
    params = read_params()
    _check_data(params)
    pretraining = _check("pretrain", params.pretrain, Pretraining)
    _check_pretraining(pretraining)
    _check_training("landmarks", _check("landmarks", params.landmarks, Landmarks).training)
    for name, values in params.super_resolution.items():
        place = f"super_resolution.{name}"
        _check_training(place, _check(place, values, SuperResolutionAlone).training)
    for name, values in params.methods.items():
        _check_method(name, values, pretraining.head)
    _check_names(params)
    print(f"{paths.PARAMS}: every section and every name in it is right")


def _check(place: str, values: Settings, section: type[SectionType]) -> SectionType:
    return settings(values, section, f"{paths.PARAMS}: {place}")


def _check_data(params: Params) -> None:
    benchmark = benchmark_source(params.acquire.source, f"{paths.PARAMS}: acquire.source")
    _check("acquire.settings", params.acquire.settings, benchmark.Settings)
    for collection, chosen in params.acquire.others().items():
        _check(f"acquire.{collection}.settings", chosen.settings, source(chosen.source).Settings)
    for name, values in params.synthesizers.items():
        _check(f"synthesizers.{name}", values, synthesizer(name).Settings)
    for name, chosen in params.evaluation_sets.items():
        place = f"evaluation_sets.{name}"
        module = test_set_source(chosen.source, Path(chosen.root), f"{paths.PARAMS}: {place}")
        _check(f"{place}.settings", chosen.settings, module.Settings)


def _check_pretraining(chosen: Pretraining) -> None:
    _check_training("pretrain", chosen.training)
    if chosen.start:
        read_start(chosen.start)
    if chosen.architecture:
        _check_backbone(chosen.architecture.backbone)


def _check_backbone(name: str) -> None:
    if name in NETWORKS:
        return
    import timm  # 5 s: only for those who ask for one of its models

    if not timm.is_model(name):
        raise unknown_name("backbone", name, [*NETWORKS, *timm.list_models(f"*{name[:5]}*")[:10]], paths.PARAMS)


def _check_method(name: str, values: Settings, pretrained: HeadSettings) -> None:
    module = method(name)
    chosen = _check(f"methods.{name}", values, module.Settings)
    if isinstance(chosen, StudentSettings) and chosen.head != pretrained:
        what = f"'{name}' learns from the pretrained softmax, and its head is another one than the pretraining's"
        raise ParameterError(what, where=f"{paths.PARAMS}: methods.{name}.head", remedy="repeat pretrain.head there")
    for step, collections in module.STEPS.items():
        training = getattr(chosen, step)
        optimizers = _optimizers(module, chosen, step) if training.optimizers else ["main"]
        _check_training(f"methods.{name}", training, step, collections, optimizers)


def _optimizers(module: Any, chosen: Any, step: str) -> list[str]:
    """The names of the optimisers of a method's step; the backbone makes no difference."""
    pretrained = Embedder(ANY_BACKBONE), torch.zeros(2, ANY_BACKBONE.embedding_dim)
    task = module.build(chosen, pretrained, dict.fromkeys(trains_on(module), 2))
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


def _check_names(params: Params) -> None:
    """The names by which one section speaks of another."""
    for kind, name, known, place in [
        ("evaluation set", params.synlr.faces, params.evaluation_sets, "synlr.faces"),
        *(("method", name, params.methods, "compare") for name in params.compare),
        ("method", params.release.method, params.compare, "release.method"),
        *(
            ("super-resolution network", name, params.super_resolution, "evaluate.super_resolution")
            for name in params.evaluate.super_resolution
        ),
    ]:
        if name not in known:
            raise unknown_name(kind, name, known, f"{paths.PARAMS}: {place}")
    if FLOOR not in params.compare:
        what = f"the method '{FLOOR}' is missing; the report and the release compare every other with it"
        remedy = f"name it under compare, and add under methods: '{FLOOR}: {{}}'"
        raise ParameterError(what, where=f"{paths.PARAMS}: compare", remedy=remedy)
