"""What the tables of curation meet: every verdict and every finding is on a face, and nothing excluded is used."""

from collections.abc import Collection, Mapping

import great_expectations.expectations as gxe
import pandas as pd
import pyarrow as pa

from lrfr.core import names
from lrfr.core.curation import REASONS
from lrfr.core.names import Name
from lrfr.core.verdicts import ADJUDICATED, Verdict, resolve
from lrfr.quality.expectations import Suite, identified_faces
from lrfr.quality.tables import objects

AGAINST = ("not_face", "unrecognizable")
ACROSS = ["leak", "other_identity", "other_split", "same_identity", "unnamed"]


def excluded_suite(faces: pa.Table, used: Collection[str]) -> Suite:
    """Faces that curation excluded.

    Args:
        faces: face_id, source and attributes.
        used: face_ids of the benchmark and the auxiliary set.
    """
    frame = faces.select(["face_id", "source"]).to_pandas()
    reasons = [dict(known or []).get("reason") for known in faces["attributes"].to_pylist()]
    frame = objects(frame, reason=reasons).assign(also_used=_if_in(frame["face_id"], used))
    expectations = [*identified_faces(), _unused(), *_reasons()]
    return Suite("excluded", "Faces excluded", "faces", "face_id", frame, expectations)


def unrecognizable_suite(faces: pa.Table, benchmark: pd.DataFrame, used: Collection[str]) -> Suite:
    """Faces that nobody recognises, which a run may learn from: none of them is tested, nor shows who is.

    Args:
        faces: as :func:`lrfr.quality.tables.pictured` gives them, decoded.
        benchmark: as :func:`lrfr.quality.tables.face_frame` gives it.
        used: face_ids of the benchmark and the auxiliary set.
    """
    tested = benchmark[benchmark["split"] != "train"]
    persons = set(zip(tested["source"], tested["identity"], strict=True))
    pictures = set(tested["picture"])
    shown = zip(faces["source"].to_pylist(), faces["identity"].to_pylist(), strict=True)
    frame = faces.select(["face_id", "source"]).to_pandas()
    frame = objects(
        frame,
        image_problem=faces["image_problem"].to_pylist(),
        tested_person=[who if who is not None and (source, who) in persons else None for source, who in shown],
        tested_picture=[picture if picture in pictures else None for picture in faces["picture"].to_pylist()],
    ).assign(also_used=_if_in(frame["face_id"], used))
    expectations = [
        *identified_faces(),
        gxe.ExpectColumnValuesToBeNull(
            column="image_problem", notes="Every image can be read, and is as large as told."
        ),
        _unused(),
        gxe.ExpectColumnValuesToBeNull(
            column="tested_person", notes="None of these faces shows somebody who is tested."
        ),
        gxe.ExpectColumnValuesToBeNull(column="tested_picture", notes="None of these faces is a copy of a test face."),
    ]
    return Suite("unrecognizable", "Unrecognizable faces", "faces", "face_id", frame, expectations)


def finding_suite(findings: pa.Table, aside: Collection[str], used: Collection[str], others: Collection[str]) -> Suite:
    """What curation found against faces.

    Args:
        findings: rows of FINDING_SCHEMA.
        aside: face_ids that are excluded.
        used: face_ids of the benchmark and the auxiliary set.
        others: face_ids of imported test sets.
    """
    frame = findings.to_pandas()
    places = [aside if gone else used for gone in frame["excluded"]]
    misplaced = [None if face in place else face for face, place in zip(frame["face_id"], places, strict=True)]
    known = {*aside, *used, *others}
    lost = [None if face is None or face in known else face for face in frame["copy_of"]]
    frame = frame.assign(
        misplaced=pd.Series(misplaced, index=frame.index, dtype=object),
        lost_original=pd.Series(lost, index=frame.index, dtype=object),
    )
    expectations = [
        gxe.ExpectColumnValuesToBeNull(
            column="misplaced", notes="Every face is excluded if its finding says so, and stays if not."
        ),
        *_reasons(),
        gxe.ExpectColumnValuesToBeNull(column="lost_original", notes="Every copy copies a face that is there."),
        gxe.ExpectColumnValuesToBeInSet(column="kind", value_set=["exact", "near"], notes="A copy is exact or near."),
        gxe.ExpectColumnValuesToBeInSet(
            column="across", value_set=ACROSS, notes="It is known what every copy lies across."
        ),
        gxe.ExpectColumnValuesToBeBetween(
            column="similarity", min_value=0, max_value=1, notes="Every copy's similarity is 0 to 1."
        ),
    ]
    return Suite("findings", "Curation's findings", "findings", "face_id", frame, expectations)


def verdict_suite(
    people: list[Verdict], simulated: list[Verdict], gone: Collection[str], used: Collection[str]
) -> Suite:
    """The lines of all manifests.

    Args:
        people: what people said; it replaces what is simulated.
        simulated: what simulated labellers said.
        gone: face_ids of faces that curation found fault with, excluded or not.
        used: face_ids of the benchmark and the auxiliary set.
    """
    lines = [*people, *simulated]
    outcomes = resolve(simulated) | resolve(people)
    ruled_out = {face for face, outcome in outcomes.items() if outcome.verdict in AGAINST} & set(used) - set(gone)
    others = [None if line.manifest in (line.labeller, ADJUDICATED) else line.labeller for line in lines]
    columns = {
        "line": [f"{line.manifest}.csv:{line.line}" for line in lines],
        "face_id": [line.face_id for line in lines],
        "unknown_face": [
            line.face_id if line.face_id not in gone and line.face_id not in used else None for line in lines
        ],
        "other_labeller": others,
        "against": [line.verdict if line.face_id in ruled_out else None for line in lines],
    }
    frame = pd.DataFrame(columns, dtype=object)
    expectations = [
        gxe.ExpectColumnValuesToBeNull(column="unknown_face", notes="Every verdict is on a face that was detected."),
        gxe.ExpectColumnValuesToBeNull(
            column="other_labeller", notes="A manifest has one labeller's verdicts, whose name it bears."
        ),
        gxe.ExpectColumnValuesToBeNull(
            column="against", notes="No face is in use that was judged to be no face, or unrecognizable."
        ),
    ]
    return Suite("verdicts", "Verdicts", "lines", "line", frame, expectations)


def name_suite(given: list[Name], used: Mapping[str, str | None], gone: Collection[str]) -> Suite:
    """The lines of all manifests of names.

    Args:
        given: what people named.
        used: the identity of each native face of the benchmark, by face_id.
        gone: face_ids of faces that curation found fault with, excluded or not.
    """
    identities = names.resolve(given)
    others = [None if line.manifest in (line.labeller, ADJUDICATED) else line.labeller for line in given]
    columns = {
        "line": [f"{line.manifest}.csv:{line.line}" for line in given],
        "unknown_face": [None if line.face_id in used or line.face_id in gone else line.face_id for line in given],
        "other_labeller": others,
        "other_name": [
            used[line.face_id] if line.face_id in used and _differs(identities, used, line.face_id) else None
            for line in given
        ],
    }
    expectations = [
        gxe.ExpectColumnValuesToBeNull(column="unknown_face", notes="Every name is that of a face that was detected."),
        gxe.ExpectColumnValuesToBeNull(
            column="other_labeller", notes="A manifest has the names that one labeller gave, whose name it bears."
        ),
        gxe.ExpectColumnValuesToBeNull(
            column="other_name", notes="Every face that people named has the name that they agree on."
        ),
    ]
    return Suite("names", "Names", "lines", "line", pd.DataFrame(columns, dtype=object), expectations)


def _differs(identities: Mapping[str, str | None], used: Mapping[str, str | None], face_id: str) -> bool:
    return face_id in identities and identities[face_id] != used[face_id]


def _unused() -> gxe.Expectation:
    return gxe.ExpectColumnValuesToBeNull(
        column="also_used", notes="None of these faces is in the benchmark or the auxiliary set."
    )


def _reasons() -> list[gxe.Expectation]:
    """That every row has one of curation's reasons."""
    return [
        gxe.ExpectColumnValuesToNotBeNull(column="reason", notes="Every face has the reason why."),
        gxe.ExpectColumnValuesToBeInSet(
            column="reason", value_set=list(REASONS), notes="Every reason is one that curation knows."
        ),
    ]


def _if_in(values: pd.Series, known: Collection[str]) -> pd.Series:
    """The values that are among the known ones, null in place of the others."""
    return pd.Series([value if value in known else None for value in values], index=values.index, dtype=object)
