"""Photos on the disk: which there are, and their pixels."""

from pathlib import Path

import numpy as np

from lrfr.decoding import decode
from lrfr.errors import ImageError
from lrfr.sources.reading.dataset_files import PICTURES, is_hidden, is_picture


def read_photo(path: Path) -> np.ndarray:
    """The pixels (H, W, 3) of a photo, RGB, uint8, upright.

    Raises:
        ImageError: there is none, or it cannot be read.
    """
    try:
        return decode(path.read_bytes(), path)
    except FileNotFoundError:
        raise ImageError("there is no such photo", where=path, remedy="correct the path") from None
    except IsADirectoryError:
        raise ImageError("this is a folder, not a photo", where=path, remedy="give photos") from None


def photos_in(folder: Path) -> list[Path]:
    """The photos of a folder, by their endings, sorted; hidden ones and those in its folders are left out."""
    inside = (path for path in folder.iterdir() if not is_hidden(path.name) and is_picture(path.name))
    return sorted(path for path in inside if path.is_file())


def pictures_of(given: list[Path]) -> list[Path]:
    """Photos, and those of folders among them.

    Raises:
        ImageError: a folder has none.
    """
    found = []
    for path in given:
        inside = photos_in(path) if path.is_dir() else [path]
        if not inside:
            raise ImageError(
                "no photos lie in the folder", where=path, remedy=f"they end in {', '.join(sorted(PICTURES))}"
            )
        found += inside
    return found
