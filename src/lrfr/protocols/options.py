"""params.yaml: how protocols are run."""

from typing import Annotated, Literal

from annotated_types import Len
from pydantic import Field

from lrfr.config import Count, FileName, Fusion, Pixels, Section

Quality = Literal["quality", "norm", "ers", "serfiq", "detector", "size"]


class ComparedQualities(Section):
    """Which qualities are compared on the ``scores`` of one run; see :mod:`lrfr.protocols.compared_qualities`.

    ``qualities`` are by the run whose they are: ``quality`` is what its model predicts. The first one is what every
    other is compared with.
    """

    scores: FileName
    qualities: dict[FileName, Annotated[list[Quality], Len(1)]] = Field(min_length=1)

    @property
    def runs(self) -> list[str]:
        """The runs that take part, each once."""
        return list(dict.fromkeys([self.scores, *self.qualities]))


class Evaluate(Section):
    """How protocols are run: ``bootstrap`` draws over probe identities.

    Where public evaluators read a definition differently, the reading is named: TAR at a FAR (``tar``), the thresholds
    that the folds try (``thresholds``), whether a gallery identity's embeddings are normalised before they are
    averaged (``average``), and within which ranks a mate counts as found in SurvFace's open set beside the protocol's
    own 20 (``open_set_ranks``). With ``detector_score`` an image counts in an IJB template by the detector's score.
    ``fusion`` says what the embed stage makes of an image and its mirror image.
    Sizes in px: shortest ``sides`` of T-C's resolution sweep, face ``widths`` of P1 and P2. The same faces are tested
    once more after each of the ``super_resolution`` networks. ``serfiq_passes`` asks for the quality SER-FIQ of the
    benchmark's faces, by so many passes with dropout; 100 as published, none where it is 0. ``compared_qualities`` asks
    for those of several runs side by side.
    """

    bootstrap: int = Field(gt=0, le=10**6)
    tar: Literal["exact", "nearest"] = "exact"
    thresholds: Literal["exact", "grid"] = "exact"
    average: Literal["unit", "raw"] = "unit"
    open_set_ranks: list[Count] = Field(default=[1])
    detector_score: bool = False
    fusion: Fusion = "none"
    sides: list[Pixels] = Field(default=[8, 16, 24, 32, 64, 128])
    widths: list[Pixels] = Field(default=[20, 25, 30, 40, 50, 60, 80, 100, 112])
    super_resolution: list[FileName] = Field(default_factory=list)
    serfiq_passes: int = Field(default=0, ge=0, le=10_000)
    compared_qualities: ComparedQualities | None = None


class Options(Evaluate):
    """How protocols are run for one model: ``metric`` is what its embeddings are compared by."""

    metric: Literal["cosine", "euclidean"]


def options_for(chosen: Evaluate, metric: str) -> Options:
    """How protocols are run for a model whose embeddings are compared by ``metric``.

    The Euclidean distance takes embeddings as they are, so that no reading may normalise them.
    """
    readings = {"average": "raw", "thresholds": "exact"} if metric == "euclidean" else {}
    return Options.model_validate(chosen.model_dump() | {"metric": metric} | readings)
