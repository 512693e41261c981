"""pretrain: a backbone learns to recognise the HR faces of the auxiliary set, from the start or from a model that is
there already."""

from collections.abc import Sequence
from dataclasses import asdict

import torch

from lrfr import paths
from lrfr.config import Settings, read_params, settings
from lrfr.errors import unknown_name
from lrfr.files import read_json
from lrfr.hr_faces import require_hr_faces
from lrfr.nn.batches.alignment import alignment, check_tight_crops
from lrfr.nn.batches.labelled import LabelledFaces, labelled, validation_batches
from lrfr.nn.classifier import Classifier
from lrfr.nn.compute import device, make_deterministic
from lrfr.nn.embedder import Embedder
from lrfr.nn.heads import class_means
from lrfr.nn.landmarks.model_file import landmarks_for
from lrfr.nn.model_file import Facts, Model, TrainedStep, write_model
from lrfr.nn.pretraining import Pretraining, presentation_of
from lrfr.nn.processes import one_of_several
from lrfr.nn.start import read_start, take_classifier
from lrfr.nn.training.checkpoint import SavedState, fingerprint
from lrfr.nn.training.curves import Curves, write_curves
from lrfr.nn.training.steps import Step, Trained, train_in_steps
from lrfr.progress import track
from lrfr.synthesis import degradation

BATCH = 256
KIND = "backbones"


def run(name: str) -> None:
    """Trains a backbone on data/split/auxiliary.parquet; writes models/pretrained/NAME.

    Raises:
        ParameterError: params.yaml has no backbone of that name, or a wrong setting of it.
        BenchmarkError: there are no HR faces.
    """
    with one_of_several():
        params = read_params()
        if name not in params.backbones:
            raise unknown_name("backbone", name, params.backbones, f"{paths.PARAMS}: backbones")
        require_hr_faces()
        place = f"{paths.PARAMS}: backbones.{name}"
        values = params.backbones[name]
        chosen = settings(values, Pretraining, place)
        degrade = degradation(chosen.training.low_resolution, f"{place}.training.low_resolution")
        make_deterministic(params.seed, params.threads)
        start = read_start(chosen.start) if chosen.start else Model(Embedder(chosen.architecture))  # pyrefly: ignore
        embedder = start.embedder
        presentation = presentation_of(chosen, start.facts)
        check_tight_crops(presentation, chosen.training.tight_crops, f"{place}.training")
        aligned = alignment(presentation, paths.AUXILIARY_LANDMARKS, chosen.training.tight_crops)
        faces, validation, classes = labelled(
            paths.AUXILIARY,
            embedder.architecture.size,
            degrade,
            aligned,
            embedder.architecture.preprocessing.interpolation,
            chosen.training.augmentation,
        )
        task = Classifier(embedder, chosen.head, {"auxiliary": classes})
        tables = [paths.AUXILIARY, *([aligned.located] if aligned else [])]
        known = fingerprint([values, params.seed, params.threads, _code(name)], [__name__], *tables)
        saved = SavedState(paths.checkpoint(KIND, name), known)
        if chosen.start and chosen.start.classifier:
            take_classifier(task.head, start, chosen.head.name, f"{place}.start.classifier")
        elif chosen.start and saved.read() is None:
            # Moved before, outside inference mode: what is moved in it cannot be trained
            task.head.weight.data.copy_(_prototypes(embedder.to(device()).eval(), faces, classes))

        def write(curves: Curves, trained: Sequence[Trained]) -> None:
            steps = [*start.facts.trained, *(TrainedStep(**asdict(step)) for step in trained)]
            facts = Facts(
                presentation=presentation,
                metric=start.facts.metric,
                trained=steps,
                head=chosen.head.model_dump(),
                provenance=start.facts.provenance,
            )
            bias = getattr(task.head, "bias", None)
            model = Model(task.embedder, facts, task.head.weight, landmarks_for(presentation), bias)
            write_model(paths.pretrained(name), model)
            write_curves(paths.training_curve(KIND, name), curves)

        collections = {"auxiliary": faces}
        live = paths.live(KIND, name)
        step = Step(f"pretrain {name}", chosen.training, lambda: (collections, validation), params.seed, saved, live)
        train_in_steps(task, [step], write)


def _code(name: str) -> Settings:
    """The code that params.yaml names for this backbone."""
    return read_json(paths.code(KIND, name), "lrfr code")


@torch.inference_mode()
def _prototypes(embedder: Embedder, faces: LabelledFaces, classes: int) -> torch.Tensor:
    """The class means (C, D) of the training faces' embeddings, as the model that is started from sees them."""
    batches = validation_batches(faces, BATCH, device())
    watched = track(batches, "class means", -(-len(faces) // BATCH), "batch")
    embeddings, labels = zip(*((embedder(batch.images).cpu(), batch.labels.cpu()) for batch in watched), strict=True)
    return class_means(torch.cat(embeddings), torch.cat(labels), classes)
