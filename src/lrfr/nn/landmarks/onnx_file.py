"""The landmark network as ONNX, checked against the network that it came from."""

import io
import warnings
from pathlib import Path

import numpy as np
import torch

from lrfr.files import atomic_path
from lrfr.nn.landmarks.network import CNN6, POINTS, SIDE

INPUT, OUTPUT = "images", "points"
CHECKED = (4, 1)  # batch sizes that are compared; the first is traced
CONTRACT = {
    "input": f"RGB faces (B, 3, {SIDE}, {SIDE}), float32, values 0..1; resize them bilinear, antialiased",
    "output": f"(B, {2 * POINTS}), float32: x, y of eyes, nose and mouth corners, px of these {SIDE} x {SIDE} px; "
    "a pixel's centre lies at .5",
}


def export_landmarks(network: CNN6, path: Path) -> float:
    """Writes the network: input ``images`` (B, 3, 64, 64) RGB 0..1, output ``points`` (B, 10), px of them, any B.

    Equal networks give equal bytes.

    Returns:
        As :func:`difference`.
    """
    import onnx

    network = network.cpu().to(memory_format=torch.contiguous_format).eval()  # pyrefly: ignore
    graph = onnx.load_from_string(_traced(network))
    onnx.helper.set_model_props(graph, CONTRACT)
    onnx.checker.check_model(graph)
    with atomic_path(path) as temporary:
        temporary.write_bytes(graph.SerializeToString(deterministic=True))
        return difference(network, temporary)


@torch.inference_mode()
def difference(network: CNN6, path: Path) -> float:
    """The largest difference between ONNX Runtime's and torch's points of the same random images, px of 64."""
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    network = network.cpu()
    found = []
    for images in map(_images, CHECKED):
        theirs = np.asarray(session.run([OUTPUT], {INPUT: images.numpy()})[0])
        found.append(float(np.abs(network(images).numpy() - theirs).max()))
    return max(found)


def _traced(network: CNN6) -> bytes:
    graph = io.BytesIO()
    with torch.inference_mode(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that it is the old exporter; the new one's files differ from run to run
        torch.onnx.export(
            network,
            (_images(CHECKED[0]),),
            graph,  # pyrefly: ignore - a file in memory will do
            dynamo=False,
            input_names=[INPUT],
            output_names=[OUTPUT],
            dynamic_axes={INPUT: {0: "batch"}, OUTPUT: {0: "batch"}},
        )
    return graph.getvalue()


def _images(count: int) -> torch.Tensor:
    """Random images (count, 3, 64, 64), always the same."""
    return torch.rand((count, 3, SIDE, SIDE), generator=torch.Generator().manual_seed(0))
