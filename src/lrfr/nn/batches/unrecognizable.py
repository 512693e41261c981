"""Faces that nobody recognises, as a network sees them: identity-free, and never tested."""

from lrfr import paths
from lrfr.core.alignment import AS_CROPPED
from lrfr.errors import FaceTableError
from lrfr.faces import LANDMARK_SCHEMA, read_faces, read_table
from lrfr.images import Images
from lrfr.nn.batches.alignment import AlignedFaces, landmarks_of
from lrfr.nn.batches.images import FaceImages
from lrfr.nn.embedder import Architecture


def unrecognizable_faces(count: int, presentation: str, architecture: Architecture, where: str) -> FaceImages:
    """All unrecognizable faces that there are, in the order of their ids, which no quality of theirs decides.

    Args:
        count: how many are needed.
        presentation: how faces are presented to the network.
        architecture: of the embedder that they are for.
        where: what in params.yaml asks for them.

    Raises:
        FaceTableError: there are none, or fewer than are needed; their landmarks are those of other faces.
    """
    ids = read_faces(paths.UNRECOGNIZABLE, ["face_id"])["face_id"]
    if len(ids) < count:
        there = f"there are {len(ids):,}" if len(ids) else "there is none"
        what = f"{where} asks for {count:,} unrecognizable faces, and {there}"
        remedy = "bring some by acquire.unrecognizable (MARS, LPW, generated ones), verify more faces, or ask for fewer"
        raise FaceTableError(what, where=paths.UNRECOGNIZABLE, remedy=remedy)
    aligned = None
    if presentation != AS_CROPPED:
        located = read_table(paths.UNRECOGNIZABLE_LANDMARKS, LANDMARK_SCHEMA)
        if not located["face_id"].equals(ids):
            raise FaceTableError(
                "these are the landmarks of other faces",
                where=paths.UNRECOGNIZABLE_LANDMARKS,
                remedy="lrfr locate-landmarks",
            )
        aligned = AlignedFaces(presentation, landmarks_of(located["landmarks"].to_pylist()))
    interpolation = architecture.preprocessing.interpolation
    return FaceImages(Images(paths.UNRECOGNIZABLE), architecture.size, aligned, interpolation)
