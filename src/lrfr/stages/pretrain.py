"""pretrain: a backbone learns to recognise the HR faces of the auxiliary set."""

from lrfr import paths
from lrfr.config import Section, read_params, settings
from lrfr.faces import read_faces
from lrfr.nn.backbones import Architecture, Embedder
from lrfr.nn.checkpoint import SavedState, fingerprint
from lrfr.nn.classifier import Classifier, MarginHead
from lrfr.nn.compute import make_deterministic
from lrfr.nn.curves import write_curves
from lrfr.nn.data import labelled
from lrfr.nn.model_file import write_model
from lrfr.nn.training import Training, train


class Pretrain(Section):
    """params.yaml: pretrain."""

    architecture: Architecture
    head: MarginHead
    training: Training


def run() -> None:
    """Trains on data/split/auxiliary.parquet; writes models/pretrained."""
    params = read_params()
    chosen = settings(params.pretrain, Pretrain, "params.yaml: pretrain")
    faces, validation, classes = labelled(read_faces(paths.AUXILIARY), chosen.architecture.input_size)
    make_deterministic(params.seed)
    task = Classifier(Embedder(chosen.architecture), chosen.head, classes)
    saved = SavedState(paths.checkpoint("pretrained"), fingerprint([params.pretrain, params.seed], paths.AUXILIARY))
    curves = train(task, faces, validation, chosen.training, params.seed, saved)
    write_model(paths.PRETRAINED, task.embedder, task.head.weight)
    write_curves(paths.curve("training", "pretrained"), curves)
    saved.forget()
