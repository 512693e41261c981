"""evaluate: the protocols, on one method's embeddings. Needs no model and no torch."""

import csv
import io
import zipfile
from pathlib import Path

import numpy as np

from lrfr import paths
from lrfr.config import read_params
from lrfr.core import tinyface
from lrfr.core.identification import UNKNOWN, ClosedSet
from lrfr.errors import EmbeddingError, unknown_name
from lrfr.faces import read_faces
from lrfr.files import write_json, write_text


def run(name: str) -> None:
    """Writes metrics/<method>.json and the CMC and precision-recall curves."""
    params = read_params()
    if name not in params.methods:
        raise unknown_name("method", name, params.methods, "params.yaml: methods")
    faces = read_faces(paths.BENCHMARK, ["face_id", "identity", "split"]).to_pydict()
    embedding = _embeddings(name, faces["face_id"], faces["split"])
    probe, gallery = _rows(faces["split"], "probe"), _rows(faces["split"], "gallery", "distractor")
    identity = _numbers(faces["identity"])
    outcomes = tinyface.identify(
        embedding[probe], identity[probe], embedding[gallery], identity[gallery], params.evaluate.metric
    )
    draws = params.evaluate.bootstrap
    figures = {
        variant: tinyface.summary(outcome, identity[probe], draws, params.seed) for variant, outcome in outcomes.items()
    }
    write_json(paths.metrics(name), {"method": name, "metric": params.evaluate.metric, "tinyface": figures})
    _write_curves(name, outcomes)


def _embeddings(name: str, face_ids: list[str], splits: list[str]) -> np.ndarray:
    """Embeddings in the benchmark's order; train rows, which nobody embeds, are left zero."""
    path = paths.embeddings(name)
    if not path.is_file():
        raise EmbeddingError("there are no embeddings", where=path, remedy=f"lrfr embed {name}")
    try:
        with np.load(path, allow_pickle=False) as stored:
            row = {face: number for number, face in enumerate(stored["face_id"].tolist())}
            vectors = stored["embedding"]
    except (ValueError, KeyError, zipfile.BadZipFile, EOFError) as error:
        raise EmbeddingError(f"not an embedding file: {error}", where=path, remedy=f"lrfr embed {name}") from error
    needed = [number for number, split in enumerate(splits) if split != "train"]
    missing = [face_ids[number] for number in needed if face_ids[number] not in row]
    if missing:
        what = f"{len(missing)} faces of the benchmark have no embedding, such as {missing[0]}"
        raise EmbeddingError(what, where=path, remedy=f"lrfr embed {name}")
    embedding = np.zeros((len(face_ids), vectors.shape[1]), vectors.dtype)
    embedding[needed] = vectors[[row[face_ids[number]] for number in needed]]
    return embedding


def _rows(splits: list[str], *wanted: str) -> np.ndarray:
    return np.flatnonzero(np.isin(splits, wanted))


def _numbers(identities: list[str | None]) -> np.ndarray:
    names = sorted({identity for identity in identities if identity is not None})
    number = {name: label for label, name in enumerate(names)}
    return np.array([UNKNOWN if identity is None else number[identity] for identity in identities])


def _write_curves(name: str, outcomes: dict[str, ClosedSet]) -> None:
    with_distractors, without = outcomes["distractors"], outcomes["no_distractors"]
    ranks = np.arange(1, min(without.gallery_size, 100) + 1)
    cmc = zip(ranks.tolist(), with_distractors.cmc(ranks), without.cmc(ranks), strict=True)
    _write_csv(paths.curve("cmc", name), "rank", cmc)
    precision = [outcome.precision.mean(axis=0) for outcome in (with_distractors, without)]
    _write_csv(paths.curve("pr", name), "recall", zip(with_distractors.recall.tolist(), *precision, strict=True))


def _write_csv(path: Path, x: str, rows) -> None:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([x, "with_distractors", "without_distractors"])
    writer.writerows([first, *(round(float(value), 6) for value in values)] for first, *values in rows)
    write_text(path, text.getvalue())
