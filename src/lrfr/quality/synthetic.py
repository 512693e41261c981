"""What each synthesiser's faces meet: one low-resolution version of every auxiliary face, and nothing else."""

from collections import defaultdict

import great_expectations.expectations as gxe
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from lrfr.quality.expectations import Suite, whole_faces
from lrfr.quality.shrinking import LANDMARK_TOLERANCE, landmark_shifts, rows_by_id
from lrfr.quality.tables import attribute, face_frame, objects

DISTINCT = 0.99  # of the pictures: a network that has collapsed gives everybody one face


def synthetic_suites(tables: dict[str, pa.Table], auxiliary: pa.Table, benchmark: pa.Table, side: int) -> list[Suite]:
    """A suite for each synthesiser.

    Args:
        tables: by synthesiser, as :func:`lrfr.quality.tables.pictured` gives them decoded, each row with the
            attributes ``hr_face_id`` and ``synthesizer``.
        auxiliary: the HR faces.
        benchmark: identity, split and height of the native faces.
        side: the largest side of a native face, px.
    """
    originals = rows_by_id(auxiliary)
    train = pc.field("split") == "train"
    heights = set(benchmark.filter(train)["height"].to_pylist())
    tested = set(benchmark.filter(~train)["identity"].drop_null().to_pylist())
    differing = _of_several_heights(tables)
    return [
        Suite(
            f"synthetic-{name}",
            f"Synthetic faces, {name}",
            "faces",
            "face_id",
            objects(
                _frame(table, name, originals, heights),
                other_height=[face if face in differing else None for face in attribute(table, "hr_face_id")],
                tested=[who if who in tested else None for who in table["identity"].to_pylist()],
            ),
            [*whole_faces(), *_expectations(name, len(originals), side)],
        )
        for name, table in tables.items()
    ]


def _frame(table: pa.Table, name: str, originals: dict[str, dict], heights: set[int]) -> pd.DataFrame:
    """The rows, each beside the HR face that it is made of."""
    of, made_by = attribute(table, "hr_face_id"), attribute(table, "synthesizer")
    rows = table.select(["identity", "split", "source", "width", "height"]).to_pylist()
    pairs = [(row, originals.get(face or "", row)) for row, face in zip(rows, of, strict=True)]
    columns = {
        "hr_face_id": of,
        "lost_hr": [None if face in originals else face or "none named" for face in of],
        "other_maker": [None if maker == name else maker or "none named" for maker in made_by],
        "foreign_height": [
            None if row["height"] in heights or row["height"] == hr["height"] else row["height"] for row, hr in pairs
        ],
    }
    for column in ("identity", "split", "source"):
        columns[f"other_{column}"] = [
            None if row[column] == hr[column] else f"{row[column]}, not {hr[column]}" for row, hr in pairs
        ]
    stretch = [abs(row["width"] - hr["width"] * row["height"] / max(hr["height"], 1)) for row, hr in pairs]
    return objects(face_frame(table), **columns).assign(
        stretch=stretch, landmark_shift=landmark_shifts(table, originals)
    )


def _expectations(name: str, count: int, side: int) -> list[gxe.Expectation]:
    """What holds besides what holds for every face; there are ``count`` HR faces."""
    nothing_in = {
        "lost_hr": "Every face is made of an auxiliary HR face that is there.",
        "other_maker": f"Every face was made by {name}.",
        "other_identity": "Every face shows the auxiliary identity that its HR face shows.",
        "other_split": "Every face trains or validates as its HR face does.",
        "other_source": "Every face names the source of its HR face.",
        "tested": "No face shows somebody who is tested.",
        "foreign_height": "Every face is as high as a native training face, or as its own HR face.",
        "other_height": "Every face has the same height by every synthesiser.",
    }
    return [
        *(gxe.ExpectColumnValuesToBeNull(column=column, notes=says) for column, says in nothing_in.items()),
        gxe.ExpectColumnValuesToBeUnique(column="hr_face_id", notes="No HR face has two versions."),
        gxe.ExpectColumnUniqueValueCountToBeBetween(
            column="hr_face_id",
            min_value=count,
            max_value=count,
            notes=f"Each of the {count:,} auxiliary HR faces has its version.",
        ),
        gxe.ExpectColumnValuesToBeBetween(
            column="height", min_value=1, max_value=side, notes=f"Every face is 1 to {side} px high."
        ),
        gxe.ExpectColumnValuesToBeBetween(
            column="stretch",
            min_value=0,
            max_value=1,
            notes="Every face keeps its HR face's ratio of width to height, to a pixel.",
        ),
        gxe.ExpectColumnValuesToBeBetween(
            column="landmark_shift",
            min_value=0,
            max_value=LANDMARK_TOLERANCE,
            notes="Every landmark lies where its HR face has it, shrunk with the image.",
        ),
        gxe.ExpectColumnProportionOfUniqueValuesToBeBetween(
            column="picture", min_value=DISTINCT, max_value=1, notes="Hardly any two faces are one picture."
        ),
    ]


def _of_several_heights(tables: dict[str, pa.Table]) -> set[str]:
    """The HR faces whose versions by different synthesisers differ in height."""
    heights: dict[str, set[int]] = defaultdict(set)
    for table in tables.values():
        for face, height in zip(attribute(table, "hr_face_id"), table["height"].to_pylist(), strict=True):
            heights[face or ""].add(height)
    return {face for face, found in heights.items() if len(found) > 1}
