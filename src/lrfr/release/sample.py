"""The kept test sample of a release: faces of a few identities, and what the model made of them when it was packaged.

Whoever has the release embeds the same faces again: on the same kind of machine the bits are equal, on another one
they differ by rounding.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from lrfr.core.identification import closed_set
from lrfr.errors import ReleaseError
from lrfr.faces import FACE_SCHEMA, read_faces
from lrfr.files import atomic_path, read_json, write_json
from lrfr.images import Images, write_selected
from lrfr.nn.compute import make_deterministic
from lrfr.nn.embedding import embed_faces, faces_of
from lrfr.nn.machine import kind_of_machine
from lrfr.nn.model_file import Model
from lrfr.protocols.benchmark import Benchmark
from lrfr.release.layout import SAMPLE_EMBEDDINGS, SAMPLE_FACES, SAMPLE_FIGURES

IDENTITIES, OF_EACH, DISTRACTORS = 32, 2, 64  # at most: identities, their probes and their gallery faces, others
DRAWS = 1000  # of the bootstrap
TOLERANCE = 1e-2  # of an embedding, as a share of its length, on another kind of machine; docs/releases.md says why
FIGURE_TOLERANCE = 0.05  # of rank-1 and mAP there
SHOWN = ("rank1", "map")
MADE_BY = "get the release again"


@dataclass(frozen=True)
class Trial:
    """What came of embedding the sample again.

    Attributes:
        faces: how many there are.
        same_machine: whether this is the kind of machine that packaged the release.
        difference: the largest one of an embedding, as a share of its length; 0 where all bits are equal.
        figures: what the sample scores here.
        packaged: what it scored there.
    """

    faces: int
    same_machine: bool
    difference: float
    figures: dict[str, Any]
    packaged: dict[str, Any]

    def check(self, where: Path) -> None:
        """Raises where the model is not the one that was packaged.

        Raises:
            ReleaseError: the embeddings or the figures differ by more than they may.
        """
        both = [(self.figures[name], self.packaged[name]) for name in SHOWN]  # null in a gallery of one identity
        apart = max(0.0 if here == there else abs(here - there) for here, there in both)
        if self.same_machine:
            right, place = self.difference == 0 and self.figures == self.packaged, "on the same kind of machine"
        else:
            right, place = self.difference <= TOLERANCE and apart <= FIGURE_TOLERANCE, "on another kind of machine"
        if not right:
            what = (
                f"the sample's embeddings differ by {self.difference:.1e} of their length, its figures by {apart:.3f}"
            )
            raise ReleaseError(f"{place} {what}", where=where, remedy="do not use it here; tell who publishes it")


def write_sample(folder: Path, model: Model, benchmark: Path, seed: int, threads: int) -> None:
    """Writes the sample into the folder of a release: faces, embeddings and figures.

    Of the faces only what it takes is kept: the pictures, and who is who by numbers. Equal models and faces give equal
    bytes on one kind of machine.

    Args:
        folder: of the release.
        model: the released one.
        benchmark: the face table of which the sample is taken.
        seed: of the bootstrap.
        threads: torch's, on a processor.
    """
    make_deterministic(seed, threads)
    faces = read_faces(benchmark, ["face_id", "identity", "split", "width", "height", "attributes"])
    write_selected(_anonymous(faces.take(_chosen(faces))), benchmark, folder / SAMPLE_FACES)
    arrays = _embedded(folder, model)
    (folder / SAMPLE_EMBEDDINGS).parent.mkdir(parents=True, exist_ok=True)
    with atomic_path(folder / SAMPLE_EMBEDDINGS) as temporary, temporary.open("wb") as file:
        np.savez(file, **arrays)  # pyrefly: ignore
    figures = _figures(folder, arrays["embedding"], model.facts.metric, seed)
    told = {"machine": kind_of_machine(), "seed": seed, "threads": threads, "figures": figures}
    write_json(folder / SAMPLE_FIGURES, told)


def try_sample(folder: Path, model: Model) -> Trial:
    """Embeds and scores the sample of a release again.

    Args:
        folder: of the release, whose files are verified.
        model: as it was read from there.

    Raises:
        ReleaseError: the sample is of other faces, or is damaged.
    """
    told = read_json(folder / SAMPLE_FIGURES, MADE_BY)
    make_deterministic(told["seed"], told["threads"])
    with np.load(folder / SAMPLE_EMBEDDINGS, allow_pickle=False) as stored:
        kept = {name: stored[name] for name in stored.files}
    arrays = _embedded(folder, model)
    if kept.keys() != arrays.keys() or not np.array_equal(kept["face_id"], arrays["face_id"]):
        raise ReleaseError("the sample's faces are not those of its embeddings", where=folder, remedy=MADE_BY)
    figures = _figures(folder, arrays["embedding"], model.facts.metric, told["seed"])
    equal = all(np.array_equal(kept[name], arrays[name]) for name in kept)
    difference = 0.0 if equal else relative_difference(kept["embedding"], arrays["embedding"])
    return Trial(len(kept["face_id"]), told["machine"] == kind_of_machine(), difference, figures, told["figures"])


def relative_difference(kept: np.ndarray, found: np.ndarray) -> float:
    """The largest distance between two embeddings (N, D) of one face, as a share of the first one's length."""
    if kept.shape != found.shape:
        return float("inf")
    lengths = np.maximum(np.linalg.norm(kept, axis=1), np.finfo(np.float32).tiny)
    return float((np.linalg.norm(kept - found, axis=1) / lengths).max(initial=0.0))


def embed_sample(folder: Path, model: Model) -> np.ndarray:
    """The embeddings (N, D) of the sample by another file of the same model, such as the ONNX one."""
    return _embedded(folder, model)["embedding"]


def _chosen(faces: pa.Table) -> np.ndarray:
    """The rows of the sample, ascending: identities and distractors from all over the table, always the same."""
    split, identity = (np.array(faces[name].to_pylist(), object) for name in ("split", "identity"))
    missing = np.array(["missing" in dict(pairs or ()) for pairs in faces["attributes"].to_pylist()], bool)
    there = {side: np.flatnonzero((split == side) & ~missing) for side in ("probe", "gallery", "distractor")}
    both = sorted(set(identity[there["probe"]]) & set(identity[there["gallery"]]))
    if not both:
        raise ReleaseError("no identity has a probe and a gallery face to keep", remedy="curate more faces: dvc repro")
    people = [both[number] for number in _spread(len(both), IDENTITIES)]
    of_people = [
        there[side][identity[there[side]] == person][:OF_EACH] for person in people for side in ("probe", "gallery")
    ]
    others = there["distractor"][_spread(len(there["distractor"]), DISTRACTORS)]
    return np.sort(np.concatenate([*of_people, others]))


def _spread(count: int, most: int) -> np.ndarray:
    """At most ``most`` of ``count`` things, evenly from the first to the last."""
    return np.unique(np.linspace(0, count - 1, min(count, most)).round().astype(int)) if count else np.zeros(0, int)


def _anonymous(faces: pa.Table) -> pa.Table:
    """Face rows without anything that says whose they are or where they come from."""
    number = {name: f"{place:03}" for place, name in enumerate(sorted(set(faces["identity"].to_pylist()) - {None}))}
    kept = {name: faces[name].to_pylist() for name in ("face_id", "width", "height", "split")}
    kept |= {
        "source": ["sample"] * len(faces),
        "identity": [number.get(name) for name in faces["identity"].to_pylist()],
    }
    schema = pa.schema([field for field in FACE_SCHEMA if field.name != "image"])
    return pa.table({name: kept.get(name, [None] * len(faces)) for name in schema.names}, schema=schema)


def _embedded(folder: Path, model: Model) -> dict[str, np.ndarray]:
    rows = read_faces(folder / SAMPLE_FACES, ["face_id", "attributes", "landmarks"])
    return embed_faces(model, faces_of(rows, Images(folder / SAMPLE_FACES), with_landmarks=False))


def _figures(folder: Path, embedding: np.ndarray, metric: str, seed: int) -> dict[str, Any]:
    """Closed-set identification of the sample's probes in its gallery with distractors."""
    sample = Benchmark(read_faces(folder / SAMPLE_FACES, ["identity", "split"]))
    identity, probe, gallery = sample.identity, sample.splits("probe"), sample.splits("gallery", "distractor")
    found = closed_set(embedding[probe], identity[probe], embedding[gallery], identity[gallery], metric)
    return found.figures(identity[probe], DRAWS, seed)
