"""The section of alignment: how well landmarks are found in tiny faces, and how faces are presented to each run."""

import cv2
import numpy as np
import pyarrow.compute as pc

from lrfr import paths
from lrfr.charts.axes import Axis, nice_ticks, share_axis
from lrfr.charts.lines import Line, line_chart
from lrfr.core.alignment import SIDE, similarity
from lrfr.errors import LandmarkError
from lrfr.faces import LANDMARK_SCHEMA, read_faces, read_table, with_rows
from lrfr.images import Images
from lrfr.report.blocks import Cell, Charts, Panel, Row, Section, Sheet, Table
from lrfr.report.results import Curve, Results
from lrfr.report.sheets import Row as SheetRow
from lrfr.report.sheets import shown
from lrfr.report.wording import AS_CROPPED, MIDDLE, presented

LINES = {
    "cnn6": ("CNN-6", "c0 d0"),
    "cnn6_where_mtcnn_found": ("CNN-6, where MTCNN finds a face", "c0 d2"),
    "mtcnn": ("MTCNN", "c1 d1"),
    "mean_shape": ("mean shape", "chance"),
}
FACES = 8  # shown as cropped and as presented


def section(results: Results, styles: dict[str, str]) -> Section:
    """The landmarks' error by the height of the face, then how the runs' faces are presented, in pictures too."""
    return Section(
        "alignment",
        "Landmarks and alignment",
        "A CNN-6, trained with the Wing loss on portraits made small, finds eyes, nose and mouth in tiny faces (RIFR). "
        "By them faces are turned and scaled onto one template, in training as in the test, for every run whose model "
        "is one for aligned faces.",
        [
            Charts("Landmarks in faces of each size", _panels(_errors(results)), _CAPTION, list(LINES.values())),
            _presentations(results, styles),
            *_pictures(results),
        ],
    )


_CAPTION = (
    "Mean distance to the true landmarks, in percent of the distance between the eyes, with the CNN-6's 95\u00a0% "
    "bootstrap interval over identities; sharp validation faces shrunk to each height. MTCNN is asked about a sample "
    "of them, and its error is over those that it finds. The mean shape guesses without a look at the face."
)


def _errors(results: Results) -> Curve:
    """The errors by height, in percent, with the CNN-6's on the very faces that MTCNN finds."""
    by_height = {row["height"]: row["cnn6_where_mtcnn_found"] for row in results.landmarks["heights"]}
    found = [by_height.get(height) for height in results.landmark_error["height"].tolist()]
    return results.landmark_error | {"cnn6_where_mtcnn_found": np.array(found, float)}


def _panels(curve: Curve) -> list[Panel]:
    height = curve["height"]
    ticks = [(float(value), f"{value:g}") for value in height]
    x_axis = Axis(float(height.min()), float(height.max()), ticks, "face height, px", "log")
    lines = [
        _line(curve, name, label, style) for name, (label, style) in LINES.items() if np.isfinite(curve[name]).any()
    ]
    highest = max(float(line.y.max()) for line in lines)
    y_axis = Axis(
        0.0, 1.05 * highest, [(value, f"{100 * value:g} %") for value, _ in nice_ticks(0.0, highest)], "error"
    )
    found = Line(*LINES["mtcnn"], height, curve["mtcnn_found"])
    readings = height.tolist()
    return [
        Panel(
            "Error of the landmarks",
            line_chart(lines[::-1], x_axis, y_axis, f"Landmark error. {_said(lines)}", readings),
        ),
        Panel(
            "Faces in which MTCNN finds any",
            line_chart([found], x_axis, share_axis("found"), f"Faces found. {_said([found])}", readings),
        ),
    ]


def _line(curve: Curve, name: str, label: str, style: str) -> Line:
    """A column in percent as shares, with its interval where there is one."""
    known = np.isfinite(curve[name])
    ends = [curve[key][known] / 100 for key in (f"{name}_low", f"{name}_high") if key in curve]
    band = (ends[0], ends[1]) if ends and np.isfinite(ends).all() else None
    return Line(label, style, curve["height"][known], curve[name][known] / 100, band)


def _said(lines: list[Line]) -> str:
    return " ".join(
        f"{line.label}: {100 * line.y[0]:.1f} % at {line.x[0]:g} px, {100 * line.y[-1]:.1f} % at {line.x[-1]:g} px."
        for line in lines
    )


def _presentations(results: Results, styles: dict[str, str]) -> Table:
    """How each run's faces are presented, and how many of each test set could not be aligned."""
    sets = [
        name
        for name, found in results.sets.items()
        if any(figures.get("n_unaligned") is not None for figures in found.figures.values())
    ]
    rows = []
    for name, run in results.runs.items():
        counts = [results.sets[test_set].figures[name].get("n_unaligned") for test_set in sets]
        cells = [Cell("–" if count is None else f"{count:,}") for count in counts]
        rows.append(Row(name, styles[name], [Cell(presented(run.presentation)), *cells]))
    groups = [("", 1), *([("Faces that could not be aligned", len(sets))] if sets else [])]
    caption = (
        "How faces are presented to each run, and in how many of a test set no landmarks were found that say where the "
        "face is: these are centred by a fixed crop."
    )
    return Table(caption, groups, ["Presentation", *sets], rows)


def _pictures(results: Results) -> list[Sheet]:
    """Probe faces as cropped and aligned; nothing where no run aligns, or where their landmarks are not known."""
    templates = {run.presentation for run in results.runs.values()} - {AS_CROPPED, MIDDLE}
    if not templates or not paths.NATIVE_LANDMARKS.is_file():
        return []
    faces = _located_probes()
    if not faces:
        return []
    cropped = [shown(image, f"face of {name}, as cropped") for name, image, _ in faces]
    aligned = [shown(_aligned(image, matrix), f"face of {name}, aligned") for name, image, matrix in faces]
    caption = "Probe faces of the benchmark, as cropped and as a model for aligned faces is given them."
    rows = [SheetRow("as cropped", cropped), SheetRow("aligned", aligned)]
    return [Sheet("What aligning does", caption, [name for name, *_ in faces], rows)]


def _located_probes() -> list[tuple[str, np.ndarray, np.ndarray]]:
    """Some probe faces whose landmarks were found: identity, image, and where it is moved. Ids are hashes: the first
    ones are an arbitrary choice that is the same every time.

    Raises:
        FaceTableError, ImageError: the benchmark is missing, or a face cannot be decoded.
    """
    located = read_table(paths.NATIVE_LANDMARKS, LANDMARK_SCHEMA).to_pylist()
    landmarks = {row["face_id"]: row["landmarks"] for row in located}
    faces = with_rows(read_faces(paths.BENCHMARK, ["face_id", "identity", "split"])).sort_by("face_id")
    found = []
    for face in faces.filter(pc.field("split") == "probe").to_pylist():
        points = landmarks.get(face["face_id"])
        if points is not None and len(found) < FACES:
            try:
                matrix = similarity(np.reshape(points, (-1, 2)))
            except LandmarkError:
                continue
            found.append((face["identity"], Images(paths.BENCHMARK, np.array([face["row"]])).decoded(0), matrix))
    return found


def _aligned(image: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """The face where its landmarks lie on the template: RGB (112, 112, 3), black outside of the picture."""
    half = np.array([0.5, 0.5])  # OpenCV counts from the first pixel's centre, landmarks from its corner
    shift = matrix[:, :2] @ half + matrix[:, 2] - half
    return cv2.warpAffine(image, np.column_stack([matrix[:, :2], shift]), (SIDE, SIDE), flags=cv2.INTER_LINEAR)
