"""One file per method. Its name is the key in params.yaml and in DVC.

Each module has ``Settings`` (what the method understands) and ``STEPS``: what it is trained in, one step after the
other. A step is named as the field of ``Settings`` that holds its :class:`lrfr.nn.training.settings.Training`, and says
from which collections it learns, native or auxiliary faces or both; an epoch is one pass over the first. Most methods
have the one step ``training``; what is never trained has none.

``build(settings, pretrained, num_classes)`` makes a :class:`lrfr.nn.training.task.Task` from the pretrained backbone,
its prototypes (C, D), and the number of identities in each collection. ``METRIC`` is there where a paper compares
embeddings otherwise than by cosine.
"""

from types import ModuleType

from lrfr.registry import component

FLOOR = "random"  # what every other method has to beat


def method(name: str) -> ModuleType:
    """The module of one method.

    Raises:
        ParameterError: there is no such method; the known ones are listed.
    """
    return component("method", __name__, name)


def trains_on(module: ModuleType) -> tuple[str, ...]:
    """The collections that a method learns from in any of its steps, in the order in which they first appear."""
    return tuple(dict.fromkeys(collection for step in module.STEPS.values() for collection in step))


def metric(module: ModuleType) -> str | None:
    """The metric by which a method's paper compares embeddings, where it is not the cosine."""
    return getattr(module, "METRIC", None)
