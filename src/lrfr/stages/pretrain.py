"""pretrain: a backbone learns to recognise the HR faces of the auxiliary set."""

from lrfr import paths
from lrfr.config import read_params, settings
from lrfr.faces import read_faces
from lrfr.nn.backbones import Embedder
from lrfr.nn.checkpoint import SavedState, fingerprint
from lrfr.nn.classifier import Classifier, Pretrain
from lrfr.nn.compute import make_deterministic
from lrfr.nn.curves import write_curves
from lrfr.nn.data import labelled
from lrfr.nn.model_file import write_model
from lrfr.nn.training import train


def run() -> None:
    """Trains on data/split/auxiliary.parquet; writes models/pretrained."""
    params = read_params()
    chosen = settings(params.pretrain, Pretrain, "params.yaml: pretrain")
    faces, validation, classes = labelled(read_faces(paths.AUXILIARY), chosen.architecture.input_size)
    make_deterministic(params.seed, params.threads)
    task = Classifier(Embedder(chosen.architecture), chosen.head, classes)
    known = fingerprint([params.pretrain, params.seed, params.threads], paths.AUXILIARY)
    saved = SavedState(paths.checkpoint("pretrained"), known)
    curves = train(task, faces, validation, chosen.training, params.seed, saved)
    write_model(paths.PRETRAINED, task.embedder, task.head.weight)
    write_curves(paths.curve("training", "pretrained"), curves)
    saved.forget()
