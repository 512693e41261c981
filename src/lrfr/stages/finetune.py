"""finetune: one method, one model; in one step, or in several one after the other."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from lrfr import paths
from lrfr.config import Params, read_params, settings
from lrfr.errors import unknown_name
from lrfr.faces import read_faces
from lrfr.methods import method, trains_on
from lrfr.nn.batches.labelled import LabelledFaces, labelled
from lrfr.nn.batches.low_resolution import Degradation
from lrfr.nn.compute import make_deterministic
from lrfr.nn.embedder import Architecture
from lrfr.nn.model_file import FILE, read_model, write_model
from lrfr.nn.processes import one_of_several, this_process
from lrfr.nn.training.checkpoint import SavedState, fingerprint
from lrfr.nn.training.curves import Curves, one_after_the_other, write_curves
from lrfr.nn.training.loop import train
from lrfr.nn.training.settings import Training
from lrfr.nn.training.task import Task
from lrfr.synthesis import degradations

TABLES = {"native": paths.BENCHMARK, "auxiliary": paths.AUXILIARY}


@dataclass(frozen=True)
class _Step:
    """One step of a method: its faces and its training, and where its state and its live curves are."""

    name: str
    collections: tuple[str, ...]
    degradations: Mapping[str, Degradation]
    training: Training
    seed: int
    saved: SavedState
    live: Path


def run(name: str) -> None:
    """Trains one method from models/pretrained; writes models/<method>.

    Raises:
        ParameterError: there is no such method, or params.yaml does not set it.
    """
    with one_of_several():
        params = read_params()
        module = method(name)
        if name not in params.methods:
            raise unknown_name("method", name, params.methods, "params.yaml: methods")
        chosen = settings(params.methods[name], module.Settings, f"params.yaml: methods.{name}")
        steps = _steps(name, module, chosen, params)
        make_deterministic(params.seed, params.threads)
        task = module.build(chosen, read_model(paths.PRETRAINED), _classes(trains_on(module)))
        curves = one_after_the_other([_trained(task, step) for step in steps])
        if this_process() == 0:
            write_model(paths.model(name), task.embedder)
            write_curves(paths.curve("training", name), curves)
            # Until here a finished step's state is kept: whoever goes on after an interruption does not repeat it
            for step in steps:
                step.saved.forget()


def _steps(name: str, module: ModuleType, chosen: Any, params: Params) -> list[_Step]:
    several = len(module.STEPS) > 1
    steps = []
    for number, (step, collections) in enumerate(module.STEPS.items()):
        training = getattr(chosen, step)
        steps.append(
            _Step(
                step,
                collections,
                degradations(training.low_resolution, collections, f"params.yaml: methods.{name}.{step}"),
                training,
                _seed(params.seed, number),
                _saved_state(name, module, number, params),
                paths.live(name) / step if several else paths.live(name),
            )
        )
    return steps


def _seed(seed: int, number: int) -> int:
    """The seed of a method's step, by the step's number from 0: each has an order and draws of its own."""
    return int(np.random.SeedSequence((seed, number)).generate_state(1)[0]) if number else seed


def _saved_state(name: str, module: ModuleType, number: int, params: Params) -> SavedState:
    """The state of a method's step, which depends on the steps before it, and not on those after it."""
    steps = list(module.STEPS)
    values = {key: value for key, value in params.methods[name].items() if key not in steps[number + 1 :]}
    seen = dict.fromkeys(collection for step in steps[: number + 1] for collection in module.STEPS[step])
    files = [*(TABLES[collection] for collection in seen), paths.PRETRAINED / FILE, Path(module.__file__ or "")]
    known = fingerprint([values, params.seed, params.threads], *files)
    return SavedState(paths.checkpoint(f"{name}.{steps[number]}" if len(steps) > 1 else name), known)


def _classes(collections: tuple[str, ...]) -> dict[str, int]:
    """The number of training identities of each collection."""
    people = {key: read_faces(TABLES[key], ["identity", "split"]).to_pylist() for key in collections}
    return {key: len({row["identity"] for row in rows if row["split"] == "train"}) for key, rows in people.items()}


def _trained(task: Task, step: _Step) -> Curves:
    task.begin(step.name)
    faces, validation = _faces(step, task.embedder.architecture)
    return train(task, faces, validation, step.training, step.seed, step.saved, step.live)


def _faces(step: _Step, architecture: Architecture) -> tuple[Mapping[str, LabelledFaces], LabelledFaces | None]:
    """The training faces of each of a step's collections, and validation faces of the first that has any."""
    loaded = {
        key: labelled(
            TABLES[key],
            architecture.size,
            step.degradations.get(key),
            step.training.alignment,
            architecture.preprocessing.interpolation,
        )
        for key in step.collections
    }
    validation = next((some for _, some, _ in loaded.values() if some is not None), None)
    return {key: faces for key, (faces, _, _) in loaded.items()}, validation
