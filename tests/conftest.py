"""No test's verdict depends on how busy the machine is, on a proxy, or on git where the project is an archive."""

import os
import shutil

import pytest
from hypothesis import settings

os.environ["NO_PROXY"] = os.environ["no_proxy"] = "*"  # tests talk to servers of their own
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")


@pytest.fixture(scope="session")
def git() -> str:
    """The command git."""
    found = shutil.which("git")
    if found is None:
        pytest.skip("git is not installed")
    return found
