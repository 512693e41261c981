"""A network of a release, run by ONNX Runtime on the processor."""

from pathlib import Path
from typing import Any

import numpy as np

from lrfr.core.resampling import to_input
from lrfr.errors import ReleaseError
from lrfr.parallel import cores

BATCH = 64


class Network:
    """An ONNX graph that takes images (B, 3, H, W) of one size.

    Args:
        path: of the file.

    Raises:
        ReleaseError: it is not there, or nothing that ONNX Runtime can run on such images.
    """

    def __init__(self, path: Path) -> None:
        self._session = _session(path)
        (images,) = self._session.get_inputs()[:1]
        self._name, shape = images.name, images.shape
        if len(shape) != 4 or not all(isinstance(side, int) for side in shape[2:]):
            raise _unfit(path, f"it takes '{images.name}' {shape}, no images of one size")
        self.size: tuple[int, int] = (shape[2], shape[3])
        self.outputs = [output.name for output in self._session.get_outputs()]
        self.told: dict[str, str] = self._session.get_modelmeta().custom_metadata_map

    def __call__(self, images: list[np.ndarray], interpolation: str = "bilinear") -> dict[str, np.ndarray]:
        """What the network gives for images (H, W, 3), RGB, uint8, of any size, by the name of the output."""
        parts = []
        for start in range(0, len(images), BATCH):
            batch = [to_input(image, *self.size, interpolation) for image in images[start : start + BATCH]]
            parts.append(self._session.run(self.outputs, {self._name: np.stack(batch)}))
        return {
            name: np.concatenate(values) for name, values in zip(self.outputs, zip(*parts, strict=True), strict=True)
        }


def _session(path: Path) -> Any:
    import onnxruntime

    if not path.is_file():
        raise ReleaseError("a part of the release is missing", where=path, remedy="get the release again: lrfr pull")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = cores()
    options.log_severity_level = 4
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime has a class of its own for each way to fail
        raise _unfit(path, str(error).strip().partition("\n")[0]) from error


def _unfit(path: Path, what: str) -> ReleaseError:
    return ReleaseError(f"ONNX Runtime cannot run it: {what}", where=path, remedy="get the release again: lrfr pull")
