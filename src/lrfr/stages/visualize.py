"""visualize: some faces, what every super-resolution network makes of them (CSRI, Fig. 8), and where models look (RI,
Fig. 5)."""

import hashlib
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import torch

from lrfr import paths
from lrfr.config import Params, read_params
from lrfr.core.resampling import bicubic, bicubic_to_height
from lrfr.errors import BenchmarkError
from lrfr.faces import FACE_SCHEMA, encode_png, face_id, read_faces, write_faces
from lrfr.images import Images
from lrfr.nn.activation_maps import activation_map, overlaid
from lrfr.nn.compute import make_deterministic
from lrfr.nn.embedding import input_of
from lrfr.nn.model_file import Model, read_model
from lrfr.nn.networks.face_network import PARTS
from lrfr.nn.presentation import Presenter
from lrfr.nn.super_resolution.resolver import read_resolver
from lrfr.progress import track

NATIVE, SHARP = 8, 4  # faces shown of either kind


class Example(NamedTuple):
    """A tiny face (H, W, 3), uint8, the row of the table that it comes from, and the sharp original that it was."""

    row: dict[str, Any]
    captured: np.ndarray
    original: np.ndarray | None = None


class Network(NamedTuple):
    """What enlarges faces: RGB (1, 3, H, W), values 0..1, to (1, 3, h, w); ``kind`` is network or method."""

    name: str
    kind: str
    size: tuple[int, int]
    enlarge: Callable[[torch.Tensor], torch.Tensor]


def run() -> None:
    """Writes data/examples/super_resolved.parquet: native probe faces, and sharp portraits shrunk to their heights.

    A row for each face and network: ``source`` says which network or method made it, or that it is ``captured``,
    ``bicubic`` (enlarged without a network) or the ``original``; the attributes say of what ``kind`` the source is,
    which ``face`` it shows, and whether that one is ``native`` or ``sharp`` (``shown``). No row where there is no
    network.

    And data/examples/activations.parquet: class activation maps of native probe faces by every run, ``source``, which
    has a feature map, where any run predicts a quality; else the table is empty.

    Raises:
        TrainingError: a model is missing or is not one of ours.
        BenchmarkError, FaceTableError, ImageError: a face table is missing, has no probe, or cannot be read.
    """
    params = read_params()
    make_deterministic(params.seed, params.threads)
    networks = _networks(params)
    rows = _super_resolved(networks, params.seed) if networks else []
    write_faces(pa.Table.from_pylist(rows, FACE_SCHEMA), paths.EXAMPLES)
    models = {name: read_model(paths.model(name)) for name in params.methods}
    wanted = any(model.facts.quality is not None for model in models.values())
    maps = _activations(models, params.seed) if wanted else []
    write_faces(pa.Table.from_pylist(maps, FACE_SCHEMA), paths.ACTIVATIONS)


def _super_resolved(networks: list[Network], seed: int) -> list[dict[str, Any]]:
    """The versions of native probe faces, and of sharp portraits shrunk to the heights of some of them."""
    native = _native(seed)
    sharp = _sharp(seed, [example.captured.shape[0] for example in native[1::2]])
    rows = []
    for shown, examples in (("native", native), ("sharp", sharp)):
        for example in track(examples, f"visualize {shown} faces", unit="face"):
            rows += _versions(example, shown, networks)
    return rows


def _activations(models: Mapping[str, Model], seed: int) -> list[dict[str, Any]]:
    """The maps of each probe face, likened to a gallery face of its person, and the face as it was presented."""
    rows = []
    for example, mate in track(_with_mates(seed), "activation maps", unit="face"):
        for name, model in models.items():
            embedder, presenter = model.embedder, Presenter(model.facts.presentation, model.landmarks)
            if not all(hasattr(embedder.backbone, part) for part in PARTS):
                continue
            (face, other), _ = presenter([example.captured, mate], None)
            image = input_of(face, embedder)
            with torch.no_grad():
                reference = embedder(input_of(other, embedder))[0]
            seen = np.ascontiguousarray(image[0].permute(1, 2, 0).mul(255).round().to(torch.uint8).numpy())
            made = overlaid(seen, activation_map(embedder, image, reference))
            rows.append(_row(example.row, "native", name, "activation", made))
    return rows


def _with_mates(seed: int) -> list[tuple[Example, np.ndarray]]:
    """Some probe faces, each with a gallery face of its person."""
    table = read_faces(paths.BENCHMARK, ["face_id", "identity", "split"]).sort_by("face_id")
    gallery = table.filter(pc.field("split") == "gallery").to_pylist()
    mates = {row["identity"]: row["face_id"] for row in gallery[::-1]}
    examples = [example for example in _native(seed) if example.row["identity"] in mates]
    found = _read(paths.BENCHMARK, [mates[example.row["identity"]] for example in examples])
    return [(example, image) for example, (_, image) in zip(examples, found, strict=True)]


def _networks(params: Params) -> list[Network]:
    """The networks that were trained alone, then those inside the models of the runs."""
    found = []
    for name in params.super_resolution:
        resolver = read_resolver(paths.super_resolver(name))
        found.append(Network(name, "network", resolver.size, resolver))
    for name in params.methods:
        embedder = read_model(paths.model(name)).embedder
        if embedder.architecture.super_resolution is not None:
            found.append(Network(name, "method", embedder.architecture.size, embedder.super_resolve))
    return found


def _native(seed: int) -> list[Example]:
    """Probe faces of the benchmark: sorted by height, one drawn from each of ``NATIVE`` equal parts."""
    table = read_faces(paths.BENCHMARK, ["face_id", "height", "split"])
    probes = table.filter(pc.field("split") == "probe").sort_by([("height", "ascending"), ("face_id", "ascending")])
    ids = probes["face_id"].to_pylist()
    if not ids:
        raise BenchmarkError("the benchmark has no probe face to show", where=paths.BENCHMARK, remedy="lrfr split")
    parts = np.array_split(np.array(ids), min(NATIVE, len(ids)))
    chosen = [min(part.tolist(), key=partial(_draw, seed)) for part in parts]
    return [Example(row, image) for row, image in _read(paths.BENCHMARK, chosen)]


def _sharp(seed: int, heights: list[int]) -> list[Example]:
    """Validation portraits, or others where there are none, of different people, shrunk to these heights, px."""
    table = read_faces(paths.AUXILIARY, ["face_id", "identity", "split"]).sort_by("face_id")
    validation = table.filter(pc.field("split") == "validation")
    one_each = {row["identity"]: row["face_id"] for row in (validation if len(validation) else table).to_pylist()}
    chosen = sorted(one_each.values(), key=partial(_draw, seed))[:SHARP]
    return [
        Example(row, bicubic_to_height(original, min(height, len(original))), original)
        for (row, original), height in zip(_read(paths.AUXILIARY, chosen), heights, strict=False)
    ]


def _versions(example: Example, shown: str, networks: list[Network]) -> list[dict[str, Any]]:
    """A face's rows: as captured, enlarged by bicubic interpolation and by each network, and the original if known."""
    largest = max(network.size for network in networks)
    made = [("captured", "", example.captured), ("bicubic", "", bicubic(example.captured, *largest))]
    made += [(network.name, network.kind, _enlarged(example.captured, network)) for network in networks]
    made += [("original", "", example.original)] if example.original is not None else []
    return [_row(example.row, shown, *version) for version in made]


@torch.inference_mode()
def _enlarged(image: np.ndarray, network: Network) -> np.ndarray:
    """On the processor: a dozen faces are quickly done, and look the same on every machine."""
    planes = torch.from_numpy(np.ascontiguousarray(image.transpose(2, 0, 1))[None]).float() / 255
    pixels = network.enlarge(planes)[0].clamp(0, 1).mul(255).round()
    return pixels.to(torch.uint8).permute(1, 2, 0).numpy()


def _row(face: dict[str, Any], shown: str, source: str, kind: str, image: np.ndarray) -> dict[str, Any]:
    known = {name: face[name] for name in ("identity", "split")}
    attributes = {"face": face["face_id"], "shown": shown, "kind": kind}
    return dict.fromkeys(FACE_SCHEMA.names) | known | {
        "face_id": face_id(image, f"{shown}:{kind}:{source}:{face['face_id']}"),
        "source": source,
        "image": encode_png(image),
        "width": image.shape[1],
        "height": image.shape[0],
        "attributes": attributes,
    }  # fmt: skip


def _read(path: Path, ids: list[str]) -> list[tuple[dict[str, Any], np.ndarray]]:
    """These rows of a face table in this order, each with its image; others are not held in memory."""
    table = read_faces(path, ["face_id", "identity", "split"])
    chosen = pc.index_in(pa.array(ids, pa.string()), value_set=table["face_id"]).to_numpy()
    images = Images(path, chosen)
    return [(row, images.decoded(place)) for place, row in enumerate(table.take(chosen).to_pylist())]


def _draw(seed: int, key: str) -> str:
    """A draw that depends on the seed and the face alone, not on the rows beside it."""
    return hashlib.sha256(f"{seed}\n{key}".encode()).hexdigest()
