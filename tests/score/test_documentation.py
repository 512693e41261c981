"""The worked examples of docs/scoring.md: every line of output that they show is what comes out."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.score.files import score

GUIDE = (Path(__file__).parents[2] / "docs" / "scoring.md").read_text(encoding="utf-8")
ARRAYS, IN_PYTHON = re.findall(r"```python\n(.*?)```", GUIDE, re.DOTALL)
EXAMPLES = re.findall(r"```\n\$ lrfr score (.*?)\n(.*?)```", GUIDE, re.DOTALL)


def python(program, folder):
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=folder, check=True)
    return done.stdout


@pytest.fixture(scope="module")
def arrays(tmp_path_factory):
    folder = tmp_path_factory.mktemp("guide")
    python(ARRAYS, folder)
    return folder


def lines(text):
    """Lines without the space at their ends, and without the one that says that some are left out."""
    return [line.rstrip() for line in text.splitlines() if line.strip() not in ("", "...")]


def test_every_subcommand_has_an_example():
    shown = {command.split()[0] for command, _ in EXAMPLES}
    assert shown == {"closed-set", "open-set", "verification", "folds", "templates", "reject", "compare"}


@pytest.mark.parametrize(("command", "output"), EXAMPLES, ids=[command.split(" --")[0] for command, _ in EXAMPLES])
def test_an_example_gives_what_the_guide_shows(arrays, monkeypatch, command, output):
    monkeypatch.chdir(arrays)
    monkeypatch.setenv("COLUMNS", "100")
    printed = lines(score(*command.split()).stdout)
    assert [line for line in lines(output) if line not in printed] == []


def test_the_functions_give_what_the_guide_shows(arrays):
    assert lines(python(IN_PYTHON, arrays))[0] in lines(GUIDE)
