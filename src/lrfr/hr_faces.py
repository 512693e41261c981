"""The HR faces of the auxiliary set, without which a benchmark can be made, and nothing be trained on HR faces."""

from lrfr import paths
from lrfr.errors import BenchmarkError
from lrfr.faces import read_faces


def require_hr_faces() -> None:
    """Proves that there are HR faces to train on.

    Raises:
        BenchmarkError: there is none; it says how to bring some.
        FaceTableError: the table is missing.
    """
    if not read_faces(paths.AUXILIARY, ["face_id"]).num_rows:
        remedy = (
            "name a source of other people's HR faces in params.yaml, acquire.auxiliary: {source, root, settings}; "
        )
        remedy += "docs/your-own-photos.md has examples"
        raise BenchmarkError("there are no HR faces to train on: the auxiliary set is empty", where=paths.AUXILIARY,
                             remedy=remedy)  # fmt: skip
