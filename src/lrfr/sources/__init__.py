"""Where photos and faces come from: one module per published layout, or per generator.

A source is a module with ``LAYOUT`` (what it expects on disk, in words), ``Settings`` (a section of params.yaml) and
``acquire(root, settings, seed) -> Acquired``. One that brings a test set also has ``PROTOCOL``, the module of
``lrfr.protocols`` that evaluates it. The first line of its docstring says what it is.
``COLLECTIONS`` says what it brings other than native faces, unless its settings do; ``KNOWS_TRUTH`` that it knows for
certain who is where in its native photos; and ``check_files(root, settings)`` raises where its settings name files that
are not there. A source whose people are rendered has a name that begins with ``generated``.
"""

from pathlib import Path
from types import ModuleType

from lrfr.config import Section
from lrfr.errors import ParameterError, SourceError
from lrfr.registry import component, components

BENCHMARK = "tinyface"  # the protocol that the benchmark is scored by


def source(name: str) -> ModuleType:
    """The module of a source, by its name in params.yaml.

    Raises:
        ParameterError: there is no such source; the known ones are listed.
    """
    return component("source", __name__, name)


def benchmark_source(name: str, where: str) -> ModuleType:
    """The module of a source that the benchmark is made from; ``where`` is the section that names it, for errors.

    Raises:
        ParameterError: there is no such source, or it brings a test set for another protocol than the benchmark's:
            pairs, templates or unmated probes, which no split of the benchmark can hold.
    """
    module = source(name)
    if getattr(module, "PROTOCOL", BENCHMARK) != BENCHMARK:
        what = f"no benchmark can be made from the source '{name}': its faces have a protocol of their own"
        remedy = "import it under evaluation_sets; a run learns from the training faces of a set by `native: NAME`"
        raise ParameterError(what, where=where, remedy=remedy)
    return module


def test_set_source(name: str, root: Path, where: str) -> ModuleType:
    """The module of a source that a test set is imported from; ``where`` names the set in errors.

    Raises:
        ParameterError: there is no such source, or it has no ``PROTOCOL`` to evaluate its faces by.
        SourceError: nothing lies at ``root``.
    """
    module = source(name)
    if not hasattr(module, "PROTOCOL"):
        known = ", ".join(known for known, other in sources().items() if hasattr(other, "PROTOCOL"))
        what = f"the source '{name}' brings no test set: no protocol evaluates its faces"
        raise ParameterError(what, where=where, remedy=f"choose one that does: {known}")
    check_root(name, root, where)
    return module


def check_root(name: str, root: Path, where: str) -> None:
    """Raises a SourceError where nothing lies at the root of a source."""
    if not root.exists():
        remedy = f"put the dataset there, or correct the root; the source '{name}' expects {source(name).LAYOUT}"
        raise SourceError(f"there is no dataset at {root}", where=where, remedy=remedy)


def check_settings(module: ModuleType, root: Path, options: Section, where: str) -> None:
    """Raises a SourceError where a file or folder that a source's settings name is not there."""
    try:
        getattr(module, "check_files", lambda *_: None)(root, options)
    except SourceError as error:
        what, _, rest = str(error).partition("\n  where: ")
        place, _, remedy = rest.partition("\n  what to do: ")
        raise SourceError(what, where=f"{where}.settings; {place}", remedy=remedy) from error


def collections_of(module: ModuleType, options: Section) -> tuple[str, ...]:
    """The collections that a source brings: that of its settings, where they choose."""
    chosen = getattr(options, "collection", None)
    return (chosen,) if chosen else getattr(module, "COLLECTIONS", ("native",))


def sources() -> dict[str, ModuleType]:
    """The module of every source by its name, sorted."""
    return components(__name__)
