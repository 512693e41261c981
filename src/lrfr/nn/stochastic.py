"""Embeddings under dropout, as SER-FIQ compares them (:mod:`lrfr.core.qualities.serfiq`)."""

from collections.abc import Iterable, Sequence

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from lrfr.core.qualities import serfiq
from lrfr.decoding import decode
from lrfr.nn.compute import as_deployed, device
from lrfr.nn.embedding import Face, input_of, known_landmarks, ready
from lrfr.nn.model_file import Model
from lrfr.nn.presentation import Presenter


def drops(model: Model) -> list[nn.Dropout]:
    """The layers of a model's backbone that drop features in training."""
    return [module for module in model.embedder.backbone.modules() if isinstance(module, nn.Dropout) and module.p > 0]


@torch.inference_mode()
def agreement(model: Model, batches: Iterable[Sequence[Face]], passes: int) -> np.ndarray:
    """SER-FIQ's quality (N,) float32 of faces, by a model that has dropout; minus infinity where a face is missing.

    The feature map is computed once and only what follows it is repeated. The draws depend on a batch's place alone.
    Faces are presented as the model wants them.
    """
    embedder, presenter = ready(model.embedder), Presenter(model.facts.presentation, model.landmarks)
    found = [np.zeros(0, np.float32)]
    for number, faces in enumerate(batches):
        block = np.full(len(faces), -np.inf, np.float32)
        there = [row for row, face in enumerate(faces) if face.image is not None]
        pictures = [decode(faces[row].image, f"face {faces[row].face_id}") for row in there]  # pyrefly: ignore
        shown, _ = presenter(pictures, known_landmarks([faces[row] for row in there]))
        if there:
            inputs = torch.cat([input_of(face, embedder) for face in shown]).to(device())
            features = embedder.feature_map(inputs)
            torch.manual_seed(number)
            with as_deployed(embedder):
                for layer in drops(model):
                    layer.train()
                made = [F.normalize(embedder.embedding_of(features)) for _ in range(passes)]
            block[there] = serfiq.quality(torch.stack(made, dim=1).cpu().numpy())
        found.append(block)
    return np.concatenate(found)
