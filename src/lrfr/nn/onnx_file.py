"""Models as ONNX, checked against the network that they came from."""

import warnings
from pathlib import Path

import numpy as np
import torch

from lrfr.errors import TrainingError
from lrfr.files import atomic_path
from lrfr.nn.backbones import Embedder
from lrfr.nn.compute import make_deterministic

TOLERANCE = 1e-4


def export_onnx(embedder: Embedder, path: Path) -> float:
    """Writes an embedder as ONNX: input ``images`` (B, 3, S, S) RGB 0..1, output ``embeddings`` (B, D).

    Returns:
        The largest absolute difference between ONNX Runtime's and torch's embeddings of the same random images.

    Raises:
        TrainingError: the difference is more than ``TOLERANCE``.
    """
    make_deterministic(0)
    side = embedder.architecture.input_size
    images = torch.rand(4, 3, side, side)
    with atomic_path(path) as temporary, torch.inference_mode(), warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # the other exporter's files differ from run to run
        warnings.simplefilter("ignore", torch.jit.TracerWarning)  # the size is fixed, so its check may be constant
        torch.onnx.export(
            embedder,
            (images,),
            str(temporary),
            dynamo=False,
            input_names=["images"],
            output_names=["embeddings"],
            dynamic_axes={"images": {0: "batch"}, "embeddings": {0: "batch"}},
        )
        difference = float(np.abs(_run_onnx(temporary, images.numpy()) - embedder(images).numpy()).max())
        if difference > TOLERANCE:
            raise TrainingError(f"the ONNX model differs from the trained one by {difference:.2g}", where=path)
    return difference


def _run_onnx(path: Path, images: np.ndarray) -> np.ndarray:
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return np.asarray(session.run(None, {"images": images})[0])
