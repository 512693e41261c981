"""One file per method. Its name is the key in params.yaml and in DVC.

Each module has ``Settings`` (what the method understands), ``TRAINS_ON`` (the collections that it learns from, native
or auxiliary faces or both; an epoch is one pass over the first; ``()`` for what is never trained) and
``build(settings, pretrained, num_classes)``, which makes a :class:`lrfr.nn.training.task.Task` from the
pretrained backbone, its prototypes (C, D), and the number of identities in each collection.
"""

from types import ModuleType

from lrfr.components import component

FLOOR = "random"  # what every other method has to beat


def method(name: str) -> ModuleType:
    """The module of one method.

    Raises:
        ParameterError: there is no such method; the known ones are listed.
    """
    return component("method", __name__, name)
