"""The files of a release, by their names in its folder. A file that is renamed here makes a new MAJOR version."""

MODEL = "model.safetensors"  # weights, with their facts in the metadata
MODEL_ONNX = "model.onnx"  # the same network: images in, embeddings out, and qualities where it gives them
LANDMARKS = "landmarks.safetensors"  # the landmark network, for a model that takes aligned faces
LANDMARKS_ONNX = "landmarks.onnx"  # the same network: images of 64 x 64 px in, five points out
FACTS = "release.json"  # name, version, the contract of presentation, results in brief, sign-off
CARD = "README.md"  # the model card, as Hugging Face lays it out
CONFIG = "params.yaml"  # every setting that made it
METRICS = "metrics.json"  # all results, with intervals
CALIBRATION = "calibration.json"  # how strangers score, from which thresholds follow
REFERENCE = "reference.parquet"  # a sample of faces in numbers, against which drift is measured
SAMPLE_FACES = "sample/faces.parquet"  # the kept test sample
SAMPLE_EMBEDDINGS = "sample/embeddings.npz"  # what the model made of it
SAMPLE_FIGURES = "sample/figures.json"  # what it scored, and on which kind of machine
PROVENANCE = "provenance.json"  # git commit, DVC's hashes, environment
MANIFEST = "manifest.json"  # name, version, and the SHA-256 of every file but itself and the signature
SIGNATURE = "model.sig"  # OpenSSF model signing, over every file but itself

NAME = r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?"
VERSION = r"v(?:0|[1-9]\d*)\.(?:0|[1-9]\d*)\.(?:0|[1-9]\d*)"


def tag(name: str, version: str) -> str:
    """A release as GTO names it in git, such as ``tiny-face-embedder@v1.2.0``."""
    return f"{name}@{version}"
