"""A small release, made once, and a gallery of three people."""

import shutil

import pytest

from lrfr.serve.enrolment import enrol_person
from lrfr.serve.model import Model
from tests.release.keys import key_pair
from tests.serve.releases import NAME, VERSION, make_release, photo, write_photo

PEOPLE = {"anna": 0, "bob": 1, "carl": 2}


@pytest.fixture(scope="session")
def keys(tmp_path_factory):
    """The private and the public key of who signs."""
    return key_pair(tmp_path_factory.mktemp("keys"))


@pytest.fixture(scope="session")
def place(tmp_path_factory, keys):
    """Where releases lie."""
    folder = tmp_path_factory.mktemp("place")
    make_release(folder / NAME / VERSION, keys[0])
    return folder


@pytest.fixture(scope="session")
def release(place):
    return place / NAME / VERSION


@pytest.fixture(scope="session")
def model(release):
    return Model.load(release)


@pytest.fixture(scope="session")
def enrolled(model, tmp_path_factory):
    folder = tmp_path_factory.mktemp("gallery")
    for name, person in PEOPLE.items():
        enrol_person(
            model, folder / "people.gallery", name, [write_photo(folder / f"{name}.jpg", photo(person))], False
        )
    return folder / "people.gallery"


@pytest.fixture
def gallery(enrolled, tmp_path):
    """The file of a gallery of anna, bob and carl, which a test may change."""
    return shutil.copy(enrolled, tmp_path / "people.gallery")
