"""pretrain: a backbone learns to recognise the HR faces of the auxiliary set."""

from lrfr import paths
from lrfr.config import Section, read_params, settings
from lrfr.faces import read_faces
from lrfr.nn import checkpoint
from lrfr.nn.backbones import Architecture, Embedder
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
    state = paths.CHECKPOINTS / "pretrained.pt"
    known = checkpoint.fingerprint([params.pretrain, params.seed], paths.AUXILIARY)
    curves = train(task, faces, validation, chosen.training, params.seed, state, known)
    write_model(paths.PRETRAINED, task.embedder, task.head.weight)
    write_curves(paths.curve("training", "pretrained"), curves)
    state.unlink(missing_ok=True)
