"""What a usable benchmark meets. Each expectation's note says it in plain words; the page and the errors quote it."""

from dataclasses import dataclass

import great_expectations.expectations as gxe
import pandas as pd
from great_expectations.expectations.row_conditions import Column

from lrfr.quality.limits import Validate

LABELLED = ["train", "probe", "gallery"]
LANDMARK_MARGIN = 0.5  # a landmark may lie outside its crop by this share of the larger side: MTCNN's boxes are tight


@dataclass(frozen=True)
class Suite:
    """A data frame and what it must meet.

    ``key`` is the column that names a row, ``unit`` what a row is, ``note`` what a reader should know besides.
    """

    name: str
    title: str
    unit: str
    key: str
    frame: pd.DataFrame
    expectations: list[gxe.Expectation]
    note: str = ""


def benchmark_suite(frame: pd.DataFrame, limits: Validate, max_side: int, note: str = "") -> Suite:
    """The native faces: training, probe, gallery and distractors."""
    labelled, distractor = Column("split").is_in(LABELLED), Column("split") == "distractor"
    low, high = limits.mean_height
    own = [
        *(
            gxe.ExpectColumnValuesToBeBetween(
                column=side, min_value=1, max_value=max_side, notes=f"Every face's {side} is 1 to {max_side} px."
            )
            for side in ("width", "height")
        ),
        gxe.ExpectColumnMeanToBeBetween(
            column="height", min_value=low, max_value=high, notes=f"The mean height is {low:g} to {high:g} px."
        ),
        *_splits([*LABELLED, "distractor"]),
        gxe.ExpectColumnValuesToNotBeNull(
            column="identity",
            row_condition=labelled,
            notes="Every training, probe and gallery face has an identity.",
        ),
        gxe.ExpectColumnValuesToBeNull(
            column="identity", row_condition=distractor, notes="No distractor has an identity."
        ),
        gxe.ExpectColumnUniqueValueCountToBeBetween(
            column="face_id",
            min_value=limits.min_distractors,
            max_value=None,
            row_condition=distractor,
            notes=f"There are at least {limits.min_distractors} distractors.",
        ),
        gxe.ExpectColumnValuesToBeUnique(column="picture", notes="No picture stands twice in the benchmark."),
    ]
    return Suite("benchmark", "Native faces", "faces", "face_id", frame, [*_detected_faces(), *own], note)


def auxiliary_suite(frame: pd.DataFrame, benchmark: pd.DataFrame, max_side: int) -> Suite:
    """The HR faces of the auxiliary set."""
    known = set(benchmark["face_id"])
    shared = [face_id if face_id in known else None for face_id in frame["face_id"]]
    own = [
        gxe.ExpectColumnValuesToBeBetween(
            column="height",
            min_value=max_side,
            max_value=None,
            notes=f"Every face is at least {max_side} px high: low-resolution ones are made from it.",
        ),
        *_splits(["train", "validation"]),
        gxe.ExpectColumnValuesToNotBeNull(column="identity", notes="Every face has an identity."),
        gxe.ExpectColumnValuesToBeNull(
            column="also_in_benchmark", notes="No face stands both here and in the benchmark."
        ),
    ]
    frame = frame.assign(also_in_benchmark=pd.Series(shared, index=frame.index, dtype=object))
    return Suite("auxiliary", "Auxiliary HR faces", "faces", "face_id", frame, [*_detected_faces(), *own])


def identity_suite(frame: pd.DataFrame, limits: Validate, has_auxiliary: bool = True) -> Suite:
    """The identities, each with the number of its faces in every part; auxiliary ones are needed if there is any."""
    train, test = Column("train") > 0, Column("test") > 0
    none = {"min_value": 0, "max_value": 0}
    some = {"min_value": 1, "max_value": None}
    enough = {"column": "identity", "min_value": limits.min_identities, "max_value": None}
    expectations = [
        gxe.ExpectColumnValuesToBeBetween(
            column="test", row_condition=train, **none, notes="No identity is in both train and test."
        ),
        gxe.ExpectColumnValuesToBeBetween(
            column="auxiliary", row_condition=test, **none, notes="No test identity is in the auxiliary set."
        ),
        gxe.ExpectColumnValuesToBeBetween(
            column="probe", row_condition=test, **some, notes="Every test identity has a probe face."
        ),
        gxe.ExpectColumnValuesToBeBetween(
            column="gallery", row_condition=test, **some, notes="Every test identity has a gallery face."
        ),
        gxe.ExpectColumnValuesToBeBetween(
            column="auxiliary_train",
            row_condition=Column("auxiliary") > 0,
            **some,
            notes="Every auxiliary identity has a training face.",
        ),
        gxe.ExpectColumnUniqueValueCountToBeBetween(
            **enough, row_condition=train, notes=f"There are at least {limits.min_identities} training identities."
        ),
        gxe.ExpectColumnUniqueValueCountToBeBetween(
            **enough, row_condition=test, notes=f"There are at least {limits.min_identities} test identities."
        ),
        gxe.ExpectColumnUniqueValueCountToBeBetween(
            column="identity",
            min_value=2,
            max_value=None,
            row_condition=Column("auxiliary") > 0,
            notes="There are at least 2 auxiliary identities.",
        ),
    ][: None if has_auxiliary else -1]
    return Suite("identities", "Identities", "identities", "identity", frame, expectations)


def identified_faces() -> list[gxe.Expectation]:
    """What holds for each row of every face table, whatever its images are."""
    return [
        gxe.ExpectColumnValuesToNotBeNull(column="face_id", notes="Every face has an id."),
        gxe.ExpectColumnValuesToBeUnique(column="face_id", notes="No face id stands twice."),
        gxe.ExpectColumnValuesToNotBeNull(column="source", notes="Every face names its source."),
    ]


def whole_faces() -> list[gxe.Expectation]:
    """What holds for each row of the tables whose images are trained or tested on."""
    return [
        *identified_faces(),
        gxe.ExpectColumnValuesToBeNull(
            column="image_problem", notes="Every image can be decoded and has the width and height of its row."
        ),
        gxe.ExpectColumnValuesToBeNull(
            column="number_problem", notes="Every score, box and landmark is a number, if it is there."
        ),
        gxe.ExpectColumnValuesToBeBetween(
            column="score", min_value=0, max_value=1, notes="Every detection score is 0 to 1."
        ),
    ]


def _detected_faces() -> list[gxe.Expectation]:
    """What holds for each face whose landmarks come from a detector."""
    return [
        *whole_faces(),
        gxe.ExpectColumnValuesToBeBetween(
            column="landmark_overshoot",
            min_value=0,
            max_value=LANDMARK_MARGIN,
            notes="Every landmark lies in its face's crop, or near it.",
        ),
    ]


def _splits(names: list[str]) -> list[gxe.Expectation]:
    return [
        gxe.ExpectColumnValuesToNotBeNull(column="split", notes="Every face belongs to a split."),
        gxe.ExpectColumnValuesToBeInSet(
            column="split", value_set=names, notes=f"The splits are {', '.join(names[:-1])} and {names[-1]}."
        ),
    ]
