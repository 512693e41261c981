"""What an imported test set meets: its lists name what it has, and nobody in it is trained on."""

from collections.abc import Collection
from dataclasses import dataclass

import great_expectations.expectations as gxe
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from great_expectations.expectations.row_conditions import Column

from lrfr.quality.expectations import Suite, identified_faces
from lrfr.quality.tables import attribute, objects, people

SPLITS = ["train", "probe", "gallery", "distractor"]
ROLES = ["G1", "G2", "probe"]


@dataclass(frozen=True)
class Training:
    """What is trained on: people as their source names them, and the digests of the images' bytes."""

    people: Collection[str]
    pictures: Collection[str]


def training(benchmark: pa.Table, *others: pa.Table) -> Training:
    """What the training faces of the benchmark show, and all faces of the other tables.

    Args:
        benchmark: source, identity, split and ``picture``, as :func:`lrfr.quality.tables.pictured` has it.
        others: the auxiliary set and the unrecognizable faces, with the same columns.
    """
    columns = ["source", "identity", "picture"]
    tables = benchmark.filter(pc.field("split") == "train"), *others
    used = pa.concat_tables([table.select(columns) for table in tables])
    return Training({person for person in people(used) if person}, set(used["picture"].to_pylist()))


def test_set_suites(name: str, faces: pa.Table, pairs: pa.Table, enrolment: pa.Table, used: Training) -> list[Suite]:
    """The suites of one test set; lists that its protocol does not have are left out.

    Args:
        name: of the test set.
        faces: as :func:`lrfr.quality.tables.pictured` gives them.
        pairs: rows of PAIR_SCHEMA.
        enrolment: rows of ENROLMENT_SCHEMA.
        used: what is trained on.
    """
    templates = {template for template in attribute(faces, "template") if template}
    suites = [_face_suite(name, faces, used)]
    if pairs.num_rows:
        suites.append(_pair_suite(name, pairs, templates | set(faces["face_id"].to_pylist())))
    if enrolment.num_rows:
        suites.append(_enrolment_suite(name, enrolment, templates))
    return suites


def _face_suite(name: str, faces: pa.Table, used: Training) -> Suite:
    frame = faces.select(["face_id", "source", "width", "height", "identity", "split"]).to_pandas()
    tested = (frame["split"] != "train").tolist()
    shown, seen = people(faces), faces["picture"].to_pylist()
    trains = [who if test and who in used.people else None for test, who in zip(tested, shown, strict=True)]
    copied = [hashed if test and hashed in used.pictures else None for test, hashed in zip(tested, seen, strict=True)]
    frame = objects(frame, missing=attribute(faces, "missing"), also_trains=trains, trained_picture=copied)
    expectations = [
        *identified_faces(),
        *(
            gxe.ExpectColumnValuesToBeBetween(
                column=side,
                min_value=1,
                max_value=None,
                row_condition=Column("missing").is_null(),
                notes=f"Every face that is not missing has a {side}.",
            )
            for side in ("width", "height")
        ),
        gxe.ExpectColumnValuesToBeInSet(
            column="missing",
            value_set=["unreadable", "no_face"],
            notes="A missing face is unreadable or shows no face.",
        ),
        gxe.ExpectColumnValuesToBeInSet(
            column="split", value_set=SPLITS, notes="A face's split is train, probe, gallery or distractor."
        ),
        gxe.ExpectColumnValuesToBeNull(column="also_trains", notes="Nobody who is tested here is trained on."),
        gxe.ExpectColumnValuesToBeNull(column="trained_picture", notes="No picture that is tested on is trained on."),
    ]
    return Suite(f"{name}-faces", f"Test set {name}, faces", "faces", "face_id", frame, expectations)


def _pair_suite(name: str, pairs: pa.Table, known: Collection[str]) -> Suite:
    """Ids stay in dictionaries: published lists have millions of pairs."""
    frame = pa.table({side: pairs[side].dictionary_encode() for side in ("left", "right")}).to_pandas()
    frame = frame.assign(row=range(len(frame)), same=pairs["same"].to_pandas(), fold=pairs["fold"].to_pandas())
    for side in ("left", "right"):
        frame[f"unknown_{side}"] = frame[side].where(~frame[side].isin(known)).astype(object)
    expectations = [
        *(
            gxe.ExpectColumnValuesToBeNull(
                column=f"unknown_{side}", notes=f"Every {side} side of a pair is a face or a template of the set."
            )
            for side in ("left", "right")
        ),
        gxe.ExpectColumnUniqueValueCountToBeBetween(
            column="same", min_value=2, max_value=2, notes="There are pairs of one person and pairs of two."
        ),
        gxe.ExpectColumnValuesToBeBetween(
            column="fold", min_value=0, max_value=None, notes="Every fold has a number from 0."
        ),
    ]
    return Suite(f"{name}-pairs", f"Test set {name}, pairs", "pairs", "row", frame, expectations)


def _enrolment_suite(name: str, enrolment: pa.Table, templates: Collection[str]) -> Suite:
    frame = enrolment.to_pandas()
    strange = [None if template in templates else template for template in frame["template"]]
    frame = frame.assign(
        unknown_template=pd.Series(strange, index=frame.index, dtype=object),
        entry=frame["role"] + " " + frame["template"],
    )
    expectations = [
        gxe.ExpectColumnValuesToBeNull(
            column="unknown_template", notes="Every template that is enrolled or looked for has a face."
        ),
        gxe.ExpectColumnValuesToBeUnique(column="entry", notes="No template stands twice in one role."),
        gxe.ExpectColumnValuesToBeInSet(column="role", value_set=ROLES, notes="Every role is G1, G2 or probe."),
        gxe.ExpectColumnValuesToNotBeNull(column="identity", notes="Every template has an identity."),
    ]
    title = f"Test set {name}, enrolment"
    return Suite(f"{name}-enrolment", title, "templates", "template", frame, expectations)
