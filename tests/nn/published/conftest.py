import pytest


@pytest.fixture(autouse=True)
def project(tmp_path, monkeypatch):
    """An empty folder, in which the tests of this package run."""
    monkeypatch.chdir(tmp_path)
    return tmp_path
