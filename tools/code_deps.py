"""Writes the code deps of dvc.yaml, and check.d for make, from the import closure of each stage.

    python tools/code_deps.py            says what is not as it should be; exit status 1 if anything is not
    python tools/code_deps.py --write    writes both files

A stage runs ``lrfr NAME``, which is the module ``lrfr.stages.name``. A folder of which it imports every file stands as
one dep: DVC reads and writes dvc.lock around every stage, at a cost that grows with the deps. What params.yaml names (a
source, a synthesiser, a method) is recorded by the stage ``code``; a run's own method is named in dvc.yaml by hand, as
it is in its template.
"""

import argparse
import re
import sys
from collections.abc import Iterable
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "src"))

from lrfr.code import PACKAGE, closure  # noqa: E402 - the package need not be installed, as when make asks

DVC, CHECK = ROOT / "dvc.yaml", ROOT / "tools" / "check.d"
COMMAND = re.compile(r"^ +cmd: lrfr ([\w-]+)")
CODE = re.compile(r"^ +- src/lrfr/[\w/.]+$")
COMPONENTS = ("methods", "sources", "synthesis")  # packages of which params.yaml names modules


def dvc_yaml(text: str) -> str:
    """The text of dvc.yaml with the code deps of each stage after its other deps."""
    lines: list[str] = []
    command = ""
    in_deps, indent = False, 0
    for line in text.split("\n"):
        if found := COMMAND.match(line):
            command = found[1]
        if in_deps and not _belongs_to_deps(line, indent):
            lines += _code_deps(command, indent)
            in_deps = False
        if line.strip().startswith("deps:"):
            in_deps, indent = True, len(line) - len(line.lstrip())
        if not (in_deps and CODE.match(line)):
            lines.append(line)
    return "\n".join(lines)


def check_d() -> str:
    """The files that ``lrfr check`` depends on, as a rule for make."""
    names = [f"lrfr.{package}.{file.stem}" for package in COMPONENTS for file in _modules(package)]
    files = " \\\n\t".join(_relative(file) for file in closure("lrfr.stages.check", *names))
    return f"# Written by tools/code_deps.py\nCHECK_CODE := \\\n\t{files}\n"


def _belongs_to_deps(line: str, indent: int) -> bool:
    return line.strip() == "" or (line.lstrip().startswith(("- ", "#")) and len(line) - len(line.lstrip()) > indent)


def _code_deps(command: str, indent: int) -> list[str]:
    if command == "code":  # reads all code, and runs in a second
        return []
    places = folded(closure(f"lrfr.stages.{command.replace('-', '_')}"))
    return [f"{' ' * (indent + 2)}- {_relative(place)}" for place in places]


def folded(files: Iterable[Path]) -> list[Path]:
    """Files, and in place of several that are all of a folder that folder."""
    needed = set(files)
    whole = {folder for folder, inside in _folders().items() if len(inside) > 1 and inside <= needed}
    return sorted(place for place in needed | whole if whole.isdisjoint(place.parents))


@cache
def _folders() -> dict[Path, set[Path]]:
    """The files in every folder of the package, and in those within it."""
    files = [file for file in PACKAGE.rglob("*") if file.is_file() and "__pycache__" not in file.parts]
    return {folder: {file for file in files if folder in file.parents} for folder in {file.parent for file in files}}


def _modules(package: str) -> list[Path]:
    return sorted((ROOT / "src" / "lrfr" / package).glob("[!_]*.py"))


def _relative(file: Path) -> str:
    return file.relative_to(ROOT).as_posix()


def main() -> int:
    """Compares or writes; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="write the files")
    write = parser.parse_args().write
    status = 0
    for path, wanted in ((DVC, dvc_yaml(DVC.read_text(encoding="utf-8"))), (CHECK, check_d())):
        if not path.is_file() or path.read_text(encoding="utf-8") != wanted:
            if write:
                path.write_text(wanted, encoding="utf-8")
            else:
                print(f"{path.relative_to(ROOT)} is not up to date: python tools/code_deps.py --write")
                status = 1
    return status


if __name__ == "__main__":
    sys.exit(main())
