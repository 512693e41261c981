"""finetune: one run, one model; trained in one step, or in several one after the other, or not at all."""

from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from lrfr import paths
from lrfr.closest import with_closest
from lrfr.config import BENCHMARK, Params, read_params
from lrfr.core.alignment import AS_CROPPED
from lrfr.errors import ParameterError
from lrfr.faces import read_faces
from lrfr.files import read_json
from lrfr.methods import Run, read_run
from lrfr.nn.batches.alignment import alignment, check_tight_crops
from lrfr.nn.batches.images import FaceImages
from lrfr.nn.batches.labelled import labelled
from lrfr.nn.batches.unrecognizable import unrecognizable_faces
from lrfr.nn.compute import make_deterministic
from lrfr.nn.embedder import Architecture
from lrfr.nn.landmarks.model_file import landmarks_for
from lrfr.nn.model_file import FILE, Facts, Model, TrainedStep, read_model, write_model
from lrfr.nn.processes import one_of_several
from lrfr.nn.trained import All, TrainedPart
from lrfr.nn.training.checkpoint import SavedState, fingerprint
from lrfr.nn.training.curves import Curves, write_curves
from lrfr.nn.training.settings import Training
from lrfr.nn.training.steps import Learnt, Step, Trained, train_in_steps
from lrfr.nn.training.task import Task
from lrfr.synthesis import check_presentation, degradations, learns, read_learned, synthesizer
from lrfr.test_sets import faces_of

KIND = "runs"
# Synthetic faces that no table has are made, on the way, of the auxiliary ones
TABLES = {"native": paths.BENCHMARK, "auxiliary": paths.AUXILIARY, "synthetic": paths.AUXILIARY}
LANDMARKS = {
    "native": paths.NATIVE_LANDMARKS,
    "auxiliary": paths.AUXILIARY_LANDMARKS,
    "synthetic": paths.AUXILIARY_LANDMARKS,
}


class Shown(NamedTuple):
    """How faces are shown to the network: their presentation, and the architecture that says their size."""

    presentation: str
    architecture: Architecture


def tables(run: Run) -> dict[str, Path]:
    """The face table of each collection that the run may learn from."""
    made = {} if run.synthesizer is None else {"synthetic": paths.synthetic(run.synthesizer)}
    return TABLES | {"native": faces_of(run.native)} | made


def landmark_tables(run: Run) -> dict[str, Path]:
    """The landmarks of their faces."""
    native = {} if run.native == BENCHMARK else {"native": paths.training_landmarks(run.native)}
    made = {} if run.synthesizer is None else {"synthetic": paths.synthetic_landmarks(run.synthesizer)}
    return LANDMARKS | native | made


def run(name: str) -> None:
    """Trains one run from its backbone in models/pretrained; writes models/runs/NAME.

    Raises:
        ParameterError: params.yaml has no such run, a wrong setting of it, or one that does not go with its backbone.
    """
    with one_of_several():
        params = with_closest(read_params(), name)
        chosen = read_run(name, params)
        make_deterministic(params.seed, params.threads)
        backbone = read_model(paths.pretrained(chosen.backbone))
        task = chosen.method.build(chosen.settings, backbone, _classes(chosen))
        task.part = _part(chosen, task)
        shown = Shown(chosen.presentation or backbone.facts.presentation, task.embedder.architecture)
        task.unrecognizable = _unrecognizable(chosen, shown)
        steps = [_step(chosen, number, params, shown) for number in range(len(chosen.steps))]

        def write(curves: Curves, trained: Sequence[Trained]) -> None:
            if task.part is not None:
                task.part.merge()
            facts = _facts(chosen, shown.presentation, backbone.facts, task, trained)
            kept = backbone.prototypes, backbone.bias
            prototypes, bias = (None, None) if trained or not task.starts_from_backbone else kept
            landmarks = landmarks_for(facts.presentation)
            write_model(paths.model(name), Model(task.embedder, facts, prototypes, landmarks, bias))
            write_curves(paths.training_curve(KIND, name), curves)

        train_in_steps(task, steps, write)


def _part(run: Run, task: Task) -> TrainedPart | None:
    """What the run trains of its backbone; None where that is all of it.

    Raises:
        ParameterError: the backbone has no such part, or the method trains a network of its own.
    """
    if isinstance(run.trained, All):
        return None
    if not task.starts_from_backbone:
        what = "the method trains a new network, of which nothing may stay as it is"
        raise ParameterError(what, where=f"{paths.PARAMS}: methods.{run.name}.trained", remedy="leave `trained` out")
    return TrainedPart(task.embedder.backbone, run.trained)


def _unrecognizable(run: Run, shown: Shown) -> FaceImages | None:
    """The unrecognizable faces that the run compares with; None where it compares with none."""
    if not run.unrecognizable:
        return None
    place = f"{paths.PARAMS}: methods.{run.name}.unrecognizable"
    return unrecognizable_faces(run.unrecognizable, shown.presentation, shown.architecture, place)


def _facts(run: Run, presentation: str, backbone: Facts, task: Task, trained: Sequence[Trained]) -> Facts:
    """What users of the run's model must know."""
    before = backbone.trained if task.starts_from_backbone else []
    weights = None if isinstance(run.trained, All) else run.trained.model_dump()
    own_head = getattr(run.settings, "head", None)
    kept_head = backbone.head if task.starts_from_backbone else None
    head = own_head.model_dump() if own_head is not None else kept_head
    return Facts(
        presentation=presentation,
        metric=getattr(run.method, "METRIC", backbone.metric),
        trained=[*before, *(TrainedStep(**_named(run, step), weights=weights) for step in trained)],
        head=head if trained or before else None,
        quality=quality.name if (quality := task.embedder.architecture.quality) is not None else None,
        provenance=backbone.provenance if task.starts_from_backbone else None,
    )


def _named(run: Run, step: Trained) -> dict[str, Any]:
    """What a step learnt from; native faces of another test set than the benchmark, and synthetic ones, by a name."""
    told = asdict(step)
    native = "native" if run.native == BENCHMARK else run.native
    names = {"native": native, "synthetic": f"synthetic ({run.synthesizer})" if run.synthesizer else "synthetic"}
    return told | {
        key: {names.get(name, name): value for name, value in told[key].items()} for key in ("faces", "passes")
    }


def _step(run: Run, number: int, params: Params, shown: Shown) -> Step:
    """A step of the run's training, by its number from 0."""
    name, collections = list(run.steps.items())[number]
    training = getattr(run.settings, name)
    several = len(run.steps) > 1
    live = paths.live(KIND, run.name)
    return Step(
        name,
        training,
        partial(_faces, run, name, collections, training, shown),
        _seed(params.seed, number),
        _saved_state(run, number, f"{run.name}.{name}" if several else run.name, params, shown.presentation),
        live / name if several else live,
    )


def _seed(seed: int, number: int) -> int:
    """The seed of a step, by its number from 0: each has an order and draws of its own."""
    return int(np.random.SeedSequence((seed, number)).generate_state(1)[0]) if number else seed


def _saved_state(run: Run, number: int, name: str, params: Params, presentation: str) -> SavedState:
    """The state of a step, which depends on the steps before it, and not on those after it."""
    steps = list(run.steps)
    values = {key: value for key, value in params.methods[run.name].items() if key not in steps[number + 1 :]}
    seen = dict.fromkeys(collection for step in steps[: number + 1] for collection in run.steps[step])
    read = (tables(run),) if presentation == AS_CROPPED else (tables(run), landmark_tables(run))
    faces = [table[collection] for collection in seen for table in read]
    if run.unrecognizable:
        nobody = (paths.UNRECOGNIZABLE, paths.UNRECOGNIZABLE_LANDMARKS)
        faces += nobody[:1] if presentation == AS_CROPPED else nobody
    files = [*faces, paths.pretrained(run.backbone) / FILE]
    if learned := used_learned(run, steps[: number + 1]):
        files += [paths.synthesizer(name) / FILE for name in learned]
    code = read_json(paths.code(KIND, run.name), "lrfr code")
    settled = [values, params.seed, params.threads, code]
    return SavedState(paths.checkpoint(KIND, name), fingerprint(settled, [__name__, run.method.__name__], *files))


def used_learned(run: Run, steps: Sequence[str]) -> list[str]:
    """The synthesisers that have learnt, and make faces small on the way in some of a run's steps."""
    sections = [getattr(run.settings, step).low_resolution for step in steps]
    names = {section.synthesizer for section in sections if section is not None}
    return sorted(name for name in names if learns(synthesizer(name)))


def _classes(run: Run) -> dict[str, int]:
    """The number of training identities of each collection."""
    people = {key: read_faces(tables(run)[key], ["identity", "split"]).to_pylist() for key in run.collections}
    return {key: len({row["identity"] for row in rows if row["split"] == "train"}) for key, rows in people.items()}


def _faces(run: Run, step: str, collections: Sequence[str], training: Training, shown: Shown) -> Learnt:
    """The training faces of each of a step's collections, and validation faces of the first that has any."""
    place = f"{paths.PARAMS}: methods.{run.name}.{step}"
    check_tight_crops(shown.presentation, training.tight_crops, place)
    degrade = degradations(training.low_resolution, collections, place)
    for name in used_learned(run, [step]):
        check_presentation(name, read_learned(name).presentation, shown.presentation, place)
    loaded = {
        key: labelled(
            tables(run)[key],
            shown.architecture.size,
            degrade.get(key),
            alignment(shown.presentation, landmark_tables(run)[key], training.tight_crops),
            shown.architecture.preprocessing.interpolation,
            training.augmentation,
        )
        for key in collections
    }
    validation = next((some for _, some, _ in loaded.values() if some is not None), None)
    return {key: faces for key, (faces, _, _) in loaded.items()}, validation
