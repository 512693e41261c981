"""check: the whole of params.yaml, before anything runs for minutes.

A stage reads its own part alone, and a source, a synthesiser and a method each know settings that nobody else does; a
slip in the last one should not come to light after the first ones have run.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import torch

from lrfr import paths
from lrfr.card.settings import Card, check_people
from lrfr.closest import CLOSEST, asks_for_closest, with_each
from lrfr.config import Params, Section, SectionType, Settings, Source, read_params, settings
from lrfr.curation import Curate, Split
from lrfr.detector import Detect
from lrfr.errors import ParameterError, SourceError, unknown_name
from lrfr.methods import FLOOR, Run, floor, read_run
from lrfr.nn.batches.alignment import check_tight_crops
from lrfr.nn.batches.order import parts_of_batch
from lrfr.nn.embedder import Architecture, Embedder
from lrfr.nn.landmarks.settings import Landmarks
from lrfr.nn.model_file import Facts, Model
from lrfr.nn.networks import NETWORKS
from lrfr.nn.pretraining import Pretraining, presentation_of
from lrfr.nn.start import read_start
from lrfr.nn.super_resolution.settings_alone import SuperResolutionAlone
from lrfr.nn.trained import All, TrainedPart
from lrfr.nn.training.optimizers import check_optimizers
from lrfr.nn.training.settings import Training
from lrfr.nn.translation.settings import Learned
from lrfr.protocols.options import Evaluate
from lrfr.quality.limits import Drift, Validate
from lrfr.release.settings import ModelCard, Release
from lrfr.retraining.settings import Retrain
from lrfr.sources import benchmark_source, check_root, check_settings, collections_of, source, test_set_source
from lrfr.stages.check_batches import check_batches
from lrfr.stages.finetune import used_learned
from lrfr.stages.train_synthesizer import check_faces
from lrfr.synthesis import check_presentation, degradations, learns, settings_of, synthesizer
from lrfr.test_sets import SynLR

ANY_BACKBONE = Architecture(backbone="lrfr_ir18", width=0.05, embedding_dim=16, input_size=112, dropout=0.0)

LEARNS_NOTHING = "name one that learns nothing, such as downsample"

SECTIONS: dict[str, type[Section]] = {
    "detect": Detect,
    "curate": Curate,
    "split": Split,
    "validate": Validate,
    "drift": Drift,
    "card": Card,
    "model_card": ModelCard,
    "retrain": Retrain,
}


def run() -> None:
    """Reads every section as its owner does.

    Raises:
        ParameterError: the first thing that is wrong.
        SourceError: nothing lies at or in the root of a source, or a file that its settings name is not there.
    """
    params = read_params()
    _check_data(params)
    _check_closest(params)
    shown = {name: _check_backbone(f"backbones.{name}", values) for name, values in params.backbones.items()}
    _check_training("landmarks", _check("landmarks", params.landmarks, Landmarks).training)
    for name, values in params.super_resolution.items():
        place = f"super_resolution.{name}"
        _check_training(place, _check(place, values, SuperResolutionAlone).training)
    for name in params.learned_synthesizers:
        _check_learned(name, params, shown)
    for name in params.methods:
        if asks_for_closest(params.methods[name]):
            _check_each_winner(name, params, shown)
        else:
            _check_run(read_run(name, params), params, shown)
    _check_names(params, _check("evaluate", params.evaluate, Evaluate))
    print(f"{paths.PARAMS}: every section and every name in it is right")
    if paths.BENCHMARK.is_file() and paths.AUXILIARY.is_file():
        _note_batches(params)


def _check_closest(params: Params) -> None:
    """Raises where something but a run is to take the closest synthesiser."""
    for section in ("backbones", "landmarks", "super_resolution"):
        if asks_for_closest(getattr(params, section)):
            what = "only a run can take the closest synthesizer: it is found by the embeddings of a backbone"
            raise ParameterError(what, where=f"{paths.PARAMS}: {section}", remedy="name a synthesizer")
    if CLOSEST in params.all_synthesizers:
        what = f"no synthesizer can be called '{CLOSEST}': runs take the one that is"
        raise ParameterError(what, where=f"{paths.PARAMS}: synthesizers", remedy="choose another name")
    if not params.all_synthesizers:
        what = "there is no synthesizer whose faces could be compared with native ones"
        raise ParameterError(
            what, where=f"{paths.PARAMS}: synthesizers", remedy="name one: synthesizers: {downsample: {}}"
        )


def _note_batches(params: Params) -> None:
    """Says whether the faces that are there now fill the batches; another acquisition may bring more of them."""
    try:
        check_batches(params)
    except ParameterError as error:
        print(f"note: with the faces of the last split this would fail: {error}")


def _check(place: str, values: Settings, section: type[SectionType]) -> SectionType:
    return settings(values, section, f"{paths.PARAMS}: {place}")


def _check_data(params: Params) -> None:
    benchmark_source(params.acquire.source, f"{paths.PARAMS}: acquire.source")
    brought = list(_check_source("acquire", params.acquire))
    for collection, chosen in params.acquire.others().items():
        brings = _check_source(f"acquire.{collection}", chosen)
        if collection not in brings:
            what = f"the source '{chosen.source}' brings {' and '.join(brings)} faces, and none that are {collection}"
            remedy = f"name a source that does (lrfr acquire --list), or set its collection to {collection}"
            raise ParameterError(what, where=f"{paths.PARAMS}: acquire.{collection}", remedy=remedy)
        brought.append(collection)
    _check_needed(brought, params.acquire.source)
    for name, section in SECTIONS.items():
        params.read(name, section)
    _check_sizes(params)
    check_people(params.read("card", Card), params.acquire)
    _check_labellers(params)
    for name, values in params.synthesizers.items():
        settings_of(name, values, learned=False, where=f"{paths.PARAMS}: synthesizers.{name}")
    for name, chosen in params.evaluation_sets.items():
        place = f"evaluation_sets.{name}"
        module = test_set_source(chosen.source, Path(chosen.root), f"{paths.PARAMS}: {place}")
        options = _check(f"{place}.settings", chosen.settings, module.Settings)
        _check_not_empty(place, chosen)
        check_settings(module, Path(chosen.root), options, f"{paths.PARAMS}: {place}")


def _check_source(place: str, chosen: Source) -> tuple[str, ...]:
    """Checks a source of the pipeline's; returns the collections that it brings."""
    module = source(chosen.source)
    options = _check(f"{place}.settings", chosen.settings, module.Settings)
    check_root(chosen.source, Path(chosen.root), f"{paths.PARAMS}: {place}.root")
    _check_not_empty(place, chosen)
    check_settings(module, Path(chosen.root), options, f"{paths.PARAMS}: {place}")
    return collections_of(module, options)


def _check_not_empty(place: str, chosen: Source) -> None:
    """Raises where a dataset's folder is there and empty; generated people need nothing from theirs."""
    root = Path(chosen.root)
    if not chosen.is_generated and root.is_dir() and not any(root.iterdir()):
        remedy = f"put the dataset there, or correct the root; expected: {source(chosen.source).LAYOUT}"
        raise SourceError(f"the folder {root} is empty", where=f"{paths.PARAMS}: {place}.root", remedy=remedy)


def _check_needed(brought: Sequence[str], name: str) -> None:
    """Raises where nobody brings faces that the pipeline cannot do without."""
    if "native" not in brought:
        what = f"the source '{name}' brings no native faces, of which the benchmark is made"
        raise ParameterError(
            what, where=f"{paths.PARAMS}: acquire.source", remedy="name one that does: lrfr acquire --list"
        )
    if "auxiliary" not in brought:
        remedy = "name a source of HR faces: acquire.auxiliary: {source, root, settings}"
        what = f"the source '{name}' brings no auxiliary faces, which backbones learn from"
        raise ParameterError(what, where=f"{paths.PARAMS}: acquire", remedy=remedy)


def _check_sizes(params: Params) -> None:
    """Raises where a size leaves nothing of what another one asks for."""
    most, place = params.read("curate", Curate).max_side, f"{paths.PARAMS}: curate.max_side"
    for name, least in (
        ("detect.min_face_native", params.read("detect", Detect).min_face_native),
        ("validate.mean_height", params.read("validate", Validate).mean_height[0]),
    ):
        if least > most:
            what = f"{name} asks for faces of {least:g} px, and those of more than {most} px are excluded"
            raise ParameterError(what, where=place, remedy=f"raise it, or lower {name}")


def _check_labellers(params: Params) -> None:
    """Raises where labellers are to be simulated and nobody knows what is right."""
    if params.read("curate", Curate).simulated_labellers and not hasattr(source(params.acquire.source), "KNOWS_TRUTH"):
        what = f"labellers can be simulated only where the source knows the truth; '{params.acquire.source}' does not"
        remedy = "set simulated_labellers: {}; people verify the faces in annotations/verdicts, or set unverified: keep"
        raise ParameterError(what, where=f"{paths.PARAMS}: curate.simulated_labellers", remedy=remedy)


def _check_backbone(place: str, values: Settings) -> str:
    """Checks a backbone; returns how faces are presented to it."""
    chosen = _check(place, values, Pretraining)
    start = read_start(chosen.start).facts if chosen.start else Facts()
    shown = presentation_of(chosen, start)
    _check_training(place, chosen.training, shown=shown)
    small = chosen.training.low_resolution
    if small is not None and learns(synthesizer(small.synthesizer)):
        what = f"the synthesizer '{small.synthesizer}' learns with a backbone, and cannot make faces for one"
        raise ParameterError(what, where=f"{paths.PARAMS}: {place}.training.low_resolution", remedy=LEARNS_NOTHING)
    if chosen.architecture:
        _check_network(chosen.architecture.backbone)
    return shown


def _check_learned(name: str, params: Params, shown: Mapping[str, str]) -> None:
    """Checks a synthesiser that learns, and that its backbone goes with it."""
    place = f"{paths.PARAMS}: learned_synthesizers.{name}"
    module, chosen = settings_of(name, params.learned_synthesizers[name], learned=True, where=place)
    assert isinstance(chosen, Learned)
    if chosen.backbone not in params.backbones:
        raise unknown_name("backbone", chosen.backbone, params.backbones, f"{place}.backbone")
    section = f"learned_synthesizers.{name}"
    players = ("main", "discriminator")
    _check_training(section, chosen.training, collections=("hr", "lr"), optimizers=players)
    backbone = _check(f"backbones.{chosen.backbone}", params.backbones[chosen.backbone], Pretraining)
    with torch.device("meta"):
        size = (read_start(backbone.start).embedder.architecture if backbone.start else backbone.architecture).size  # pyrefly: ignore
    check_faces(module, chosen, shown[chosen.backbone], size, place)


def _check_synthesizers(chosen: Run, params: Params, shown: Mapping[str, str]) -> None:
    """That those which have to learn, and make a run's faces small on the way, do learn, from faces as the run's."""
    for step in chosen.steps:
        place = f"{paths.PARAMS}: methods.{chosen.name}.{step}"
        for name in used_learned(chosen, [step]):
            if name not in params.learned_synthesizers:
                known = params.all_synthesizers
                raise unknown_name("synthesizer", name, known, f"{place}.low_resolution.synthesizer")
            theirs = shown[params.learned_synthesizers[name]["backbone"]]
            check_presentation(name, theirs, chosen.presentation or shown[chosen.backbone], place)


def _check_network(name: str) -> None:
    if name in NETWORKS:
        return
    import timm  # 5 s: only for those who ask for one of its models

    if not timm.is_model(name):
        raise unknown_name("backbone", name, [*NETWORKS, *timm.list_models(f"*{name[:5]}*")[:10]], paths.PARAMS)


def _check_each_winner(name: str, params: Params, shown: Mapping[str, str]) -> None:
    """Checks a run that takes the closest synthesiser as it will be with each one: nobody knows yet which wins."""
    for winner, possible in with_each(params, name):
        chosen = read_run(name, possible)
        _check_trainings(chosen, shown)
        _check_part(chosen, params)
        try:
            _check_synthesizers(chosen, params, shown)
        except ParameterError as error:
            raise ParameterError(f"where '{winner}' is the closest: {error}") from error


def _check_run(chosen: Run, params: Params, shown: Mapping[str, str]) -> None:
    _check_trainings(chosen, shown)
    _check_synthesizers(chosen, params, shown)
    _check_part(chosen, params)


def _check_trainings(chosen: Run, shown: Mapping[str, str]) -> None:
    presentation = chosen.presentation or shown[chosen.backbone]
    for step, collections in chosen.steps.items():
        training = getattr(chosen.settings, step)
        optimizers = _optimizers(chosen, step) if training.optimizers else ["main"]
        _check_training(f"methods.{chosen.name}", training, step, collections, optimizers, presentation)


def _check_part(chosen: Run, params: Params) -> None:
    """That the run's backbone has the part that is to be trained; its values need no memory for that."""
    if isinstance(chosen.trained, All):
        return
    backbone = settings(params.backbones[chosen.backbone], Pretraining, f"{paths.PARAMS}: backbones.{chosen.backbone}")
    architecture = read_start(backbone.start).embedder.architecture if backbone.start else backbone.architecture
    with torch.device("meta"):
        embedder = Embedder(architecture)  # pyrefly: ignore - one of the two is given
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
    shown: str = "",
) -> None:
    place = f"{paths.PARAMS}: {section}.{key}"
    check_tight_crops(shown, training.tight_crops, place)
    degradations(training.low_resolution, collections, place)
    parts_of_batch(list(collections), training.batch_size, training.shares, f"{place}.shares")
    check_optimizers(training, optimizers, f"{place}.optimizers")


def _check_names(params: Params, evaluate: Evaluate) -> None:
    """The names by which one section speaks of another."""
    for kind, name, known, place in [
        ("evaluation set", params.read("synlr", SynLR).faces, params.evaluation_sets, "synlr.faces"),
        ("run", params.read("release", Release).run, params.methods, "release.run"),
        ("backbone", params.read("drift", Drift).backbone, params.backbones, "drift.backbone"),
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
