"""No test's verdict depends on how busy the machine is, nor on git where the project is a downloaded archive."""

import shutil

import pytest
from hypothesis import settings

settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")


@pytest.fixture(scope="session")
def git() -> str:
    """The command git."""
    found = shutil.which("git")
    if found is None:
        pytest.skip("git is not installed")
    return found
