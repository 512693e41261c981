"""Where photos come from: one module per published layout, or per generator.

A source is a module with ``LAYOUT`` (what it expects on disk, in words), ``Settings`` (a section of params.yaml) and
``acquire(root, settings, seed) -> Acquired``.
"""

import pkgutil
from importlib import import_module
from types import ModuleType

from lrfr.errors import unknown_name


def source(name: str) -> ModuleType:
    """The module of a source, by its name in params.yaml.

    Raises:
        ParameterError: there is no such source; the known ones are listed.
    """
    modules = {module.name for module in pkgutil.iter_modules(__path__)}
    module = import_module(f"{__name__}.{name}") if name in modules else None
    if module is None or not hasattr(module, "acquire"):
        known = [known for known in modules if hasattr(import_module(f"{__name__}.{known}"), "acquire")]
        raise unknown_name("source", name, known, "params.yaml: acquire.source")
    return module
