"""CelebA's lists: one line per image, values between blanks, some with the number of images and names above them."""

from pathlib import Path

from lrfr.errors import SourceError
from lrfr.sources.reading.dataset_files import find, within

FOLDERS = ("", "Anno/", "Eval/")

# Lines above the images' own: the number of images, and what the values are called
HEADER = {
    "identity_CelebA.txt": 0,
    "list_eval_partition.txt": 0,
    "list_bbox_celeba.txt": 2,
    "list_landmarks_celeba.txt": 2,
    "list_landmarks_align_celeba.txt": 2,
    "list_attr_celeba.txt": 2,
}


def has_list(root: Path, file: str) -> bool:
    """Whether a list is there; most are not needed."""
    return any(within(root, folder + file).is_file() for folder in FOLDERS)


def read_list(root: Path, file: str, count: int) -> dict[str, list[str]]:
    """The ``count`` values of each image, by its file name.

    Raises:
        SourceError: the list is missing or is no text, or a line has another number of values.
    """
    rows = {}
    for number, line in _lines(root, file, HEADER[file]):
        name, *values = line.split()
        if len(values) != count:
            raise _fault(root, file, f"line {number} has {len(values)} values after the file name, not {count}")
        rows[name] = values
    return rows


def read_numbers(root: Path, file: str, count: int) -> dict[str, list[float]]:
    """The same as :func:`read_list`, as numbers."""
    rows = read_list(root, file, count)
    try:
        return {name: [float(value) for value in values] for name, values in rows.items()}
    except ValueError as error:
        raise _fault(root, file, str(error)) from error


def read_names(root: Path, file: str) -> list[str]:
    """What a list's values are called, from the second line above the images."""
    ((_, line),) = _lines(root, file, HEADER[file] - 1)[:1] or [(0, "")]
    return line.split()


def _lines(root: Path, file: str, first: int) -> list[tuple[int, str]]:
    """The lines that are not blank, from ``first`` (from 0) on, with their numbers (from 1)."""
    path = within(root, find(root, *(folder + file for folder in FOLDERS)))
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise _fault(root, file, "it is no text") from error
    lines = enumerate(text.splitlines(), 1)
    return [(number, line) for number, line in lines if number > first and line.strip()]


def _fault(root: Path, file: str, what: str) -> SourceError:
    return SourceError(f"{file} cannot be right: {what}", where=root, remedy="get the list from its publisher again")
