"""Sources, synthesisers and methods are modules; params.yaml names them."""

import pkgutil
from importlib import import_module
from types import ModuleType

from lrfr.errors import unknown_name


def components(package: str) -> dict[str, ModuleType]:
    """Every component of a package by its name, sorted."""
    names = sorted(module.name for module in pkgutil.iter_modules(import_module(package).__path__))
    modules = {name: import_module(f"{package}.{name}") for name in names}
    return {name: module for name, module in modules.items() if hasattr(module, "Settings")}


def component(kind: str, package: str, name: str) -> ModuleType:
    """The module ``name`` of a package, if it is a component, which is to say: has ``Settings``.

    Raises:
        ParameterError: there is no such component; the known ones are listed.
    """
    names = [module.name for module in pkgutil.iter_modules(import_module(package).__path__)]
    module = import_module(f"{package}.{name}") if name in names else None
    if module is None or not hasattr(module, "Settings"):
        where = f"params.yaml; there is no {package}.{name} with Settings"
        raise unknown_name(kind, name, components(package), where)
    return module
