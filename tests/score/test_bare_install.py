"""``pip install lrfr`` alone is enough: no torch, no DVC, no project around."""

import re
import subprocess
import sys
import tomllib
from importlib.metadata import PackageNotFoundError, packages_distributions, requires
from pathlib import Path

import pytest

from tests.score import test_folds, test_templates
from tests.score.files import closed_files, flat, open_files, scored_pairs

PROJECT = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]
PROGRAM = """
import sys

class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in REFUSED:
            raise ModuleNotFoundError(f"No module named '{name}'", name=name)

sys.meta_path.insert(0, Refuse())
from lrfr.cli import app
app()
"""


def name_of(requirement):
    return re.match(r"[\w.-]+", requirement).group().lower().replace("_", "-")


def not_installed_with_lrfr(*extras):
    """The top-level modules of this environment that neither lrfr with these extras brings nor what it depends on."""
    wanted = [*PROJECT["dependencies"], *(one for extra in extras for one in PROJECT["optional-dependencies"][extra])]
    open_ends = [name_of(one) for one in wanted]
    known = {"lrfr"}
    while open_ends:
        package = open_ends.pop()
        if package not in known:
            known.add(package)
            try:
                open_ends += [name_of(one) for one in requires(package) or [] if "extra ==" not in one]
            except PackageNotFoundError:  # for another system
                continue
    brought = packages_distributions().items()
    return sorted(module for module, by in brought if not known & {name_of(package) for package in by})


def commands(folder):
    closed, scores = closed_files(folder), scored_pairs(folder)
    both = [part for name, path in closed.items() for side in "ab" for part in (f"{name}-{side}", path)]
    images = test_templates.images(folder)
    return {
        "closed-set": flat(closed),
        "compare": both,
        "verification": ["--scores", scores],
        "reject": ["--scores", scores],
        "folds": ["--pairs", test_folds.pairs(folder)],
        "templates": ["--images", images, "--pairs", test_templates.pair_list(folder)],
        "templates 1:N": ["--images", images, *test_templates.galleries(folder)],
        "open-set": flat(open_files(folder)),
    }


@pytest.fixture(scope="module")
def ready(tmp_path_factory):
    return commands(tmp_path_factory.mktemp("arrays")), not_installed_with_lrfr()


NAMES = ("closed-set", "compare", "verification", "reject", "folds", "templates", "templates 1:N", "open-set")


@pytest.mark.parametrize("name", NAMES)
def test_a_subcommand_needs_only_what_is_installed_with_it(ready, tmp_path, name):
    options, refused = ready
    assert {"torch", "scipy", "sklearn", "cv2", "jinja2", "dvc", "tqdm"} <= set(refused)
    program = f"REFUSED = set({refused})\n{PROGRAM}"
    arguments = ["score", name.split()[0], *map(str, options[name]), "--json", "x.json", "--plots", "plots"]
    done = subprocess.run([sys.executable, "-c", program, *arguments], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "x.json").is_file()
