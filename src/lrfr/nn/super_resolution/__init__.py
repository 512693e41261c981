"""Super-resolution networks: faces that were enlarged to the size wanted, to faces of that size as sharp as can be."""

from collections.abc import Callable

from torch import nn

from lrfr.nn.super_resolution.drrn import DRRN
from lrfr.nn.super_resolution.srcnn import SRCNN
from lrfr.nn.super_resolution.vdsr import VDSR

NETWORKS: dict[str, Callable[[float], nn.Module]] = {"drrn": DRRN, "srcnn": SRCNN, "vdsr": VDSR}
"""A network by its name: made with a factor on its channels, 1 as published. RGB images (B, 3, H, W), values 0..1, to
images of the same size, whose values may lie a little outside. An untrained one changes nothing."""
