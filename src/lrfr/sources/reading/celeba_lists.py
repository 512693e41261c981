"""CelebA's lists: one line per image, values between blanks, some with the number of images and names above them."""

from pathlib import Path

from lrfr.errors import SourceError
from lrfr.sources.reading.dataset_files import find, is_picture, within
from lrfr.sources.reading.list_checks import check_once, composed

FOLDERS = ("", "Anno/", "Eval/")

POINTS = ("lefteye", "righteye", "nose", "leftmouth", "rightmouth")
LANDMARKS = tuple(f"{point}_{axis}" for point in POINTS for axis in "xy")
# What the values of a list are called in the line above them; None: any names. Lists that are not here have no such
# line, and one value.
COLUMNS: dict[str, tuple[str, ...] | None] = {
    "list_bbox_celeba.txt": ("x_1", "y_1", "width", "height"),
    "list_landmarks_celeba.txt": LANDMARKS,
    "list_landmarks_align_celeba.txt": LANDMARKS,
    "list_attr_celeba.txt": None,
}
IMAGE = "image_id"  # stands above the file names in some lists


def has_list(root: Path, file: str) -> bool:
    """Whether a list is there; most are not needed."""
    return any(within(root, folder + file).is_file() for folder in FOLDERS)


def read_values(root: Path, file: str) -> dict[str, str]:
    """The one value of each image, by its file name, of a list without names above it.

    Raises:
        SourceError: the list is missing or is no text, a line is not an image and a value, or an image stands twice.
    """
    return {name: value for name, (value,) in _rows(root, file, _lines(root, file), 1).items()}


def read_table(root: Path, file: str) -> dict[str, dict[str, str]]:
    """The values of each image by what the line above calls them, by its file name.

    Raises:
        SourceError: as for :func:`read_values`, or the two lines above the images are missing, say another number of
            images, or other names than the publisher's.
    """
    lines = _lines(root, file)
    count = lines[0][1].split() if lines else []
    if len(lines) < 2 or len(count) != 1 or not count[0].isdecimal():
        raise _fault(root, file, "it does not begin with the number of images and the names of the columns")
    names = _column_names(root, file, lines[1][1].split())
    if int(count[0]) != len(lines) - 2:
        raise _fault(root, file, f"its first line says {count[0]} images, and {len(lines) - 2} follow")
    rows = _rows(root, file, lines[2:], len(names))
    return {image: dict(zip(names, values, strict=True)) for image, values in rows.items()}


def read_numbers(root: Path, file: str) -> dict[str, list[float]]:
    """The values of :func:`read_table` as numbers, in the order of ``COLUMNS``."""
    numbers: dict[str, list[float]] = {}
    for image, values in read_table(root, file).items():
        try:
            numbers[image] = [float(values[name]) for name in COLUMNS[file] or ()]
        except ValueError as error:
            raise _fault(root, file, f"the values of {image} are no numbers: {' '.join(values.values())}") from error
    return numbers


def _column_names(root: Path, file: str, names: list[str]) -> list[str]:
    """What the columns behind the file names are called: each once, and those that are expected."""
    names = names[1:] if names[:1] == [IMAGE] else names
    expected = COLUMNS[file] or names
    if len(set(names)) < len(names) or sorted(names) != sorted(expected):
        raise _fault(root, file, f"its columns are called {', '.join(names)}, not {', '.join(sorted(set(expected)))}")
    return names


def _rows(root: Path, file: str, lines: list[tuple[int, str]], count: int) -> dict[str, list[str]]:
    """The ``count`` values of each image."""
    rows, images = {}, []
    for number, line in lines:
        image, *values = line.split()
        if not is_picture(image):
            raise _fault(root, file, f"line {number} names no picture: {image}")
        if len(values) != count:
            raise _fault(root, file, f"line {number} has {len(values)} values after the file name, not {count}")
        images.append(composed(image))
        rows[images[-1]] = values
    check_once(images, f"{root}: {file}")
    return rows


def _lines(root: Path, file: str) -> list[tuple[int, str]]:
    """The lines that are not blank, with their numbers (from 1)."""
    path = within(root, find(root, *(folder + file for folder in FOLDERS)))
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise _fault(root, file, "it is no text") from error
    return [(number, line) for number, line in enumerate(text.splitlines(), 1) if line.strip()]


def _fault(root: Path, file: str, what: str) -> SourceError:
    return SourceError(f"{file} cannot be right: {what}", where=root, remedy="get the list from its publisher again")
