"""Are the generated people told apart as real ones are? A recogniser of real faces judges their portraits, and LFW's.

    python benchmarks/realism.py WORKSPACE [--model imported/dlib] [--lfw raw/lfw-gray.tar] [--sheet FOLDER]
    python benchmarks/realism.py WORKSPACE --against SOURCES     # how long rendering takes, beside another src folder

WORKSPACE is a project whose `dvc repro detect` has been run with generated people, and into which `lrfr import-backbone
dlib` imported dlib's recogniser (docs/checkpoints.md). Every pair of its auxiliary faces is compared, each aligned by
MTCNN's landmarks. LFW: as many people with two pictures or more, of each as many pictures at most. Balanced accuracy is
the mean of the shares of genuine pairs accepted and of impostor pairs rejected, at the distance where it is highest.
The detector's recall is what `detect` measured.

The sheet, in a folder of your own, has the most alike pictures of two people and the most unlike of one.

Rendering is timed by pairs: the same portrait, or photo, by either renderer in turn, in one process and one thread;
processor time, the median of the ratios.
"""

import argparse
import importlib
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from time import process_time
from typing import NamedTuple

import cv2
import numpy as np

from lrfr import paths
from lrfr.core.scored_pairs import threshold_at
from lrfr.faces import decode, read_faces, with_rows
from lrfr.images import Images
from lrfr.nn.embedding import Face, embed_faces, faces_of
from lrfr.nn.model_file import Model, read_model
from lrfr.parallel import parallel_map
from lrfr.sources.reading.cutting import cut
from lrfr.sources.reading.lfw_faces import middle_face
from lrfr.sources.reading.lfw_pictures import read_pictures, stems_by_person

FAR, BATCH = 0.01, 64
SHOWN, SIDE = 10, 120  # pairs of a kind on the sheet; px of a face there
PEOPLE, PICTURES = 240, 9  # of LFW
REPEATS = {"portrait": 60, "photo": 12}


class Judged(NamedTuple):
    """Faces, whose they are (N,), and their distances (N, N)."""

    faces: list[Face]
    identity: np.ndarray
    distance: np.ndarray


def main() -> None:
    """Prints what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("workspace", type=Path)
    parser.add_argument("--model", type=Path, default=Path("imported/dlib"))
    parser.add_argument("--lfw", type=Path)
    parser.add_argument("--sheet", type=Path)
    parser.add_argument("--against", type=Path, metavar="SOURCES")
    asked = parser.parse_args()
    if asked.against is not None:
        time_rendering(asked.against)
        return
    model = read_model(asked.workspace / asked.model, with_landmarks=False)
    generated = judged(model, auxiliary_faces(asked.workspace / paths.DETECTED_AUXILIARY))
    print("| faces | people | faces of them | balanced accuracy | TAR at FAR 0.01 | genuine | impostor |")
    print("|---|---|---|---|---|---|---|")
    print(separation("generated", generated))
    if asked.lfw is not None:
        print(separation("LFW", judged(model, lfw_faces(asked.lfw))))
    print(recall(asked.workspace / paths.DETECTION_METRICS))
    if asked.sheet is not None:
        draw_sheets(generated, asked.sheet)


def auxiliary_faces(table: Path) -> tuple[list[Face], np.ndarray]:
    """The portraits' faces, as detect cut them, and whose they are."""
    rows = with_rows(read_faces(table))
    faces = [face for batch in faces_of(rows, Images(table, rows["row"].to_numpy())) for face in batch]
    return faces, np.array(rows["identity"].to_pylist())


def lfw_faces(root: Path) -> tuple[list[Face], np.ndarray]:
    """Some of LFW's people."""
    found, _ = read_pictures(root)
    people = {name: stems for name, stems in stems_by_person(found).items() if len(stems) > 1}
    rng = np.random.default_rng(0)
    drawn = [sorted(people)[i] for i in rng.permutation(len(people))[:PEOPLE]]
    stems = [stem for name in drawn for stem in people[name][:PICTURES]]
    cut_out = parallel_map(_lfw_face, [(stem, found[stem]) for stem in stems], "finding the faces of LFW", "picture")
    faces = [face for face in cut_out if face is not None]
    return faces, np.array([face.face_id.rpartition("_")[0] for face in faces])


def _lfw_face(picture: tuple[str, bytes]) -> Face | None:
    stem, encoded = picture
    pixels = decode(encoded, stem)
    face = middle_face(pixels)
    row = cut(pixels, stem, face.box, face.landmarks, face.score) if face else None
    return Face(stem, row["image"], row["landmarks"].tolist()) if row else None


def judged(model: Model, of: tuple[list[Face], np.ndarray]) -> Judged:
    """The distances between all faces by a model."""
    faces, identity = of
    batches = (faces[start : start + BATCH] for start in range(0, len(faces), BATCH))
    embedding = embed_faces(model, batches)["embedding"].astype(float)
    squared = (embedding**2).sum(axis=1)
    distance = np.sqrt(np.maximum(squared[:, None] + squared - 2 * embedding @ embedding.T, 0))
    return Judged(faces, identity, distance)


def pairs(of: Judged) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The pairs of faces: one and the other (P,), and whether they show the same person."""
    one, other = np.triu_indices(len(of.identity), 1)
    return one, other, of.identity[one] == of.identity[other]


def separation(what: str, of: Judged) -> str:
    """A line of the table."""
    one, other, same = pairs(of)
    distance = of.distance[one, other]
    genuine, impostor = np.sort(distance[same]), np.sort(distance[~same])
    at = np.concatenate([genuine, impostor])
    accepted = np.searchsorted(genuine, at, "right") / len(genuine)
    rejected = 1 - np.searchsorted(impostor, at, "right") / len(impostor)
    balanced = ((accepted + rejected) / 2).max()
    tar = np.mean(-genuine >= threshold_at(np.sort(-genuine), np.sort(-impostor), FAR))
    figures = f"{balanced:.3f} | {tar:.3f} | {np.median(genuine):.2f} | {np.median(impostor):.2f}"
    return f"| {what} | {len(np.unique(of.identity))} | {len(of.identity)} | {figures} |"


def recall(metrics: Path) -> str:
    """What detect measured, by the height of the face."""
    rows = json.loads(metrics.read_text(encoding="utf-8"))["by_height"]
    lines = ["\n| height, px | faces | found | recall | false alarms |\n|---|---|---|---|---|"]
    for row in rows:
        height = f"{row['from']} to {row['to']}" if row["to"] else f"{row['from']} and more"
        lines.append(f"| {height} | {row['faces']} | {row['found']} | {row['recall']:.3f} | {row['false_alarms']} |")
    faces, found = (sum(row[name] for row in rows) for name in ("faces", "found"))
    return "\n".join([*lines, f"| all | {faces} | {found} | {found / faces:.3f} | |"])


def draw_sheets(of: Judged, folder: Path) -> None:
    """Writes most_alike.png and most_unlike.png, a pair in each column, and people.png, a person in each row."""
    folder.mkdir(parents=True, exist_ok=True)
    one, other, same = pairs(of)
    order = np.argsort(of.distance[one, other])
    for name, chosen in (("most_alike", order[~same[order]]), ("most_unlike", order[same[order]][::-1])):
        columns = list(of_new_people(of, one[chosen], other[chosen]))
        _save(folder / f"{name}.png", [[of.faces[pair[row]] for pair in columns] for row in (0, 1)])
    some = np.unique(of.identity)[:: max(1, len(np.unique(of.identity)) // SHOWN)][:SHOWN]
    rows = [[of.faces[i] for i in np.flatnonzero(of.identity == name)] for name in some]
    _save(folder / "people.png", [row[: min(map(len, rows))] for row in rows])


def of_new_people(of: Judged, one: np.ndarray, other: np.ndarray) -> Iterator[tuple[int, int]]:
    """The first pairs, each of people who are in none before."""
    seen: set[str] = set()
    shown = 0
    for left, right in zip(one.tolist(), other.tolist(), strict=True):
        who = {of.identity[left], of.identity[right]}
        if not who & seen and shown < SHOWN:
            seen |= who
            shown += 1
            yield left, right


def _save(path: Path, rows: list[list[Face]]) -> None:
    def small(face: Face) -> np.ndarray:
        return cv2.resize(decode(face.image or b""), (SIDE, round(1.25 * SIDE)), interpolation=cv2.INTER_AREA)

    picture = np.vstack([np.hstack([small(face) for face in row]) for row in rows])
    cv2.imwrite(str(path), picture[..., ::-1])
    print(f"wrote {path}", file=sys.stderr)


def time_rendering(other: Path) -> None:
    """Prints how long a portrait and a photo take by this renderer and by that of another src folder."""
    cv2.setNumThreads(1)
    mine, theirs = renderer(Path(importlib.import_module("lrfr").__path__[0]).parent), renderer(other)
    print("| what | ms | ms, the other | ratio |\n|---|---|---|---|")
    for what, repeats in REPEATS.items():
        times = np.array([[seconds(draw[what], number) for draw in (mine, theirs)] for number in range(-2, repeats)])
        ms = 1000 * np.median(times[2:], axis=0)  # the first two warm up
        ratio = np.median(times[2:, 0] / times[2:, 1])
        print(f"| {what} | {ms[0]:.1f} | {ms[1]:.1f} | {ratio:.2f} |")


def renderer(source: Path) -> dict[str, Callable[[int], object]]:
    """What draws a portrait, or a photo of eight people, of a number; the modules are those of a src folder."""
    package = importlib.import_module("lrfr.sources")
    for name in [name for name in sys.modules if name.startswith("lrfr.sources.rendering")]:
        del sys.modules[name]
    before, package.__path__ = package.__path__, [str(source / "lrfr/sources")]
    identity, portrait, scene = (
        importlib.import_module(f"lrfr.sources.rendering.{name}") for name in ("identity", "portrait", "scene")
    )
    package.__path__ = before

    def person(number: int):
        return identity.draw_identity(np.random.default_rng([1, number + 2]))

    return {
        "portrait": lambda number: portrait.portray(person(number), np.random.default_rng([2, number + 2])),
        "photo": lambda number: scene.shoot(
            [(None, person(8 * (number + 2) + guest)) for guest in range(8)], np.random.default_rng([3, number + 2])
        ),
    }


def seconds(draw: Callable[[int], object], number: int) -> float:
    """Processor time of a drawing."""
    began = process_time()
    draw(number)
    return process_time() - began


if __name__ == "__main__":
    main()
