"""import-backbone: a backbone that others published becomes a model to start from."""

import re
from pathlib import Path

from lrfr import paths
from lrfr.errors import CheckpointError, ParameterError
from lrfr.nn.model_file import FILE, Facts, Model, read_facts, sha256_of, write_model
from lrfr.nn.networks import NETWORKS
from lrfr.nn.published.conversion import PUBLICATIONS, Asked, Converted, convert, three_numbers
from lrfr.nn.published.dlib_resnet import is_dlib_network, read_dlib_resnet
from lrfr.nn.published.packaged import PACKAGED, locate
from lrfr.nn.published.reading import Tensors, read_tensors
from lrfr.nn.published.timm_models import convert_timm

Provenance = dict[str, object]

FORMATS = (*PUBLICATIONS, "timm")


def run(
    file: Path,
    *,
    name: str | None = None,
    format: str | None = None,
    architecture: str | None = None,
    colour: str | None = None,
    mean: str | None = None,
    std: str | None = None,
    embedding_dim: int | None = None,
    input_size: int | None = None,
    licence: str | None = None,
) -> None:
    """Writes imported/<name>/model.safetensors, and prints the lines that make it a starting point.

    Raises:
        CheckpointError: the file cannot be taken over.
        ParameterError: an option is wrong, contradicts the publisher, or is missing.
    """
    if format not in (None, *FORMATS):
        raise ParameterError(f"unknown format '{format}'", remedy=f"known: {', '.join(FORMATS)}")
    asked = Asked(
        format=format,
        architecture=architecture,
        colour=colour,
        mean=three_numbers("mean", mean),
        std=three_numbers("std", std),
        embedding_dim=embedding_dim,
        input_size=input_size,
    )
    packaged = None if file.exists() else PACKAGED.get(str(file))
    name = name or re.sub(r"[^A-Za-z0-9_.-]+", "_", file.stem)
    file = locate(packaged) if packaged else file
    tensors = read_dlib_resnet(file) if is_dlib_network(file) else read_tensors(file)
    folder = paths.IMPORTED / _name(name)
    try:
        converted = _converted(tensors, asked)
    except CheckpointError as error:
        raise CheckpointError(str(error), where=file) from error
    provenance: Provenance = {
        "file": file.name,
        "sha256": sha256_of(file),
        "format": converted.format,
        "preprocessing_by": converted.source,
        "licence": licence or (packaged.licence if packaged else "unknown"),
        "parameters": sum(value.numel() for value in converted.embedder.parameters()),
        "left_out": converted.left_out,
    }
    _write(folder, converted, provenance)
    _tell(folder, converted, provenance)


def _converted(tensors: Tensors, asked: Asked) -> Converted:
    of_timm = asked.format is None and asked.architecture is not None and asked.architecture not in NETWORKS
    return convert_timm(tensors, asked) if of_timm or asked.format == "timm" else convert(tensors, asked)


def _name(name: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]*", name):
        raise ParameterError(f"'{name}' cannot be a folder's name", remedy="--name with letters, digits, _, . and -")
    return name


def _write(folder: Path, converted: Converted, provenance: Provenance) -> None:
    """Writes the model, unless that of another file has its name."""
    if (folder / FILE).is_file() and (read_facts(folder).provenance or {}).get("sha256") != provenance["sha256"]:
        raise ParameterError("another file was imported under this name", where=folder, remedy="--name ANOTHER")
    prototypes, bias = converted.classifier or (None, None)
    head = {"name": "Softmax"} if converted.classifier else None
    facts = Facts(presentation=converted.presentation, metric=converted.metric, head=head, provenance=provenance)
    write_model(folder, Model(converted.embedder, facts, prototypes, bias=bias))


def _tell(folder: Path, converted: Converted, provenance: Provenance) -> None:
    architecture = converted.embedder.architecture
    fed = architecture.preprocessing
    height, width = architecture.size
    mean, std = ([round(value, 6) for value in values] for values in (fed.mean, fed.std))
    left_out = f"; left out: {', '.join(converted.left_out)}" if converted.left_out else ""
    classifier = (
        f"its classifier of {len(converted.classifier[0]):,} identities is kept: where the auxiliary faces are of all "
        "of them, add `classifier: true` to start, and `head: {name: Softmax}`\n"
        if converted.classifier
        else ""
    )
    print(
        f"{provenance['file']}: {converted.format}, {architecture.backbone}, {provenance['parameters']:,} parameters, "
        f"{height} x {width} px in, {architecture.embedding_dim} out{left_out}\n"
        f"images: {fed.colour}, (value - {mean}) / {std} of values 0..1; {provenance['preprocessing_by']}\n"
        f"licence: {provenance['licence']}{'' if provenance['licence'] != 'unknown' else ' (--licence says it)'}\n"
        f"faces: {converted.presentation}; metric: {converted.metric}\n{classifier}"
        f"To start from it, in params.yaml under backbones.NAME, in place of architecture:\n"
        f"    start: {{model: {folder}, sha256: {sha256_of(folder / FILE)}}}"
    )
