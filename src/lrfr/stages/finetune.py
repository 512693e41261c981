"""finetune: one method, one model."""

from lrfr import paths
from lrfr.config import Params, read_params, settings
from lrfr.faces import read_faces
from lrfr.methods import method
from lrfr.nn import checkpoint
from lrfr.nn.compute import make_deterministic
from lrfr.nn.curves import write_curves
from lrfr.nn.data import labelled
from lrfr.nn.model_file import FILE, read_model, write_model
from lrfr.nn.training import train

TABLES = {"native": paths.BENCHMARK, "auxiliary": paths.AUXILIARY}


def run(name: str) -> None:
    """Trains one method from models/pretrained; writes models/<method>."""
    params = read_params()
    module = method(name)
    if name not in params.methods:
        params = params.model_copy(update={"methods": params.methods | {name: {}}})
    chosen = settings(params.methods[name], module.Settings, f"params.yaml: methods.{name}")
    pretrained = read_model(paths.PRETRAINED)
    make_deterministic(params.seed)
    if module.TRAINS_ON is None:
        task, curves = module.build(chosen, pretrained, 0), []
    else:
        table = TABLES[module.TRAINS_ON]
        faces, validation, classes = labelled(read_faces(table), pretrained[0].architecture.input_size)
        task = module.build(chosen, pretrained, classes)
        known = _fingerprint(params, name, table)
        curves = train(task, faces, validation, chosen.training, params.seed, _state(name), known)
    write_model(paths.model(name), task.embedder)
    write_curves(paths.curve("training", name), curves)
    _state(name).unlink(missing_ok=True)


def _state(name: str):
    return paths.CHECKPOINTS / f"{name}.pt"


def _fingerprint(params: Params, name: str, table) -> str:
    return checkpoint.fingerprint([params.methods[name], params.seed], table, paths.PRETRAINED / FILE)
