"""The landmark tables that stand beside the split ones."""

from lrfr import paths
from lrfr.faces import LANDMARK_SCHEMA, read_faces, write_table


def write_landmarks() -> None:
    """Writes data/landmarks out of the landmarks in the split tables of the current folder."""
    for faces, located in (
        (paths.BENCHMARK, paths.NATIVE_LANDMARKS),
        (paths.AUXILIARY, paths.AUXILIARY_LANDMARKS),
    ):
        write_table(read_faces(faces, LANDMARK_SCHEMA.names), located, LANDMARK_SCHEMA)
