"""Somebody's recogniser in an ONNX file, as a model of ours.

ONNX Runtime runs the graph, on the processor. How images are fed to it is in no field of the format: a release of lrfr
says so in its metadata, insightface's files are known by their names, and of any other the user says it.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import nn

from lrfr.config import settings
from lrfr.core.alignment import AS_CROPPED, TEMPLATES
from lrfr.errors import CheckpointError, ParameterError, unknown_name
from lrfr.files import parse_json
from lrfr.nn.embedder import SMALLEST_SIDE, Architecture, Embedder
from lrfr.nn.model_file import Facts, Model, sha256_of
from lrfr.nn.onnx_file import QUALITY
from lrfr.nn.published.conversion import Asked, preprocessing
from lrfr.nn.published.publication import Publication

SUFFIX = ".onnx"
# The standard operators, and those that ONNX Runtime itself has beside them
OPERATORS = {"", "ai.onnx", "ai.onnx.ml", "com.microsoft"}
PROBED = (2, 1)  # images; a graph whose batch is fixed takes them one by one

NOTHING = re.compile("(?!)")
UNKNOWN = Publication("the file does not say it", (), (), NOTHING, None, None, None)
INSIGHTFACE = Publication(
    source="insightface, model_zoo/arcface_onnx.py: OpenCV's BGR is turned into RGB; (v - 127.5) / 127.5",
    layouts=(),
    prefixes=(),
    beside=NOTHING,
    colour="RGB",
    mean=[0.5, 0.5, 0.5],
    std=[0.5, 0.5, 0.5],
    presentation="arcface_112",
)

# buffalo_l and buffalo_m, buffalo_s and buffalo_sc, antelopev2
KNOWN = {name: INSIGHTFACE for name in ("w600k_r50.onnx", "w600k_mbf.onnx", "glintr100.onnx")}


class OnnxRecogniser(NamedTuple):
    """A recogniser that was read.

    Attributes:
        model: its embedder runs the graph; it has no landmark network.
        sha256: of all that it consists of.
    """

    model: Model
    sha256: str


class OnnxNetwork(nn.Module):
    """An ONNX graph in a backbone's place: normalised images (B, 3, H, W) to embeddings (B, D)."""

    def __init__(self, session: Any, one_by_one: bool = False) -> None:
        super().__init__()
        self._session, self.one_by_one, self.output = session, one_by_one, ""
        self.predicts_quality = False

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Normalised images (B, 3, H, W) to embeddings (B, D)."""
        return self.assess(images)[0]

    def assess(self, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor | None]:
        """Normalised images (B, 3, H, W) to embeddings (B, D), and to the quality (B,) where the graph gives it."""
        given = [self.run(part) for part in (images.split(1) if self.one_by_one else [images])]
        embedding = torch.cat([one[self.output] for one in given]).to(images.device)
        if not self.predicts_quality:
            return embedding, None
        return embedding, torch.cat([one[QUALITY].flatten() for one in given]).to(images.device)

    def run(self, images: torch.Tensor) -> dict[str, torch.Tensor]:
        """All that the graph gives for images (B, 3, H, W), by name."""
        fed = np.ascontiguousarray(images.cpu().numpy())
        names = _outputs(self._session)
        given = self._session.run(names, {self._session.get_inputs()[0].name: fed})
        return {name: torch.from_numpy(np.asarray(value)) for name, value in zip(names, given, strict=True)}


def read_onnx(path: Path, asked: Asked, presentation: str | None = None) -> OnnxRecogniser:
    """Reads a recogniser.

    Args:
        path: the file; its data may lie in other files of the same folder.
        asked: colour, mean and standard deviation, as far as the user says them.
        presentation: how faces are presented, if the user says so; else as its publisher does, else as cropped.

    Raises:
        CheckpointError: no ONNX file, one that cannot be run here, or one that is no recogniser.
        ParameterError: what is asked contradicts the publisher, or leaves open what is not known.
    """
    if presentation is not None and presentation not in (AS_CROPPED, *TEMPLATES):
        raise unknown_name("presentation", presentation, [AS_CROPPED, *TEMPLATES])
    graph = _graph(path)
    files = [path, *_data_files(graph, path)]
    _refuse_foreign_operators(graph, path)
    publication, interpolation, facts = _publication(graph, path)
    fed = preprocessing(publication, asked).model_copy(update={"interpolation": interpolation})
    session = _session(path)
    network = OnnxNetwork(session)
    size = _size(session, path)
    architecture = Architecture(
        backbone=path.name,
        embedding_dim=_probe(network, session, size, path),
        input_size=list(size),
        dropout=0.0,
        preprocessing=fed,
    )
    network.predicts_quality = facts.quality is not None and QUALITY in _outputs(session)
    presentation = presentation or publication.presentation
    facts = facts.model_copy(update={"presentation": presentation, "metric": publication.metric})
    hashes = [sha256_of(file) for file in files]
    whole = hashes[0] if len(hashes) == 1 else hashlib.sha256("\n".join(hashes).encode()).hexdigest()
    return OnnxRecogniser(Model(Embedder(architecture, network).eval(), facts), whole)


def _graph(path: Path) -> Any:
    import onnx

    try:
        graph = onnx.load(path, load_external_data=False)
    except Exception as error:  # a damaged file fails in any way
        raise _no_recogniser(f"not an ONNX file: {_first_line(error)}", path, "download it again") from error
    if not graph.graph.node:
        raise _no_recogniser("not an ONNX file, or an empty one", path, "download it again")
    return graph


def _data_files(model: Any, path: Path) -> list[Path]:
    """The files beside it that hold a part of its weights.

    Raises:
        CheckpointError: one lies elsewhere, or is not there.
    """
    from onnx.external_data_helper import ExternalDataInfo, uses_external_data

    locations = {ExternalDataInfo(tensor).location for tensor in _tensors(model) if uses_external_data(tensor)}
    folder = path.resolve().parent
    files = []
    for location in sorted(locations):
        file = (folder / location).resolve()
        if not file.is_relative_to(folder):
            what = f"its weights are to be read from outside of its folder: {location}"
            raise _no_recogniser(what, path, "put the file with the weights beside it, and export it anew")
        if not file.is_file():
            raise _no_recogniser(f"the file with its weights is missing: {location}", path, "put it beside the graph")
        files.append(file)
    return files


def _nodes(model: Any) -> Iterator[Any]:
    """Every node of a model, those of its functions and of the graphs inside nodes too."""
    waiting = [model.graph.node, *(function.node for function in model.functions)]
    while waiting:
        for node in waiting.pop():
            yield node
            for attribute in node.attribute:
                waiting += [graph.node for graph in (attribute.g, *attribute.graphs)]


def _graphs(model: Any) -> Iterator[Any]:
    yield model.graph
    for node in _nodes(model):
        for attribute in node.attribute:
            yield from (attribute.g, *attribute.graphs)


def _tensors(model: Any) -> Iterator[Any]:
    """Every tensor of a model."""
    for graph in _graphs(model):
        yield from graph.initializer
        for sparse in graph.sparse_initializer:
            yield from (sparse.values, sparse.indices)
    for node in _nodes(model):
        for attribute in node.attribute:
            yield from (attribute.t, *attribute.tensors)
            for sparse in (attribute.sparse_tensor, *attribute.sparse_tensors):
                yield from (sparse.values, sparse.indices)


def _refuse_foreign_operators(model: Any, path: Path) -> None:
    own = {function.domain for function in model.functions}
    foreign = sorted({f"{node.domain}.{node.op_type}" for node in _nodes(model) if node.domain not in OPERATORS | own})
    if foreign:
        what = f"it asks for operators of somebody's own library: {', '.join(foreign[:5])}"
        raise _no_recogniser(what, path, "export it with ONNX's standard operators; libraries are not loaded")


def _publication(model: Any, path: Path) -> tuple[Publication, str, Facts]:
    """What is known of how images are fed to it: how it is published, how they are resized, and its facts."""
    told = {entry.key: entry.value for entry in model.metadata_props}
    if not {"architecture", "facts"} <= told.keys():
        return KNOWN.get(path.name, UNKNOWN), "bilinear", Facts()
    try:
        described, known = (parse_json(told[name]) for name in ("architecture", "facts"))
        architecture = settings(described, Architecture, f"{path}: architecture")
        facts = settings(known, Facts, f"{path}: facts")
    except (ValueError, TypeError, ParameterError) as error:
        what = f"its metadata are not those of a release of lrfr: {_first_line(error)}"
        raise _no_recogniser(what, path, "get the release again") from error
    made_here = Publication(
        source="the file's metadata: a release of lrfr, whose graph normalises RGB images of values 0..1 itself",
        layouts=(),
        prefixes=(),
        beside=NOTHING,
        colour="RGB",
        mean=[0.0, 0.0, 0.0],
        std=[1.0, 1.0, 1.0],
        presentation=facts.presentation,
        metric=facts.metric,
    )
    return made_here, architecture.preprocessing.interpolation, facts


def _session(path: Path) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    options.log_severity_level = 4
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime has a class of its own for each way to fail
        what = f"ONNX Runtime cannot run it: {_first_line(error)}"
        raise _no_recogniser(what, path, "export it again, for a version of ONNX that it knows") from error


def _outputs(session: Any) -> list[str]:
    return [output.name for output in session.get_outputs()]


def _size(session: Any, path: Path) -> tuple[int, int]:
    """Height and width of its images, px.

    Raises:
        CheckpointError: it does not take RGB images of one size.
    """
    inputs = session.get_inputs()
    told = "; ".join(f"'{one.name}' {_shape(one.shape)} {one.type}" for one in inputs)
    if len(inputs) != 1 or inputs[0].type != "tensor(float)" or len(inputs[0].shape) != 4 or inputs[0].shape[1] != 3:
        what = f"it takes {told}; a recogniser takes one tensor (N, 3, height, width), float32"
        raise _no_recogniser(what, path, "export the network for images in this layout")
    height, width = inputs[0].shape[2:]
    if not isinstance(height, int) or not isinstance(width, int):
        what = f"it takes {told}: the height and width of its images are left open"
        raise _no_recogniser(what, path, "export it with both fixed; only the number of images may be open")
    if min(height, width) < SMALLEST_SIDE:
        raise _no_recogniser(f"it takes {told}: no faces", path, f"give a network for {SMALLEST_SIDE} px and more")
    return height, width


def _probe(network: OnnxNetwork, session: Any, size: tuple[int, int], path: Path) -> int:
    """Tries the graph with images: says which output is the embedding, and its D.

    Raises:
        CheckpointError: it fails, or none or several of its outputs may be embeddings.
    """
    batch, failed = session.get_inputs()[0].shape[0], ""
    for count in PROBED if not isinstance(batch, int) else (batch,):
        try:
            given = network.run(torch.rand((count, 3, *size), generator=torch.Generator().manual_seed(0)))
        except Exception as error:
            failed = _first_line(error)
            continue
        found = [name for name, value in given.items() if _is_embedding(value, count)]
        if len(found) == 1 and count in PROBED:
            network.output, network.one_by_one = found[0], count == 1
            return given[found[0]].shape[1]
        outputs = "; ".join(f"'{name}' {_shape(value.shape)}" for name, value in given.items())
        failed = f"for {count} images it gives {outputs}"
    what = f"it does not give one embedding (N, D), float32, for each image: {failed}"
    raise _no_recogniser(what, path, "export the recogniser alone, with its embedding as the one output of this shape")


def _is_embedding(value: torch.Tensor, count: int) -> bool:
    return value.dtype == torch.float32 and value.ndim == 2 and len(value) == count and value.shape[1] > 1


def _shape(shape: Iterable[object]) -> str:
    return f"({', '.join('?' if side is None else str(side) for side in shape)})"


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0] or type(error).__name__


def _no_recogniser(what: str, path: Path, remedy: str) -> CheckpointError:
    return CheckpointError(what, where=path, remedy=remedy)
