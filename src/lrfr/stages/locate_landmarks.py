"""locate-landmarks: where eyes, nose and mouth are in the faces that models train on, once for all trainings."""

from lrfr import paths
from lrfr.config import read_params
from lrfr.nn.compute import make_deterministic
from lrfr.nn.landmarks.location import locate
from lrfr.nn.landmarks.model_file import read_landmark_model


def run() -> None:
    """Writes data/landmarks/auxiliary.parquet, native.parquet and unrecognizable.parquet: face_id and landmarks, null
    where nobody finds them.

    HR faces keep the landmarks that their source or the detector gave. Native and unrecognizable faces get those of the
    network in models/landmarks, as they do when they are tested: no native face may need a detector that works on tiny
    faces.

    Raises:
        FaceTableError: a table is missing.
        TrainingError: the network is missing.
        ImageError: a face cannot be decoded.
    """
    make_deterministic(0, read_params().threads)
    model = read_landmark_model(paths.LANDMARKS)
    locate(paths.AUXILIARY, paths.AUXILIARY_LANDMARKS, model, keep_known=True)
    locate(paths.BENCHMARK, paths.NATIVE_LANDMARKS, model, keep_known=False)
    locate(paths.UNRECOGNIZABLE, paths.UNRECOGNIZABLE_LANDMARKS, model, keep_known=False)
