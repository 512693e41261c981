"""The section of alignment: how well landmarks are found in tiny faces, and what aligning does to recognition."""

import numpy as np

from lrfr.charts.axes import Axis, nice_ticks, share_axis
from lrfr.charts.lines import Line, line_chart
from lrfr.report.blocks import Charts, Note, Panel, Section, Table
from lrfr.report.conditions import conditions_table, test_sets, under
from lrfr.report.results import Curve, Results

ALIGNED = {"aligned": "aligned"}
LINES = {
    "cnn6": ("CNN-6", "c0 d0"),
    "cnn6_where_mtcnn_found": ("CNN-6, where MTCNN finds a face", "c0 d2"),
    "mtcnn": ("MTCNN", "c1 d1"),
    "mean_shape": ("mean shape", "chance"),
}


def section(results: Results, styles: dict[str, str]) -> Section:
    """The landmarks' error by the height of the face, then the benchmark and the test sets, aligned and not."""
    return Section(
        "alignment",
        "Landmarks and alignment",
        "A CNN-6, trained with the Wing loss on portraits made small, finds eyes, nose and mouth in tiny faces (RIFR). "
        "By them test faces are turned and scaled onto one template. A model that did not train on aligned faces meets "
        "there what it does not know.",
        [
            Charts("Landmarks in faces of each size", _panels(_errors(results)), _CAPTION, list(LINES.values())),
            *_tables(results, styles),
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


def _tables(results: Results, styles: dict[str, str]) -> list[Table | Note]:
    """The benchmark, and every test set that was tested aligned."""
    blocks: list[Table | Note] = []
    if under(results.metrics, ALIGNED):
        blocks.append(
            conditions_table("tinyface", results.metrics, ALIGNED, styles, f"The benchmark, with distractors: {_SAID}")
        )
    for name in test_sets(results.sets, ALIGNED):
        of = results.sets[name]
        blocks.append(conditions_table(of.protocol, of.figures, ALIGNED, styles, f"Test set {name}: {_SAID}"))
    return blocks


_SAID = (
    "percent, 95 % bootstrap intervals below; changes in percentage points, p of a sign-flip permutation test over "
    "identities."
)
