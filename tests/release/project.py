"""A project in the current folder that has all that is packaged: a tiny model, its test faces and its results."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import torch
import yaml

from lrfr import paths
from lrfr.core.alignment import TEMPLATE
from lrfr.faces import read_faces
from lrfr.files import write_json
from lrfr.images import Images
from lrfr.nn.embedder import Architecture, Embedder
from lrfr.nn.embedding import embed_faces, faces_of
from lrfr.nn.landmarks.network import CNN6
from lrfr.nn.model_file import Facts, Model, TrainedStep, facts_of, write_model
from lrfr.release.provenance import folder_md5
from tests.face_tables import split_rows, write_faces, write_params

ROOT = Path(__file__).parents[2]
ARCHITECTURE = Architecture(backbone="lrfr_ir18", width=0.125, embedding_dim=8, input_size=16, dropout=0.0)
TRAINED = [
    TrainedStep(step="pretrain main", faces={"auxiliary": 24}, passes={"auxiliary": 16.0}, updates=48),
    TrainedStep(step="training", faces={"native": 20}, passes={"native": 1.5}, updates=4),
]
RUNS = {"floor": {"method": "random", "backbone": "main"}, "best": {"method": "baseline", "backbone": "main"}}
NAME = "tiny-face-embedder"
PACKAGE = Path("releases") / NAME


def result(low: float, high: float) -> dict:
    """Figures of a run, with these ends of every interval."""
    middle = (low + high) / 2
    found = {"n_probe": 20, "n_gallery": 30}
    for figure in ("rank1", "rank20", "map"):
        found |= {figure: middle, f"{figure}_interval": [low, high]}
    return {"sets": {"benchmark": {"distractors": found, "no_distractors": found}}}


def parameters(runs: dict = RUNS, run: str = "best", version: str = "v0.1.0", **sections: object) -> None:
    """params.yaml of the project."""
    write_params(release={"run": run, "name": NAME, "version": version}, methods=runs, threads=1, **sections)


def landmark_network() -> CNN6:
    """A landmark network that finds every face's landmarks where the template has them, or near."""
    torch.manual_seed(1)
    return CNN6(0.05, torch.tensor(TEMPLATE.ravel() * 64 / 112, dtype=torch.float32))


def write_best(facts: Facts | None = None, landmarks: CNN6 | None = None, seed: int = 0) -> None:
    """The model that is packaged, and its embeddings of the test faces."""
    torch.manual_seed(seed)
    facts = facts or Facts(metric="euclidean", trained=TRAINED, head={"name": "Softmax"})
    model = Model(Embedder(ARCHITECTURE).eval(), facts, landmarks=landmarks)
    write_model(paths.model("best"), model)
    rows = read_faces(paths.BENCHMARK, ["face_id", "attributes", "landmarks"])
    arrays = embed_faces(model, faces_of(rows, Images(paths.BENCHMARK), with_landmarks=False))
    place = paths.embeddings("best", "benchmark")
    place.parent.mkdir(parents=True, exist_ok=True)
    np.savez(place, facts=np.array(facts_of(model, "0" * 64)), **arrays)


def write_faces_and_outcomes(change=lambda benchmark: None) -> None:
    """The benchmark, and what became of its probes."""
    benchmark, _ = split_rows(identities=12, distractors=20)
    change(benchmark)
    write_faces(benchmark, paths.BENCHMARK)
    probes = [row for row in benchmark if row["split"] == "probe"]
    people = {name: number for number, name in enumerate(sorted({row["identity"] for row in probes}))}
    place = paths.evaluated("best")
    place.parent.mkdir(parents=True, exist_ok=True)
    np.savez(
        place,
        face_id=np.array([row["face_id"] for row in probes]),
        identity=np.array([people[row["identity"]] for row in probes]),
        rank=np.arange(len(probes)) % 3 + 1,
        average_precision=1 / (np.arange(len(probes)) % 3 + 1),
    )


def write_project() -> None:
    """The whole of it."""
    parameters()
    write_faces_and_outcomes()
    write_best()
    write_json(paths.metrics("best"), result(0.5, 0.6))
    write_json(paths.metrics("floor"), result(0.1, 0.2))
    for path in (paths.VALIDATION_RESULT, paths.SYNLR_VALIDATION, paths.SYNTHETIC_VALIDATION):
        write_json(path, {"success": True})


def commit(what: str = "a state") -> None:
    """Commits what a release is made of, with a lock as DVC writes it."""
    out = {"path": PACKAGE.as_posix(), "hash": "md5", "md5": folder_md5(PACKAGE)}
    stage = {"cmd": "lrfr package", "outs": [out]}
    Path("dvc.lock").write_text(yaml.safe_dump({"schema": "2.0", "stages": {"package": stage}}))
    Path(".gitignore").write_text((ROOT / ".gitignore").read_text() + "*.key\n*.pub\n*.pem\n")
    if not Path(".git").exists():
        git("init", "-q")
    git("add", "dvc.lock", "params.yaml", ".gitignore")
    git("-c", "user.name=t", "-c", "user.email=t@t", "commit", "-qm", what)


def git(*arguments: str) -> str:
    """Runs git here."""
    return subprocess.run(["git", *arguments], check=True, capture_output=True, text=True).stdout


def lrfr(*arguments: str | Path, **variables: str) -> subprocess.CompletedProcess:
    """Runs the command line in a process of its own."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src"), **variables}
    return subprocess.run(
        [sys.executable, "-m", "lrfr", *map(str, arguments)], capture_output=True, text=True, env=environment
    )
