"""Models as ONNX, checked against the network that they came from."""

import io
import json
import warnings
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from torch import nn

from lrfr.files import atomic_path
from lrfr.nn.embedder import Architecture, Embedder
from lrfr.nn.model_file import Facts, Model

INPUT, OUTPUT, QUALITY = "images", "embeddings", "quality"
CHECKED = (4, 1)  # batch sizes that are compared; the first is traced
RESIZED = {"bilinear": "bilinear, antialiased", "bicubic": "bicubic (a = -0.5), antialiased, cut off at 0 and 1"}


def export_onnx(model: Model, path: Path, provenance: Mapping[str, object]) -> float:
    """Writes an embedder as ONNX: input ``images`` (B, 3, H, W) RGB 0..1, output ``embeddings`` (B, D), any B; and
    ``quality`` (B,) of a model that predicts it.

    H and W are the network's own size. Super-resolution, colour order and normalisation are in the graph; resizing is
    not, nor is alignment. The file's ``metadata_props`` say all of that, and have the ``architecture``, the model's
    ``facts`` and the ``provenance`` as JSON. Equal models give equal bytes.

    Args:
        model: its embedder is on the processor, in evaluation mode.
        path: where to.
        provenance: where the weights come from and what their licence is.

    Returns:
        The largest absolute difference between what ONNX Runtime and torch give for the same random images.
    """
    import onnx

    embedder = model.embedder
    graph = onnx.load_from_string(_traced(embedder))
    told = {"facts": _json(model.facts.model_dump()), "provenance": _json(provenance)}
    onnx.helper.set_model_props(graph, _contract(embedder.architecture, model.facts) | told)
    onnx.checker.check_model(graph)
    with atomic_path(path) as temporary:
        temporary.write_bytes(graph.SerializeToString(deterministic=True))
        return max(_difference(embedder, temporary, count) for count in CHECKED)


def _contract(architecture: Architecture, facts: Facts) -> dict[str, str]:
    """What a user has to know, in the file itself."""
    height, width = architecture.size
    resized = RESIZED[architecture.preprocessing.interpolation]
    return {
        "input": f"RGB faces (B, 3, height, width), float32, values 0..1; resize them {resized}. Colour order and "
        "normalisation of the network are inside, and super-resolution if it has any.",
        "presentation": facts.presentation,
        "metric": facts.metric,
        "colour": "RGB",
        "range": "0..1",
        "output": "(B, D), float32, not of unit length",
        **({"quality": f"(B,), float32, the higher the better: {facts.quality}"} if architecture.quality else {}),
        "height": str(height),
        "width": str(width),
        "architecture": _json(architecture.model_dump()),
    }


def _json(told: Mapping[str, object]) -> str:
    return json.dumps(told, sort_keys=True)


def _traced(embedder: Embedder) -> bytes:
    graph = io.BytesIO()
    with torch.inference_mode(), warnings.catch_warnings():
        # That it is the old exporter (the new one's files differ from run to run), and that a size which is fixed is
        # taken for a constant; whether the graph is right is measured.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            _whole(embedder),
            (_images(embedder, CHECKED[0]),),
            graph,  # pyrefly: ignore - a file in memory will do
            dynamo=False,
            input_names=[INPUT],
            output_names=_outputs(embedder),
            dynamic_axes={name: {0: "batch"} for name in (INPUT, *_outputs(embedder))},
        )
    return graph.getvalue()


class _WithQuality(nn.Module):
    """An embedder whose call gives the quality too."""

    def __init__(self, embedder: Embedder) -> None:
        super().__init__()
        self.embedder = embedder

    def forward(self, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor | None]:
        return self.embedder.assess(images)


def _whole(embedder: Embedder) -> nn.Module:
    """What gives all that the file is to give, in the order of :func:`_outputs`."""
    return embedder if embedder.quality is None else _WithQuality(embedder).eval()


def _outputs(embedder: Embedder) -> list[str]:
    return [OUTPUT] if embedder.quality is None else [OUTPUT, QUALITY]


def _images(embedder: Embedder, count: int) -> torch.Tensor:
    """Random images (count, 3, H, W), always the same."""
    return torch.rand((count, 3, *embedder.architecture.size), generator=torch.Generator().manual_seed(0))


@torch.inference_mode()
def _difference(embedder: Embedder, path: Path, count: int) -> float:
    import onnxruntime

    images = _images(embedder, count)
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    made = _whole(embedder)(images)
    ours = made if isinstance(made, tuple) else (made,)
    theirs = session.run(_outputs(embedder), {INPUT: images.numpy()})
    return max(float(np.abs(one.numpy() - np.asarray(other)).max()) for one, other in zip(ours, theirs, strict=True))
