"""Sources, synthesisers and methods are modules; params.yaml names them."""

import pkgutil
from importlib import import_module
from types import ModuleType

from lrfr.errors import unknown_name


def component(kind: str, package: str, name: str) -> ModuleType:
    """The module ``name`` of a package, if it is a component, which is to say: has ``Settings``.

    Raises:
        ParameterError: there is no such component; the known ones are listed.
    """
    names = [module.name for module in pkgutil.iter_modules(import_module(package).__path__)]
    module = import_module(f"{package}.{name}") if name in names else None
    if module is None or not hasattr(module, "Settings"):
        known = [known for known in names if hasattr(import_module(f"{package}.{known}"), "Settings")]
        raise unknown_name(kind, name, known, f"params.yaml; there is no {package}.{name} with Settings")
    return module
