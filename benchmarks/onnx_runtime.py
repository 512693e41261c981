"""ONNX Runtime against eager PyTorch on a processor, the same networks and images in one run, and how far they differ.

    python benchmarks/onnx_runtime.py

prints a Markdown table. Both take turns; medians count. Eager is what lrfr does: evaluation mode, inference mode,
channels last. Weights are random; the normalisations' statistics are those of random images, as otherwise activations
grow without bound.
"""

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from torch.nn.modules.batchnorm import _BatchNorm

from lrfr.nn.embedder import Architecture, Embedder
from lrfr.nn.model_file import Model
from lrfr.nn.onnx_file import export_onnx

NETWORKS = {
    "IR-18, half the channels, 48 px (the default pipeline's)": Architecture(
        backbone="lrfr_ir18", width=0.5, embedding_dim=256, input_size=48, dropout=0.2
    ),
    "IR-50, 112 px (as published)": Architecture(
        backbone="lrfr_ir50", width=1.0, embedding_dim=512, input_size=112, dropout=0.2
    ),
}
BATCHES, THREADS = (1, 32), (1, 2)
TURNS, SECONDS = 7, 1.0  # what is timed runs for about so long


def main() -> None:
    """Measures and prints the table."""
    print("| network | threads | batch | eager | ONNX Runtime | of eager's rate | largest difference, of the length |")
    print("|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for name, architecture in NETWORKS.items():
            embedder, path = _network(architecture), Path(folder) / "model.onnx"
            export_onnx(Model(embedder), path, {})
            for threads in THREADS:
                for batch in BATCHES:
                    print(f"| {name} | {threads} | {batch} | {_compare(embedder, path, threads, batch)} |", flush=True)


def _network(architecture: Architecture) -> Embedder:
    torch.manual_seed(0)
    embedder = Embedder(architecture)
    for module in embedder.modules():
        if isinstance(module, _BatchNorm):
            module.momentum = 1.0
    with torch.inference_mode():
        embedder.train()(torch.rand(16, 3, *architecture.size))
    return embedder.to(memory_format=torch.channels_last).eval()  # pyrefly: ignore


def _compare(embedder: Embedder, path: Path, threads: int, batch: int) -> str:
    """Both rates, their ratio and the parity, as cells."""
    torch.set_num_threads(threads)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    images = np.random.default_rng(batch).random((batch, 3, *embedder.architecture.size), dtype=np.float32)
    tensor = torch.from_numpy(images)
    with torch.inference_mode():
        ways: tuple[Callable[[], np.ndarray], ...] = (
            lambda: embedder(tensor).numpy(),
            lambda: session.run(None, {"images": images})[0],
        )
        ours, theirs = (way() for way in ways)
        repeats = [max(1, round(SECONDS / TURNS / _seconds(way, 3))) for way in ways]
        times = [[_seconds(way, count) for way, count in zip(ways, repeats, strict=True)] for _ in range(TURNS)]
    eager, runtime = (batch / statistics.median(column) for column in zip(*times, strict=True))
    difference = (np.abs(ours - theirs).max(axis=1) / np.linalg.norm(ours, axis=1)).max()
    return f"{eager:,.0f} images/s | {runtime:,.0f} images/s | {runtime / eager:.2f} | {difference:.1e}"


def _seconds(way: Callable[[], np.ndarray], count: int) -> float:
    start = time.perf_counter()
    for _ in range(count):
        way()
    return (time.perf_counter() - start) / count


if __name__ == "__main__":
    main()
