"""Parameter files with a base: ``base: small.yaml``, and whole sections that replace the base's."""

import re
from pathlib import Path

from lrfr.errors import ParameterError

SECTION = re.compile(r"([A-Za-z_][\w-]*):")
BASE = "base"


def composed(path: Path) -> str:
    """The text of a parameter file, complete, with its comments: every top-level section that the file has replaces
    that of its base whole, and others follow.

    Raises:
        ParameterError: a file is missing or no text, names itself as its base, or has a section twice.
    """
    return "".join(_sections(path, ()).values()).lstrip("\n")


def _sections(path: Path, above: tuple[Path, ...]) -> dict[str, str]:
    """The sections of a file and of its bases by their names; what stands before the first one has the name ''."""
    own = _split(path)
    if BASE not in own:
        return own
    found = re.search(r"^base: *([^\s#]+) *(?:#.*)?$", own.pop(BASE), re.MULTILINE)
    if not found or Path(found[1]).name != found[1]:
        raise ParameterError("base is the name of a file beside this one", where=path, remedy="base: small.yaml")
    base = path.parent / found[1]
    if base.resolve() in (path.resolve(), *above):
        raise ParameterError("a parameter file is its own base", where=path, remedy="name another one")
    inherited = _sections(base, (*above, path.resolve()))
    return inherited | {name: text for name, text in own.items() if text.strip()}


def _split(path: Path) -> dict[str, str]:
    """A file's sections with the comments above them."""
    try:
        with path.open(encoding="utf-8") as file:
            lines = list(file)
    except (OSError, UnicodeDecodeError) as error:
        what = f"a parameter file cannot be read: {error}"
        raise ParameterError(what, where=path, remedy="name a YAML file, such as params/small.yaml") from error
    sections: dict[str, list[str]] = {"": []}
    current = sections[""]
    for line in lines:
        if found := SECTION.match(line):
            name = found[1]
            if name in sections:
                raise ParameterError(f"the section '{name}' stands twice", where=path, remedy="leave one out")
            comments = []
            while current and current[-1].startswith("#"):
                comments.insert(0, current.pop())
            # What stands at the top of a file is about the file, also right above its first section
            if not sections[""] and len(sections) == 1:
                sections[""], comments = comments, []
            sections[name] = current = comments
        current.append(line if line.endswith("\n") else line + "\n")
    return {name: "".join(text) for name, text in sections.items()}
