"""What the SynLR set meets: the same partition out of shrunk HR faces, and nobody in it is trained on."""

from collections import Counter

import great_expectations.expectations as gxe
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from great_expectations.expectations.row_conditions import Column

from lrfr.quality.expectations import Suite, whole_faces
from lrfr.quality.shrinking import LANDMARK_TOLERANCE, landmark_shifts, rows_by_id
from lrfr.quality.tables import attribute, face_frame, objects, people
from lrfr.quality.test_sets import Training

NOT_NAMED = "none named"

Counts = Counter[str | None]  # faces by identity


def synlr_suites(synlr: pa.Table, benchmark: pa.Table, hr: pa.Table, used: Training) -> list[Suite]:
    """The suites of the SynLR set's faces and of its identities.

    Args:
        synlr: as :func:`lrfr.quality.tables.pictured` gives it decoded, each row with the attributes
            ``native_face_id`` and ``hr_face_id``.
        benchmark: the native faces.
        hr: the faces of the evaluation set that the SynLR set is made of, each with its ``picture``.
        used: what is trained on.
    """
    size = round(pc.mean(benchmark["height"]).as_py()), round(pc.mean(benchmark["width"]).as_py())
    native = benchmark.filter(pc.field("split") != "train")
    trains = synlr.filter(pc.field("split") == "train")
    synlr = synlr.filter(pc.field("split") != "train")
    hr = hr.filter(~pc.field("identity").isin(trains["identity"].unique()) | pc.field("identity").is_null())
    large = hr.filter((pc.field("height") >= size[0]) & (pc.field("width") >= size[1]))
    large = large.filter(pa.array([missing is None for missing in attribute(large, "missing")], pa.bool_()))
    suites = [_face_suite(synlr, native, large, size, used), _identity_suite(synlr, native, large)]
    return [*suites, *([_training_suite(trains, size)] if trains.num_rows else [])]


def _training_suite(synlr: pa.Table, size: tuple[int, int]) -> Suite:
    """What the training half meets; that nobody in it is tested too, the other suites say: his HR faces are lost."""
    named = gxe.ExpectColumnValuesToNotBeNull(column="identity", notes="Every training face has an identity.")
    expectations = [*whole_faces(), *_of_size(size), named]
    return Suite("synlr-training", "SynLR, training faces", "faces", "face_id", face_frame(synlr), expectations)


def _of_size(size: tuple[int, int]) -> list[gxe.ExpectColumnValuesToBeBetween]:
    return [
        gxe.ExpectColumnValuesToBeBetween(
            column=side,
            min_value=mean,
            max_value=mean,
            notes=f"Every face's {side} is {mean} px, the mean of the native faces.",
        )
        for side, mean in zip(("height", "width"), size, strict=True)
    ]


def _face_suite(synlr: pa.Table, native: pa.Table, hr: pa.Table, size: tuple[int, int], used: Training) -> Suite:
    frame = _face_frame(synlr, native, hr, used)
    distractors, strangers = _count(native, "distractor"), _strangers(synlr, hr)
    own = [
        *_of_size(size),
        gxe.ExpectColumnValuesToBeNull(
            column="lost_native", notes="Every face stands in for a native test face that is there."
        ),
        gxe.ExpectColumnValuesToBeUnique(column="native_face_id", notes="No native face has two stand-ins."),
        gxe.ExpectColumnValuesToBeNull(column="lost_hr", notes="Every face is made of an HR face that is there."),
        gxe.ExpectColumnValuesToBeUnique(column="hr_face_id", notes="No HR face is used twice."),
        gxe.ExpectColumnValuesToBeNull(
            column="other_split", notes="Every face is probe, gallery or distractor as its native face is."
        ),
        gxe.ExpectColumnValuesToBeNull(
            column="other_identity",
            notes="Every probe and gallery face has the identity of its HR face, and no distractor has one.",
        ),
        gxe.ExpectColumnValuesToBeBetween(
            column="landmark_shift",
            min_value=0,
            max_value=LANDMARK_TOLERANCE,
            notes="Every landmark lies where its HR face has it, shrunk with the image.",
        ),
        gxe.ExpectColumnUniqueValueCountToBeBetween(
            column="face_id",
            min_value=min(distractors, strangers),
            max_value=min(distractors, strangers),
            row_condition=Column("split") == "distractor",
            notes=f"There are {min(distractors, strangers):,} distractors, all that the HR faces suffice for.",
        ),
        gxe.ExpectColumnValuesToBeNull(column="also_trains", notes="Nobody in the SynLR set is trained on."),
        gxe.ExpectColumnValuesToBeNull(
            column="trained_picture", notes="No picture that the SynLR set is made of is trained on."
        ),
    ]
    left_out = native.num_rows - synlr.num_rows
    note = f"{left_out:,} native test faces have no stand-in, as there are too few HR faces." if left_out > 0 else ""
    return Suite("synlr", "SynLR, faces", "faces", "face_id", frame, [*whole_faces(), *own], note)


def _face_frame(synlr: pa.Table, native: pa.Table, hr: pa.Table, used: Training) -> pd.DataFrame:
    """the SynLR set's rows, each beside the native face that it stands in for and the HR face that it is made of."""
    splits = dict(zip(native["face_id"].to_pylist(), native["split"].to_pylist(), strict=True))
    originals = rows_by_id(hr)
    shown = dict(zip(originals, people(hr), strict=True))
    seen = dict(zip(originals, hr["picture"].to_pylist(), strict=True))
    of_native, of_hr = attribute(synlr, "native_face_id"), attribute(synlr, "hr_face_id")
    split, identity = synlr["split"].to_pylist(), synlr["identity"].to_pylist()
    playing = [originals.get(face or "", {}).get("identity") for face in of_hr]
    expected = [None if place == "distractor" else who for place, who in zip(split, playing, strict=True)]
    return objects(
        face_frame(synlr),
        native_face_id=of_native,
        hr_face_id=of_hr,
        lost_native=[None if face in splits else face or NOT_NAMED for face in of_native],
        lost_hr=[None if face in originals else face or NOT_NAMED for face in of_hr],
        other_split=[
            None if place == splits.get(face or "", place) else f"{place}, the native one {splits[face or '']}"
            for place, face in zip(split, of_native, strict=True)
        ],
        other_identity=[
            None if who == right else f"{who}, not {right}" for who, right in zip(identity, expected, strict=True)
        ],
        also_trains=[shown.get(face or "") if shown.get(face or "") in used.people else None for face in of_hr],
        trained_picture=[face if seen.get(face or "") in used.pictures else None for face in of_hr],
    ).assign(landmark_shift=landmark_shifts(synlr, originals))


def _identity_suite(synlr: pa.Table, native: pa.Table, hr: pa.Table) -> Suite:
    wanted, have = _faces_each(native), _faces_each(hr)
    people_enough = min(len(wanted), sum(images > 1 for images in have.values()))
    some, none = {"min_value": 1, "max_value": None}, {"min_value": 0, "max_value": 0}
    expectations = [
        gxe.ExpectColumnValuesToBeBetween(column="probe", **some, notes="Every identity has a probe face."),
        gxe.ExpectColumnValuesToBeBetween(column="gallery", **some, notes="Every identity has a gallery face."),
        gxe.ExpectColumnValuesToBeBetween(
            column="plays", min_value=1, max_value=1, notes="Every identity plays one native identity."
        ),
        gxe.ExpectColumnValuesToBeUnique(column="native_identity", notes="No native identity is played by two."),
        gxe.ExpectColumnValuesToBeBetween(
            column="lacking",
            **none,
            notes="Every identity has as many faces as the native one, or all that there are of it in HR.",
        ),
        gxe.ExpectColumnUniqueValueCountToBeBetween(
            column="identity",
            min_value=people_enough,
            max_value=people_enough,
            notes=f"There are {people_enough:,} identities, all that the HR faces suffice for.",
        ),
        gxe.ExpectColumnUniqueValueCountToBeBetween(
            column="identity", min_value=2, max_value=None, notes="There are at least 2 identities to tell apart."
        ),
    ]
    frame = _identity_frame(synlr, native, wanted, have)
    title = "SynLR, identities"
    return Suite("synlr-identities", title, "identities", "identity", frame, expectations)


def _identity_frame(synlr: pa.Table, native: pa.Table, wanted: Counts, have: Counts) -> pd.DataFrame:
    """A row for each identity of the SynLR set, sorted, beside the native identity that it plays.

    Args:
        synlr: the SynLR set's faces.
        native: the native test faces.
        wanted: how many faces each native identity has.
        have: how many HR faces each identity of the SynLR set could have.
    """
    plays = dict(zip(native["face_id"].to_pylist(), native["identity"].to_pylist(), strict=True))
    frame = synlr.select(["identity", "split"]).to_pandas()
    frame = objects(frame, role=[plays.get(face or "") for face in attribute(synlr, "native_face_id")])
    frame = frame[frame["identity"].notna()]
    rows = []
    for who, faces in frame.groupby("identity"):
        roles = sorted(faces["role"].dropna().unique())
        played = roles[0] if roles else None
        counts = {split: int((faces["split"] == split).sum()) for split in ("probe", "gallery")}
        lacking = min(wanted[played], have[str(who)]) - len(faces)
        rows.append({"identity": who, **counts, "plays": len(roles), "native_identity": played, "lacking": lacking})
    return pd.DataFrame(rows, columns=["identity", "probe", "gallery", "plays", "native_identity", "lacking"])


def _faces_each(faces: pa.Table) -> Counts:
    """How many faces each identity has."""
    return Counter(faces["identity"].drop_null().to_pylist())


def _count(faces: pa.Table, split: str) -> int:
    return faces.filter(pc.field("split") == split).num_rows


def _strangers(synlr: pa.Table, hr: pa.Table) -> int:
    """How many HR faces show nobody who plays a native identity: they can be distractors."""
    playing = set(synlr["identity"].drop_null().to_pylist())
    return sum(who not in playing for who in hr["identity"].to_pylist())
