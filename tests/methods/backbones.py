"""Backbones that methods start from, and functions that stand in for a loss."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest
import torch

from lrfr.nn.embedder import Architecture, Embedder
from lrfr.nn.model_file import Facts, Model

ARCFACE = {"name": "ArcFace", "scale": 32.0, "margin": 0.4}


def backbone(architecture: Architecture, classes: int = 5, head: Mapping[str, Any] | None = ARCFACE) -> Model:
    """A backbone of random weights with its prototypes; without any classifier where ``head`` is None."""
    embedder = Embedder(architecture).eval()
    prototypes = torch.randn(classes, architecture.embedding_dim)
    if head is None:
        return Model(embedder)
    return Model(embedder, Facts(head=dict(head)), prototypes)


def exchange(monkeypatch: pytest.MonkeyPatch, loss: Callable[..., Any], stand_in: Callable[..., Any]) -> None:
    """Makes a function do what another of the same arguments does, under whatever name it was imported.

    The other one is a lambda that uses nothing but its arguments.
    """
    monkeypatch.setattr(loss, "__code__", stand_in.__code__)
