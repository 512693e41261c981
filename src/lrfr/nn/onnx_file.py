"""Models as ONNX, checked against the network that they came from."""

import warnings
from pathlib import Path

import numpy as np
import torch

from lrfr.files import atomic_path
from lrfr.nn.backbones import Embedder


def export_onnx(embedder: Embedder, path: Path) -> float:
    """Writes an embedder as ONNX: input ``images`` (B, 3, S, S) RGB 0..1, output ``embeddings`` (B, D).

    Returns:
        The largest absolute difference between ONNX Runtime's and torch's embeddings of the same random images.
    """
    side = embedder.architecture.input_size
    images = torch.rand(4, 3, side, side, generator=torch.Generator().manual_seed(0))
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
        return float(np.abs(_run_onnx(temporary, images.numpy()) - embedder(images).numpy()).max())


def _run_onnx(path: Path, images: np.ndarray) -> np.ndarray:
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return np.asarray(session.run(None, {"images": images})[0])
