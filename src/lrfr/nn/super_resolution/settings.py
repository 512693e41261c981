"""Which super-resolution network, and how wide."""

from pydantic import Field, field_validator
from torch import nn

from lrfr.config import Section
from lrfr.nn.super_resolution import NETWORKS


class SuperResolution(Section):
    """A super-resolution network.

    Attributes:
        network: a name in :data:`lrfr.nn.super_resolution.NETWORKS`.
        width: factor on its channels; 1 is the published network.
    """

    network: str
    width: float = Field(1.0, ge=0.1, le=4)

    @field_validator("network")
    @classmethod
    def _is_known(cls, given: str) -> str:
        if given not in NETWORKS:
            raise ValueError(f"there is no super-resolution network '{given}'; known: {', '.join(sorted(NETWORKS))}")
        return given

    def build(self) -> nn.Module:
        """The network, freshly initialised: the identity."""
        return NETWORKS[self.network](self.width)
