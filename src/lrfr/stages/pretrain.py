"""pretrain: a backbone learns to recognise the HR faces of the auxiliary set, from the start or from a model that is
there already."""

import torch

from lrfr import paths
from lrfr.config import read_params, settings
from lrfr.nn.batches.labelled import LabelledFaces, labelled, validation_batches
from lrfr.nn.classifier import Classifier
from lrfr.nn.compute import device, make_deterministic
from lrfr.nn.embedder import Embedder
from lrfr.nn.heads import class_means
from lrfr.nn.model_file import write_model
from lrfr.nn.pretraining import Pretraining
from lrfr.nn.processes import one_of_several, this_process
from lrfr.nn.start import read_start
from lrfr.nn.training.checkpoint import SavedState, fingerprint
from lrfr.nn.training.curves import write_curves
from lrfr.nn.training.loop import train
from lrfr.progress import track
from lrfr.synthesis import degradation

BATCH = 256


def run() -> None:
    """Trains on data/split/auxiliary.parquet; writes models/pretrained."""
    with one_of_several():
        params = read_params()
        chosen = settings(params.pretrain, Pretraining, "params.yaml: pretrain")
        degrade = degradation(chosen.training.low_resolution, "params.yaml: pretrain.training.low_resolution")
        make_deterministic(params.seed, params.threads)
        embedder = read_start(chosen.start) if chosen.start else Embedder(chosen.architecture)  # pyrefly: ignore
        faces, validation, classes = labelled(
            paths.AUXILIARY,
            embedder.architecture.size,
            degrade,
            chosen.training.alignment,
            embedder.architecture.preprocessing.interpolation,
        )
        task = Classifier(embedder, chosen.head, classes)
        known = fingerprint([params.pretrain, params.seed, params.threads], paths.AUXILIARY)
        saved = SavedState(paths.checkpoint("pretrained"), known)
        if chosen.start and saved.read() is None:
            # Moved before, outside inference mode: what is moved in it cannot be trained
            task.head.weight.data.copy_(_prototypes(embedder.to(device()).eval(), faces, classes))
        live = paths.live("pretrained")
        curves = train(task, {"auxiliary": faces}, validation, chosen.training, params.seed, saved, live)
        if this_process() == 0:
            write_model(paths.PRETRAINED, task.embedder, task.head.weight)
            write_curves(paths.curve("training", "pretrained"), curves)
            saved.forget()


@torch.inference_mode()
def _prototypes(embedder: Embedder, faces: LabelledFaces, classes: int) -> torch.Tensor:
    """The class means (C, D) of the training faces' embeddings, as the model that is started from sees them."""
    batches = validation_batches(faces, BATCH, device())
    watched = track(batches, "class means", -(-len(faces) // BATCH), "batch")
    embeddings, labels = zip(*((embedder(batch.images).cpu(), batch.labels.cpu()) for batch in watched), strict=True)
    return class_means(torch.cat(embeddings), torch.cat(labels), classes)
