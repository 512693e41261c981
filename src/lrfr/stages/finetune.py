"""finetune: one method, one model."""

from pathlib import Path
from types import ModuleType
from typing import Any

from lrfr import paths
from lrfr.config import Params, read_params, settings
from lrfr.degradation import degradation
from lrfr.errors import ParameterError, unknown_name
from lrfr.faces import read_faces
from lrfr.methods import method
from lrfr.nn.batches.labelled import LabelledFaces, labelled
from lrfr.nn.compute import make_deterministic
from lrfr.nn.model_file import FILE, read_model, write_model
from lrfr.nn.processes import one_of_several, this_process
from lrfr.nn.training.checkpoint import SavedState, fingerprint
from lrfr.nn.training.curves import Curves, write_curves
from lrfr.nn.training.loop import train
from lrfr.nn.training.settings import Training
from lrfr.nn.training.task import Task

TABLES = {"native": paths.BENCHMARK, "auxiliary": paths.AUXILIARY}


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
        make_deterministic(params.seed, params.threads)
        code = Path(module.__file__ or "")
        tables = [TABLES[collection] for collection in module.TRAINS_ON]
        known = fingerprint([params.methods[name], params.seed, params.threads], *tables, paths.PRETRAINED / FILE, code)
        saved = SavedState(paths.checkpoint(name), known)
        task, curves = _trained(name, module, chosen, params, saved)
        if this_process() == 0:
            write_model(paths.model(name), task.embedder)
            write_curves(paths.curve("training", name), curves)
            saved.forget()


def _trained(name: str, module: ModuleType, chosen: Any, params: Params, saved: SavedState) -> tuple[Task, Curves]:
    pretrained = read_model(paths.PRETRAINED)
    if not module.TRAINS_ON:
        return module.build(chosen, pretrained, {}), []
    faces, validation, classes = _faces(name, module, chosen.training, pretrained[0].architecture.size)
    task = module.build(chosen, pretrained, classes)
    return task, train(task, faces, validation, chosen.training, params.seed, saved, paths.live(name))


def _faces(
    name: str, module: ModuleType, training: Training, size: tuple[int, int]
) -> tuple[dict[str, LabelledFaces], LabelledFaces | None, dict[str, int]]:
    """The training faces of each collection, validation faces of the first that has any, numbers of identities.

    Only auxiliary faces are made small: native ones are already.
    """
    place = f"params.yaml: methods.{name}.training.low_resolution"
    if training.low_resolution and "auxiliary" not in module.TRAINS_ON:
        what = f"'{name}' trains on native faces alone, and only sharp ones are made small"
        raise ParameterError(what, where=place, remedy="leave low_resolution out")
    degrade = {"auxiliary": degradation(training.low_resolution, place)}
    loaded = {key: labelled(read_faces(TABLES[key]), size, degrade.get(key)) for key in module.TRAINS_ON}
    faces = {key: train_faces for key, (train_faces, _, _) in loaded.items()}
    validation = next((some for _, some, _ in loaded.values() if some is not None), None)
    return faces, validation, {key: classes for key, (_, _, classes) in loaded.items()}
