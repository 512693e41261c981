"""What a batch of arrivals meets before anything is learnt from it."""

import great_expectations.expectations as gxe
import pandas as pd

from lrfr.quality.expectations import Suite, whole_faces


def batch_suite(name: str, frame: pd.DataFrame) -> Suite:
    """The faces of a batch.

    Args:
        name: of the batch.
        frame: as :func:`lrfr.quality.tables.face_frame` gives it.
    """
    once = gxe.ExpectColumnValuesToBeUnique(
        column="picture", mostly=0.5, notes="At least half of the pictures stand once in the batch."
    )
    named = frame.groupby("picture")["identity"].nunique()
    frame = frame.assign(names_of_picture=frame["picture"].map(named))
    one_name = gxe.ExpectColumnValuesToBeBetween(
        column="names_of_picture", min_value=0, max_value=1, notes="No picture has two names."
    )
    return Suite("batch", f"Batch {name}", "faces", "face_id", frame, [*whole_faces(), once, one_name])
