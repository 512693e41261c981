"""COCO's JSON as a list of faces: images, annotations and categories, that name one another by their ids."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lrfr.errors import SourceError
from lrfr.files import parse_json
from lrfr.sources.reading.cutting import POINTS, Box, Listed
from lrfr.sources.reading.list_checks import named

REMEDY = "it holds images (id, file_name), annotations (image_id, bbox) and categories"

MOST = 2**53  # of whole numbers that stand for px: beyond it they are no exact floats

Entry = dict[str, Any]


def read_coco(path: Path) -> dict[str, Listed]:
    """Reads the faces of each image, by its file name. An identity stands in an annotation or in its attributes.

    Raises:
        SourceError: it is not COCO's JSON, two images have one id or one name, or an annotation cannot be right; it
            names the annotation and the image.
    """
    try:
        content = parse_json(path.read_text(encoding="utf-8-sig"))
    except ValueError as error:
        raise _fault(path, str(error)) from error
    if not isinstance(content, dict):
        raise _fault(path, "it is no object with images and annotations")
    images = _images(_entries(content, "images", path), path)
    wanted = _categories(_entries(content, "categories", path) if "categories" in content else [], path)
    found: dict[Any, list[Box]] = {number: [] for number in images}
    for place, annotation in enumerate(_entries(content, "annotations", path), 1):
        entry = f"annotation {annotation['id']}" if "id" in annotation else f"annotation number {place}"
        image = _referred(annotation, "image_id", images, entry, path)
        about = f"{entry} of {images[image]['file_name']}"
        if not wanted or wanted[_referred(annotation, "category_id", wanted, about, path)]:
            found[image].append(_box(annotation, entry, f"{path}: {about}"))
    return {one["file_name"]: Listed(found[number], _size(one, path)) for number, one in images.items()}


def _entries(content: Entry, name: str, path: Path) -> list[Entry]:
    entries = content.get(name)
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise _fault(path, f"it has no list '{name}'")
    return entries


def _images(images: Sequence[Entry], path: Path) -> dict[Any, Entry]:
    """The images by their ids."""
    by_id: dict[Any, Entry] = {}
    ids: dict[str, Any] = {}
    for place, image in enumerate(images, 1):
        name = image.get("file_name")
        if not isinstance(name, str) or not name:
            raise _fault(path, f"image number {place} has no file_name")
        number = _id(image, f"image {name}", path)
        if number in by_id:
            raise _fault(path, f"two images have the id {number!r}: {by_id[number]['file_name']} and {name}")
        if name in ids:
            raise _fault(path, f"the image {name} stands twice, with the ids {ids[name]!r} and {number!r}")
        by_id[number], ids[name] = image, number
    return by_id


def _categories(categories: Sequence[Entry], path: Path) -> dict[Any, bool]:
    """Whether each category, by its id, is that of faces: the only one, whatever its name, or the one named face."""
    names: dict[Any, str] = {}
    for place, category in enumerate(categories, 1):
        number = _id(category, f"category number {place}", path)
        if number in names:
            raise _fault(path, f"two categories have the id {number!r}: {names[number]} and {category.get('name')}")
        names[number] = str(category.get("name"))
    faces = {number: len(names) == 1 or name.lower() == "face" for number, name in names.items()}
    if names and sum(faces.values()) != 1:
        remedy = "name the category of faces 'face', or leave the others out"
        what = f"none of the categories is 'face', or several are: {', '.join(names.values())}"
        raise SourceError(what, where=path, remedy=remedy)
    return faces


def _id(entry: Entry, what: str, path: Path, key: str = "id") -> Any:
    """An id: a whole number or text."""
    number = entry.get(key)
    if isinstance(number, bool) or not isinstance(number, int | str):
        raise _fault(path, f"{what} has the {key} {number!r}, neither a whole number nor text")
    return number


def _referred(annotation: Entry, key: str, known: Mapping[Any, object], what: str, path: Path) -> Any:
    """The image or the category that an annotation is of."""
    number = _id(annotation, what, path, key)
    if number not in known:
        other = next((one for one in known if str(one) == str(number)), None)
        hint = "" if other is None else f"; {other!r} is, but one is text and the other a number: write both alike"
        raise _fault(path, f"{what} has the {key} {number!r}, which is not among the ids{hint}")
    return number


def _size(image: Entry, path: Path) -> tuple[int, int] | None:
    """An image's width and height, px; None where one is not told."""
    width, height = image.get("width"), image.get("height")
    if width is None or height is None:
        return None
    if not (_is_number(width) and _is_number(height) and width == int(width) and height == int(height)):
        raise _fault(path, f"the width and height of image {image['file_name']} are {width!r} and {height!r}")
    return int(width), int(height)


def _box(annotation: Entry, entry: str, where: str) -> Box:
    """One annotation; five keypoints that are all marked become landmarks, others are passed over."""
    attributes = annotation.get("attributes") or {}
    if not isinstance(attributes, dict):
        raise _fault(where, f"its attributes are {attributes!r}, no object")
    said = [attributes.get("identity"), attributes.get("name"), annotation.get("identity"), annotation.get("name")]
    identity = next((one for one in said if one not in (None, "")), None)
    box, score, points = annotation.get("bbox"), annotation.get("score"), annotation.get("keypoints") or []
    if not isinstance(box, list) or len(box) != 4 or not all(type(side) is float or _is_number(side) for side in box):
        raise _fault(where, f"its bbox is not four numbers: {box!r}")
    if score is not None and not _is_number(score):
        raise _fault(where, f"its score is no number: {score!r}")
    if not isinstance(points, list) or not all(map(_is_number, points)):
        raise _fault(where, "its keypoints are no list of numbers")
    marked = len(points) == 3 * POINTS and all(visible > 0 for visible in points[2::3])
    return Box(
        [float(side) for side in box],
        None if identity is None else named(identity, where),
        [float(value) for place, value in enumerate(points) if place % 3 < 2] if marked else None,
        None if score is None else float(score),
        fault="crowd" if annotation.get("iscrowd") else None,
        entry=entry,
    )


def _is_number(value: object) -> bool:
    whole = isinstance(value, int) and not isinstance(value, bool) and abs(value) < MOST
    return whole or (isinstance(value, float) and math.isfinite(value))


def _fault(where: object, what: str) -> SourceError:
    return SourceError(f"not COCO's JSON: {what}", where=where, remedy=REMEDY)
