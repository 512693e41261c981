"""One file per method. Its name is the key in params.yaml and in DVC.

Each module has ``Settings`` (what the method understands), ``TRAINS_ON`` (native or auxiliary faces, or None) and
``build(settings, pretrained, num_classes)``, which makes a :class:`lrfr.nn.task.Method`.
"""

import pkgutil
from importlib import import_module
from types import ModuleType

from lrfr.errors import unknown_name


def method(name: str) -> ModuleType:
    """The module of one method.

    Raises:
        ParameterError: there is no such method; the known ones are listed.
    """
    known = [module.name for module in pkgutil.iter_modules(__path__)]
    if name not in known:
        raise unknown_name("method", name, known, "params.yaml: methods")
    return import_module(f"{__name__}.{name}")
