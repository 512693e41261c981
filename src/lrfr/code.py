"""The code that something depends on: the import closure of its modules, file by file, templates included.

Read from the source without running it. DVC's code deps (``tools/code_deps.py``), the record of what params.yaml names
(the stage ``code``) and the fingerprint of a training's saved state are all made of it.
"""

import ast
import hashlib
import re
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).parent
TEMPLATES = PACKAGE / "templates"
INCLUDED = re.compile(r"""{%-?\s*(?:include|extends|import)\s+['"]([^'"]+)['"]""")


def closure(*modules: str) -> tuple[Path, ...]:
    """The files of modules of lrfr, of all that they import, anywhere in them, and of the templates that they name.

    What is imported for type checkers only does not count. A call ``import_module(f"package.{name}")`` counts for every
    module of that package; a component that :mod:`lrfr.registry` imports by its name in params.yaml does not count.

    Args:
        modules: names such as ``lrfr.stages.embed``.

    Returns:
        Sorted paths.
    """
    seen: set[Path] = set()
    waiting = [file for module in modules for file in _files(module)]
    while waiting:
        file = waiting.pop()
        if file not in seen:
            seen.add(file)
            waiting += _needed_by(file)
    return tuple(sorted(seen))


def digest(files: Iterable[Path]) -> str:
    """One SHA-256 of the names and contents of files of lrfr, in their order."""
    found = hashlib.sha256()
    for file in files:
        found.update(f"{file.relative_to(PACKAGE)}\0".encode() + hashlib.sha256(file.read_bytes()).digest())
    return found.hexdigest()


def _files(module: str) -> list[Path]:
    """The files that importing a module runs: its packages', from the outermost on, and its own; none if not ours."""
    parts = module.split(".")
    if parts[0] != PACKAGE.name:
        return []
    found, folder = [], PACKAGE
    for part in parts[1:]:
        found.append(folder / "__init__.py")
        folder = folder / part
    found.append(folder / "__init__.py" if folder.is_dir() else folder.with_suffix(".py"))
    return [file for file in found if file.is_file()]


@cache
def _needed_by(file: Path) -> tuple[Path, ...]:
    if file.suffix != ".py":
        return tuple(TEMPLATES / name for name in INCLUDED.findall(file.read_text(encoding="utf-8")))
    here = ".".join((PACKAGE.name, *file.relative_to(PACKAGE).with_suffix("").parts)).removesuffix(".__init__")
    tree = ast.parse(file.read_text(encoding="utf-8"))
    needed: list[Path] = []
    for node in _run_nodes(tree):
        if isinstance(node, ast.Import):
            needed += [found for name in node.names for found in _files(name.name)]
        elif isinstance(node, ast.ImportFrom):
            # A name may be a module of the package that it is imported from
            modules = [node.module or "", *(f"{node.module}.{name.name}" for name in node.names)]
            needed += [found for module in modules for found in _files(module)]
        elif isinstance(node, ast.Call):
            needed += [found for module in _dynamic(node, here) for found in _files(module)]
        elif isinstance(node, ast.Constant) and node.value in _templates():
            needed.append(TEMPLATES / str(node.value))
    return tuple(needed)


@cache
def _templates() -> frozenset[str]:
    return frozenset(file.name for file in TEMPLATES.iterdir())


def _run_nodes(tree: ast.AST) -> Iterator[ast.AST]:
    """All nodes but those under ``if TYPE_CHECKING:``, and in ``__getattr__``, which serves the imports of others."""
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.FunctionDef) and node.name == "__getattr__":
            continue
        yield node
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            waiting += node.orelse
        else:
            waiting += ast.iter_child_nodes(node)


def _dynamic(call: ast.Call, here: str) -> list[str]:
    """The modules that a call ``import_module(f"package.{name}")`` can import; none for another call."""
    if not (isinstance(call.func, ast.Name) and call.func.id == "import_module" and call.args):
        return []
    text = call.args[0]
    if not isinstance(text, ast.JoinedStr):
        return []
    first, *others = text.values
    if isinstance(first, ast.Constant):
        package = str(first.value).removesuffix(".")
    elif isinstance(first, ast.FormattedValue) and ast.unparse(first.value) == "__name__" and others:
        package = here
    else:
        return []
    folder = PACKAGE.joinpath(*package.split(".")[1:])
    return [f"{package}.{file.stem}" for file in sorted(folder.glob("*.py")) if file.stem != "__init__"]
