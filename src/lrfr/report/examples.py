"""Sheets of super-resolved faces, as CSRI's Fig. 8: a face in each row, in each column who enlarged it."""

from typing import Any

from lrfr import paths
from lrfr.faces import read_faces
from lrfr.images import Images
from lrfr.report.blocks import Sheet
from lrfr.report.sheets import Face, Row, shown

COLUMNS = ["source", "width", "height", "identity", "attributes"]
SHEETS = {
    "native": ("Super-resolved native faces", "Probe faces of the benchmark: nobody knows what they should look like."),
    "sharp": (
        "Super-resolved shrunk portraits",
        "Validation portraits, where there are any, shrunk to the heights of native faces; the last column shows what "
        "they were.",
    ),
}
TITLES = {"network": "{}, alone", "method": "in {}", "": "{}"}  # by the kind of what enlarged the face


def sheets() -> list[Sheet]:
    """What ``visualize`` left: native faces, and shrunk ones whose original is known.

    Raises:
        FaceTableError, ImageError: the table is missing, or a face cannot be read.
    """
    by_sheet: dict[str, list[dict[str, Any]]] = {name: [] for name in SHEETS}
    table, images = read_faces(paths.EXAMPLES, COLUMNS), Images(paths.EXAMPLES)
    for place, row in enumerate(table.to_pylist()):
        by_sheet[dict(row["attributes"])["shown"]].append(row | {"pixels": images.decoded(place)})
    return [_sheet(*SHEETS[name], rows) for name, rows in by_sheet.items() if rows]


def activations() -> Sheet | None:
    """Where the models look, as RI's Fig. 5: a face in each row, in each column a run; None where nobody asked.

    Raises:
        FaceTableError, ImageError: the table is missing, or a face cannot be read.
    """
    table, images = read_faces(paths.ACTIVATIONS, COLUMNS), Images(paths.ACTIVATIONS)
    if not len(table):
        return None
    faces: dict[str, dict[str, Face]] = {}
    names: dict[str, str] = {}
    for place, row in enumerate(table.to_pylist()):
        face = dict(row["attributes"])["face"]
        names[face] = row["identity"] or "unknown"
        what = f"activation map of {row['source']}"
        faces.setdefault(face, {})[row["source"]] = shown(images.decoded(place), what)
    columns = list(next(iter(faces.values())))
    rows = [Row(names[face], [maps[column] for column in columns]) for face, maps in faces.items()]
    return Sheet("Where models look", _ACTIVATIONS, columns, rows)


_ACTIVATIONS = (
    "Grad-CAM (Selvaraju et al., 2017) of a probe face's likeness to a gallery face of the same person: red speaks for "
    "it, blue does not (RI, Fig. 5)."
)


def _sheet(title: str, caption: str, rows: list[dict[str, Any]]) -> Sheet:
    """The rows of one sheet, whose versions of a face all have the aspect of the captured one."""
    faces: dict[str, dict[str, dict[str, Any]]] = {}
    for row in rows:
        attributes = dict(row["attributes"])
        faces.setdefault(attributes["face"], {})[TITLES[attributes["kind"]].format(row["source"])] = row
    columns = list(next(iter(faces.values())))
    lines = []
    for versions in faces.values():
        captured = versions["captured"]
        aspect = captured["width"] / captured["height"]
        size = f"{captured['width']}×{captured['height']} px"
        lines.append(
            Row(
                captured["identity"] or "unknown", [_face(versions[column], column, size, aspect) for column in columns]
            )
        )
    return Sheet(title, caption, columns, lines)


def _face(row: dict[str, Any], column: str, size: str, aspect: float) -> Face:
    return shown(row["pixels"], f"{column} version of a face of {size}", aspect)
