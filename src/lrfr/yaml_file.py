"""YAML as DVC reads it, by the same library and in the same way: YAML 1.2, each key once.

So lrfr reads what `dvc exp run -S` writes: 1e-05 is a number, and `no` and `010` are not what YAML 1.1 made of them.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from lrfr.errors import ParameterError

MOST_NESTED = 100  # blocks and brackets inside one another; what reads them afterwards calls itself once for each


class Key(NamedTuple):
    """A key of the mapping that a whole file is: its name, its line, from 0, and its value where that is one text."""

    name: str
    line: int
    value: str | None


def read_text(path: Path, remedy: str) -> str:
    """The text of a YAML file; a byte order mark, which some editors write, is no part of it.

    Raises:
        ParameterError: it cannot be read, or is not UTF-8; ``remedy`` says what to do.
    """
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        what = f"a parameter file cannot be read: {error.strerror}"
        raise ParameterError(what, where=path, remedy=remedy) from error
    except UnicodeDecodeError as error:
        what = f"a parameter file cannot be read: it is not UTF-8, as byte {error.start} shows"
        raise ParameterError(what, where=path, remedy=remedy) from error


def parse_yaml(text: str, where: object) -> Any:
    """What a YAML text says, in plain dicts, lists, texts and numbers; ``where`` names it in errors.

    Raises:
        ParameterError: it is no YAML, has a key twice, nests too deeply, or has a value that cannot be, such as the
            date 2026-13-01 or a number of thousands of digits.
    """
    from ruamel.yaml import YAML

    for _ in _events(text, where):
        pass
    try:
        return YAML(typ="safe").load(text)
    except Exception as error:
        raise _unreadable(error, where) from error


def top_level_keys(text: str, where: object) -> list[Key]:
    """The keys of the mapping that a YAML text is, whichever way they are written; no alias is followed.

    Raises:
        ParameterError: it is no YAML, nests too deeply, or is no mapping.
    """
    keys: list[Key] = []
    is_key = True
    for depth, event in _events(text, where):
        if depth == 0 and type(event).__name__ != "MappingStartEvent":
            raise ParameterError("the parameter file holds no mapping", where=where, remedy="begin with: base: FILE")
        if depth != 1:
            continue
        value = getattr(event, "value", None)
        if is_key:
            keys.append(Key(str(value), text.count("\n", 0, event.start_mark.index), None))
        else:
            keys[-1] = keys[-1]._replace(value=value)
        is_key = not is_key
    return keys


def _events(text: str, where: object) -> Iterator[tuple[int, Any]]:
    """Every node of a YAML text as it begins, with the number of blocks that it stands in."""
    from ruamel.yaml import YAML
    from ruamel.yaml.events import CollectionEndEvent, CollectionStartEvent, NodeEvent

    depth = 0
    events = YAML(typ="safe").parse(text)
    while True:
        try:
            event = next(events)
        except StopIteration:
            return
        except Exception as error:
            raise _unreadable(error, where) from error
        depth -= isinstance(event, CollectionEndEvent)
        if isinstance(event, NodeEvent):
            yield depth, event
        depth += isinstance(event, CollectionStartEvent)
        if depth > MOST_NESTED:
            what = f"more than {MOST_NESTED} blocks stand inside one another"
            raise ParameterError(what, where=f"{where}, line {event.start_mark.line + 1}", remedy="correct that place")


def _unreadable(error: Exception, where: object) -> ParameterError:
    """What is wrong, in one sentence: the library's own messages go over several lines."""
    mark = getattr(error, "problem_mark", None)
    what = getattr(error, "problem", None) or str(error).partition("\n")[0]
    place = f"{where}, line {mark.line + 1}" if mark else where
    return ParameterError(f"not YAML as DVC reads it: {what}", where=place, remedy="correct that place")
