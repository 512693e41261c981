"""A generator on disk, with what it takes to build it again."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from torch import nn

from lrfr.config import Section, Settings
from lrfr.nn.weights_file import FILE, expected, read_weights, write_weights


class Described(Section):
    """A generator in words.

    Attributes:
        synthesizer: the name of its module.
        settings: of that module.
        presentation: how faces are presented to it.
    """

    synthesizer: str
    settings: Settings
    presentation: str


@dataclass(frozen=True)
class Generator:
    """A generator in evaluation mode, the side of the faces that it takes, px, and how they are presented to it."""

    network: nn.Module
    size: int
    presentation: str


def write_generator(folder: Path, network: nn.Module, described: Described) -> None:
    """Writes a generator's weights, and what describes it."""
    write_weights(folder / FILE, network.state_dict(), described.model_dump())


def read_generator(folder: Path, build: Callable[[Described], nn.Module]) -> Generator:
    """Reads a generator.

    Args:
        folder: where it is.
        build: makes the untrained network that is described.

    Raises:
        TrainingError: the file is missing or is not one of ours.
    """
    path = folder / FILE
    with expected("a learned synthesiser", path):
        values, tensors = read_weights(path)
        described = Described.model_validate(values)
        network = build(described)
        network.load_state_dict(tensors)
    return Generator(network.eval(), described.settings["size"], described.presentation)
