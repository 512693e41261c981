"""Weights of timm's models."""

import re
from typing import Any

from lrfr.errors import ParameterError
from lrfr.nn.embedder import Architecture
from lrfr.nn.published.conversion import Asked, Converted, loaded, preprocessing
from lrfr.nn.published.publication import Publication
from lrfr.nn.published.reading import Tensors


def convert_timm(tensors: Tensors, asked: Asked) -> Converted:
    """A state dict of timm's model ``asked.architecture`` as an embedder.

    The embedding is the last layer that the file has, or the features before it, as ``embedding_dim`` says. With a tag
    (``resnet50.a1_in1k``) timm's own record of those weights says how images are normalised; without one the user does.

    Raises:
        CheckpointError: tensors are missing, too many or of a wrong shape.
        ParameterError: timm does not know the model, or something is left open.
    """
    import timm
    from timm.models import PretrainedCfg

    name = asked.architecture or ""
    if not timm.is_model(name):
        raise ParameterError(f"timm has no model '{name}'", remedy="give timm's name by --architecture")
    try:
        record = timm.get_pretrained_cfg(name) or PretrainedCfg()
    except RuntimeError as error:
        raise ParameterError(
            str(error), remedy="give a tag that timm knows; or none, and --colour, --mean, --std"
        ) from error
    backbone, _, tag = name.partition(".")
    without_last: Any = timm.create_model(backbone, num_classes=0)
    features = getattr(without_last, "head_hidden_size", without_last.num_features)
    last = [record.classifier] if isinstance(record.classifier, str) else list(record.classifier or ())
    network = {name.removeprefix("module."): value for name, value in tensors.items()}
    publication = Publication(
        source=f"timm's record of {name}" if tag else "the file says nothing of it, and no tag names the weights",
        layouts=(),
        prefixes=(),
        beside=re.compile("|".join(rf"{re.escape(layer)}\..*" for layer in last) or "(?!)"),
        colour="RGB" if tag else None,
        mean=list(record.mean) if tag else None,
        std=list(record.std) if tag else None,
    )
    architecture = Architecture(
        backbone=backbone,
        embedding_dim=_embedding_dim(network, asked.embedding_dim, last, features),
        input_size=asked.input_size or list(record.input_size[1:]),
        dropout=0.0,
        preprocessing=preprocessing(publication, asked),
    )
    embedder, left_out = loaded(architecture, network, lambda ours: ours, publication.beside)
    return Converted(embedder, "timm", publication.source, left_out, publication.presentation)


def _embedding_dim(tensors: Tensors, asked: int | None, last: list[str], features: int) -> int:
    """D: that of the features, or of the file's last layer; where it has one, the user must say which."""
    rows = next((len(tensors[f"{layer}.weight"]) for layer in last if f"{layer}.weight" in tensors), features)
    if asked is None and rows != features:
        raise ParameterError(
            f"the last layer '{last[0]}' gives {rows} numbers, the features before it {features}: "
            "which of the two is the embedding?",
            remedy=f"--embedding-dim {features}, if the last layer tells classes apart; else --embedding-dim {rows}",
        )
    if asked not in (None, rows, features):
        raise ParameterError(
            f"--embedding-dim {asked}: the file gives {' or '.join(str(n) for n in sorted({rows, features}))}"
        )
    return asked or features
