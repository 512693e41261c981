"""What has to be known of a publisher to take its weights over."""

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass

from lrfr.core.alignment import AS_CROPPED
from lrfr.nn.model_file import Metric

EPSILON = 1e-5  # torch's, and ours


@dataclass(frozen=True)
class Layout:
    """How the tensors of one family of networks are named.

    Attributes:
        mark: a name by which a file of this family is recognised.
        backbone: the network of ours that these names belong to, None if there is none.
        name: the publisher's name of one of our backbone's tensors, given the backbone.
        unlike: a name that no file of this family has, but one of another that shares the mark.
    """

    mark: str
    backbone: Callable[[Collection[str]], str | None]
    name: Callable[[str, str], str]
    unlike: str | None = None

    def knows(self, names: Collection[str]) -> bool:
        """Whether tensors of these names are of this family, some of them missing perhaps."""
        return self.unlike not in names and (self.mark in names or self.backbone(names) is not None)


@dataclass(frozen=True)
class Publication:
    """How one publisher stores its networks, and feeds them.

    Attributes:
        source: where the publisher says so.
        layouts: the families of networks that it publishes.
        prefixes: what this publisher alone puts before every name of the network.
        beside: tensors that are not the backbone's: classifiers.
        colour: order of the channels; None, as below, where the publisher does not fix it.
        mean: of each channel in that order, on values 0..1.
        std: likewise.
        presentation: how its faces are presented, see :mod:`lrfr.core.alignment`.
        metric: by which its embeddings are compared.
        epsilon: what its batch normalisations add to a variance.
        classifier: the name of a plain softmax among those tensors whose identities are the folders of a published
            training set, in alphabetical order: it is kept, and all others are left out.
    """

    source: str
    layouts: tuple[Layout, ...]
    prefixes: tuple[str, ...]
    beside: re.Pattern[str]
    colour: str | None
    mean: list[float] | None
    std: list[float] | None
    presentation: str = AS_CROPPED
    metric: Metric = "cosine"
    epsilon: float = EPSILON
    classifier: str | None = None
