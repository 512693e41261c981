"""What the tables of photos meet: each photo once, and nobody tagged where there is no photo."""

import great_expectations.expectations as gxe
import pandas as pd
import pyarrow as pa

from lrfr.quality.expectations import Suite

COLLECTIONS = ["native", "auxiliary", "unrecognizable"]


def photo_suite(photos: pa.Table) -> Suite:
    """The photos in which faces were looked for.

    Args:
        photos: photo_id, source, collection, width and height; 0 x 0 px for one that could not be read.
    """
    expectations = [
        gxe.ExpectColumnValuesToNotBeNull(column="photo_id", notes="Every photo has an id."),
        gxe.ExpectColumnValuesToBeUnique(column="photo_id", notes="No photo id stands twice."),
        gxe.ExpectColumnValuesToNotBeNull(column="source", notes="Every photo names its source."),
        gxe.ExpectColumnValuesToBeInSet(
            column="collection",
            value_set=COLLECTIONS,
            notes="Every photo is for native, auxiliary or unrecognizable faces.",
        ),
        *(
            gxe.ExpectColumnValuesToBeBetween(
                column=side, min_value=0, max_value=None, notes=f"No photo has a negative {side}."
            )
            for side in ("width", "height")
        ),
    ]
    return Suite("photos", "Photos", "photos", "photo_id", photos.to_pandas(), expectations)


def tag_suite(tags: pa.Table, photos: pa.Table) -> Suite:
    """Who is where in the photos, as the source says."""
    named = gxe.ExpectColumnValuesToNotBeNull(column="identity", notes="Every tag has a name.")
    return Suite("tags", "Tags", "tags", "tag", _boxes(tags, photos, "tag"), [*_placed("tag"), named])


def truth_suite(truth: pa.Table, photos: pa.Table) -> Suite:
    """Who is where in the photos, as the renderer knows."""
    return Suite("truth", "The renderer's truth", "faces", "face", _boxes(truth, photos, "face"), _placed("face"))


def _boxes(boxes: pa.Table, photos: pa.Table, unit: str) -> pd.DataFrame:
    """Boxes by their place in the table, with each one's sides, and its photo if that is not among the photos."""
    known = set(photos["photo_id"].to_pylist())
    corners = pd.DataFrame(boxes["box"].to_pylist(), columns=["x", "y", "width", "height"]).fillna(0)  # NaN is no size
    photo_ids = boxes["photo_id"].to_pylist()
    return corners.assign(
        **{unit: [f"row {row} in {photo}" for row, photo in enumerate(photo_ids)]},
        identity=pd.Series(boxes["identity"].to_pylist(), dtype=object),
        unknown_photo=pd.Series([None if photo in known else photo for photo in photo_ids], dtype=object),
    )


def _placed(unit: str) -> list[gxe.Expectation]:
    return [
        gxe.ExpectColumnValuesToBeNull(column="unknown_photo", notes=f"Every {unit} is in a photo that is there."),
        *(
            gxe.ExpectColumnValuesToBeBetween(
                column=side, min_value=0, max_value=None, strict_min=True, notes=f"Every {unit}'s {side} is above 0 px."
            )
            for side in ("width", "height")
        ),
    ]
