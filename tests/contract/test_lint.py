"""Style, format and types are part of the tests."""

import subprocess
import sys

import pytest

from tests.contract.imports import ROOT


@pytest.mark.parametrize("command", ["ruff check .", "ruff format --check .", "pyrefly check"])
def test_nothing_to_find(command):
    found = subprocess.run([sys.executable, "-m", *command.split()], cwd=ROOT, capture_output=True, text=True)
    assert found.returncode == 0, found.stdout + found.stderr
