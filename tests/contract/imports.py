"""Who imports whom, read from the source without running it."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]


def _name(file: Path, base: Path) -> str:
    parts = file.relative_to(base).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {
    _name(file, base): file
    for base, folder in ((ROOT / "src", "lrfr"), (ROOT, "flows"))
    for file in sorted((base / folder).rglob("*.py"))
}


@cache
def imports(module: str, when_loaded: bool = False) -> frozenset[str]:
    """Every module that a module of ours imports; ``when_loaded`` leaves out what its functions import when called."""
    file = MODULES[module]
    package = module if file.name == "__init__.py" else module.rpartition(".")[0]
    found: set[str] = set()
    for node in _nodes(ast.parse(file.read_text(encoding="utf-8")), when_loaded):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            source = ".".join([*above, *([node.module] if node.module else [])])
            submodules = {f"{source}.{alias.name}" for alias in node.names} & MODULES.keys()
            # `from lrfr import paths` needs lrfr.paths; `from lrfr.sources import source` needs lrfr.sources itself
            found |= submodules | ({source} if len(submodules) < len(node.names) else set())
    return frozenset(found)


def _nodes(tree: ast.AST, without_functions: bool) -> Iterator[ast.AST]:
    """The nodes of a syntax tree."""
    for node in ast.iter_child_nodes(tree):
        if not (without_functions and isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)):
            yield node
            yield from _nodes(node, without_functions)


def closure(modules: set[str], when_loaded: bool = False) -> set[str]:
    """Those modules of ours and all that they lead to."""
    reached: set[str] = set()
    open_ends = modules & MODULES.keys()
    while open_ends:
        module = open_ends.pop()
        reached.add(module)
        open_ends |= (imports(module, when_loaded) & MODULES.keys()) - reached
    return reached
