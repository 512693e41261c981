"""finetune: one method, one model."""

from pathlib import Path

from lrfr import paths
from lrfr.config import read_params, settings
from lrfr.errors import unknown_name
from lrfr.faces import read_faces
from lrfr.methods import method
from lrfr.nn.checkpoint import SavedState, fingerprint
from lrfr.nn.compute import make_deterministic
from lrfr.nn.curves import write_curves
from lrfr.nn.data import labelled
from lrfr.nn.model_file import FILE, read_model, write_model
from lrfr.nn.training import train

TABLES = {"native": paths.BENCHMARK, "auxiliary": paths.AUXILIARY}


def run(name: str) -> None:
    """Trains one method from models/pretrained; writes models/<method>.

    Raises:
        ParameterError: there is no such method, or params.yaml does not set it.
    """
    params = read_params()
    module = method(name)
    if name not in params.methods:
        raise unknown_name("method", name, params.methods, "params.yaml: methods")
    chosen = settings(params.methods[name], module.Settings, f"params.yaml: methods.{name}")
    pretrained = read_model(paths.PRETRAINED)
    make_deterministic(params.seed, params.threads)
    saved = None
    if module.TRAINS_ON is None:
        task, curves = module.build(chosen, pretrained, 0), []
    else:
        table = TABLES[module.TRAINS_ON]
        faces, validation, classes = labelled(read_faces(table), pretrained[0].architecture.input_size)
        task = module.build(chosen, pretrained, classes)
        code = Path(module.__file__ or "")
        known = fingerprint([params.methods[name], params.seed, params.threads], table, paths.PRETRAINED / FILE, code)
        saved = SavedState(paths.checkpoint(name), known)
        curves = train(task, faces, validation, chosen.training, params.seed, saved)
    write_model(paths.model(name), task.embedder)
    write_curves(paths.curve("training", name), curves)
    if saved:
        saved.forget()
