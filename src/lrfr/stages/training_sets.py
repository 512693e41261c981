"""training-sets: the test sets whose training faces some run learns from, made ready for it.

DVC cannot let a training depend on a test set that a setting of one run happens to name. So this stage writes down for
each run which one that is, by its hash, and the training depends on its own part of that: a new test set trains nothing
again.
"""

from lrfr import paths
from lrfr.config import BENCHMARK, read_params
from lrfr.errors import SourceError
from lrfr.faces import read_faces
from lrfr.files import write_json
from lrfr.methods import read_run
from lrfr.nn.compute import make_deterministic
from lrfr.nn.landmarks.location import locate
from lrfr.nn.landmarks.model_file import read_landmark_model
from lrfr.nn.model_file import sha256_of
from lrfr.test_sets import faces_of


def run() -> None:
    """Writes data/training_sets: RUN.json for every run, and the landmarks of the training faces of each set.

    Landmarks that a set brings are kept, as they are when it is tested; the others are found by the network in
    models/landmarks.

    Raises:
        ParameterError: a run is wrong.
        SourceError: nobody in the test set trains.
        FaceTableError, TrainingError: a table, or the network, is missing.
        ImageError: a face cannot be decoded.
    """
    params = read_params()
    make_deterministic(0, params.threads)
    chosen = {name: read_run(name, params).native for name in params.methods}
    for test_set in sorted(set(chosen.values()) - {BENCHMARK}):
        faces = faces_of(test_set)
        if "train" not in read_faces(faces, ["split"])["split"].to_pylist():
            remedy = "SCface and generated mugshots have training faces in a `partition`, SynLR with `training: true`"
            raise SourceError(f"nobody in the test set '{test_set}' trains", where=faces, remedy=remedy)
        model = read_landmark_model(paths.LANDMARKS)
        locate(faces, paths.training_landmarks(test_set), model, keep_known=True, train_only=True)
    for name, test_set in chosen.items():
        hashes = {}
        if test_set != BENCHMARK:
            files = {"faces": faces_of(test_set), "landmarks": paths.training_landmarks(test_set)}
            hashes = {what: sha256_of(path) for what, path in files.items()}
        write_json(paths.training_set(name), {"native": test_set, **hashes})
