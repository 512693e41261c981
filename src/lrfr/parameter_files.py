"""Parameter files with a base: ``base: small.yaml``, and whole sections that replace the base's."""

from collections.abc import Sequence
from pathlib import Path

from lrfr.errors import ParameterError
from lrfr.yaml_file import Key, parse_yaml, read_text, top_level_keys

BASE = "base"


def composed(path: Path) -> str:
    """The text of a parameter file, complete, with its comments: every top-level section that the file has replaces
    that of its base whole, and others follow.

    Raises:
        ParameterError: a file is missing, is no YAML as DVC reads it, names itself as its base, or has a section twice;
            or together they are none, as where an alias lost its anchor.
    """
    text = "".join(_sections(path, ()).values()).lstrip("\n")
    parse_yaml(text, path)
    return text


def _sections(path: Path, above: tuple[Path, ...]) -> dict[str, str]:
    """The sections of a file and of its bases by their names; what stands before the first one has the name ''."""
    text = read_text(path, "name a YAML file, such as params/small.yaml")
    keys = top_level_keys(text, path)
    own = _split(text, keys, path)
    named = next((key for key in keys if key.name == BASE), None)
    if named is None:
        return own
    del own[BASE]
    if not named.value or named.value.split() != [Path(named.value).name]:
        raise ParameterError("base is the name of a file beside this one", where=path, remedy="base: small.yaml")
    base = path.parent / named.value
    if base.resolve() in (path.resolve(), *above):
        raise ParameterError("a parameter file is its own base", where=path, remedy="name another one")
    inherited = _sections(base, (*above, path.resolve()))
    return inherited | {name: text for name, text in own.items() if text.strip()}


def _split(text: str, keys: Sequence[Key], path: Path) -> dict[str, str]:
    """A file's sections with the comments above them."""
    lines = [line + "\n" for line in text.removesuffix("\n").split("\n")]
    starts = {key.line: key.name for key in keys}
    _check_sections(lines, keys, path)
    sections: dict[str, list[str]] = {"": []}
    current = sections[""]
    for number, line in enumerate(lines):
        if number in starts:
            comments = []
            while current and current[-1].startswith("#"):
                comments.insert(0, current.pop())
            # What stands at the top of a file is about the file, also right above its first section
            if not sections[""] and len(sections) == 1:
                sections[""], comments = comments, []
            sections[starts[number]] = current = comments
        current.append(line)
    return {name: "".join(text) for name, text in sections.items()}


def _check_sections(lines: Sequence[str], keys: Sequence[Key], path: Path) -> None:
    """Raises where a section stands twice, or does not begin a line of its own, so that it cannot be replaced whole."""
    for number, key in enumerate(keys):
        if key.name in [other.name for other in keys[:number]]:
            raise ParameterError(f"the section '{key.name}' stands twice", where=path, remedy="leave one out")
        if lines[key.line][:1] in (" ", "{", "-", "?") or key.line in [other.line for other in keys[:number]]:
            what = f"the section '{key.name}' does not begin a line of its own"
            raise ParameterError(what, where=f"{path}, line {key.line + 1}", remedy=f"begin a line with: {key.name}:")
