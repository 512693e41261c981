"""Times verification, templates and the error-versus-reject curve at IJB-C's size, beside the usual public ways.

Every measurement runs in a fresh process, which also gives its peak memory above its inputs. Data are drawn: 23,124
templates of 3,531 identities, 15,658,489 pairs, 469,375 images, 512 dimensions. Prints a Markdown table:

    python benchmarks/verification.py            # everything, some minutes
    python benchmarks/verification.py --scale 0.02
"""

import argparse
import tempfile
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from time import perf_counter

import numpy as np

from lrfr.core.pair_verification import FARS, verification
from lrfr.core.rejection import RATIO, reject
from lrfr.core.template_pooling import pair_scores, templates

WIDTH, IDENTITIES, ENROLLED, PROBES = 512, 3_531, 3_531, 19_593
GENUINE, IMPOSTORS, IMAGES = 19_557, 15_638_932, 469_375
POSITIVES, NEGATIVES = 20_888, 50_000


def timed(work: Callable[[], object]) -> tuple[object, float, float]:
    """The result, the seconds and the peak memory (MB) above what was there before (Linux)."""
    Path("/proc/self/clear_refs").write_text("5")  # the peak starts anew: here is what the inputs take
    before, start = peak(), perf_counter()
    result = work()
    return result, perf_counter() - start, peak() - before


def peak() -> float:
    """The most memory (MB) that this process has held."""
    (line,) = (row for row in Path("/proc/self/status").read_text().splitlines() if row.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


def draw_pairs_of_templates(folder: Path, scale: float) -> None:
    """Writes template vectors, the rows of pairs, whether they are the same, and the left side's identity."""
    rng = np.random.default_rng(0)
    identity = np.concatenate([np.arange(ENROLLED), rng.integers(IDENTITIES, size=PROBES)])
    centres = rng.standard_normal((IDENTITIES, WIDTH), dtype=np.float32)
    vectors = centres[identity] + 2.2 * rng.standard_normal((len(identity), WIDTH), dtype=np.float32)
    genuine, impostors = int(GENUINE * scale), int(IMPOSTORS * scale)
    left = np.concatenate([identity[(probe := ENROLLED + np.arange(genuine) % PROBES)], np.empty(impostors, int)])
    right = np.concatenate([probe, rng.integers(ENROLLED, len(identity), size=impostors)])
    left[genuine:] = np.sort(rng.integers(ENROLLED, size=impostors))  # the published list goes by the left template
    left[genuine:] = np.where(
        left[genuine:] == identity[right[genuine:]], (left[genuine:] + 1) % ENROLLED, left[genuine:]
    )
    arrays = {
        "vectors": vectors,
        "left": left,
        "right": right,
        "same": np.arange(len(left)) < genuine,
        "identity": left,
    }
    for name, array in arrays.items():
        np.save(folder / f"{name}.npy", array)


def ours_scores(folder: Path, scale: float):
    """Row-wise in blocks that fit the cache."""
    vectors, left, right = (np.load(folder / f"{name}.npy") for name in ("vectors", "left", "right"))
    scores, seconds, memory = timed(lambda: pair_scores(vectors, left, right))
    np.save(folder / "score.npy", scores)
    return {"scores": float(scores.sum(dtype=float))}, seconds, memory


def public_scores(folder: Path, scale: float):
    """insightface's ``verification``: batches of 100,000 pairs, gathered, multiplied and summed."""
    vectors, left, right = (np.load(folder / f"{name}.npy") for name in ("vectors", "left", "right"))

    def work():
        unit, scores = vectors / np.linalg.norm(vectors, axis=1, keepdims=True), np.zeros(len(left))
        for start in range(0, len(left), 100_000):
            pairs = slice(start, start + 100_000)
            scores[pairs] = np.sum(unit[left[pairs]] * unit[right[pairs]], -1)
        return scores

    scores, seconds, memory = timed(work)
    return {"scores": float(scores.sum())}, seconds, memory


def ours_tar(folder: Path, scale: float, method: str):
    """TAR at every FAR, AUC, EER and accuracy, without intervals."""
    score, same = np.load(folder / "score.npy"), np.load(folder / "same.npy")
    figures, seconds, memory = timed(lambda: verification(score, same).figures(method=method, draws=0))
    return {"tar": figures["tar"], "auc": figures["auc"]}, seconds, memory


def public_tar(folder: Path, scale: float):
    """The way of insightface's IJB scripts: scikit-learn's ``roc_curve``, then the nearest FPR in a list of all."""
    from sklearn.metrics import auc, roc_curve

    score, same = np.load(folder / "score.npy"), np.load(folder / "same.npy")

    def work():
        fpr, tpr, _ = (np.flipud(column) for column in roc_curve(same, score))
        nearest = {far: min(zip(abs(fpr - far), range(len(fpr)), strict=True))[1] for far in FARS}
        lowest = 1 / np.count_nonzero(~same)
        tar = {f"{far:g}": round(float(tpr[row]), 6) if far >= lowest else None for far, row in nearest.items()}
        return {"tar": tar, "auc": round(float(auc(fpr, tpr)), 6)}

    return timed(work)


def ours_intervals(folder: Path, scale: float, over: str):
    """All figures with their intervals from 1,000 draws."""
    score, same = np.load(folder / "score.npy"), np.load(folder / "same.npy")
    identity = np.load(folder / "identity.npy") if over == "identities" else None
    figures, seconds, memory = timed(lambda: verification(score, same, identity).figures())
    return {"auc": figures["auc"], "interval": figures["tar_interval"]["0.001"]}, seconds, memory


def public_draw(folder: Path, scale: float):
    """One bootstrap draw of pairs through ``roc_curve``."""
    from sklearn.metrics import roc_curve

    score, same = np.load(folder / "score.npy"), np.load(folder / "same.npy")

    def work():
        rows = np.random.default_rng(0).integers(len(score), size=len(score))
        fpr, tpr, _ = roc_curve(same[rows], score[rows])
        return tpr[np.argmin(np.abs(fpr - 1e-3))]

    _, seconds, memory = timed(work)
    return {}, seconds * 1000, memory


def draw_images(scale: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Embeddings, template and media ids of IJB-C's images."""
    rng = np.random.default_rng(1)
    count = int(IMAGES * scale)
    template = rng.integers(int((ENROLLED + PROBES) * scale), size=count)
    return rng.standard_normal((count, WIDTH), dtype=np.float32), template, rng.integers(8, size=count)


def ours_templates(folder: Path, scale: float):
    """Blocks of whole templates, summed by ``np.add.reduceat``."""
    embedding, template, media = draw_images(scale)
    (_, vectors), seconds, memory = timed(lambda: templates(embedding, template, media))
    return {"templates": round(float(np.abs(vectors).sum(dtype=float)), 1)}, seconds, memory


def public_templates(folder: Path, scale: float):
    """insightface's ``image2template_feature``: a loop over templates, in it one over media."""
    embedding, template, media = draw_images(scale)

    def work():
        names = np.unique(template)
        vectors = np.zeros((len(names), WIDTH))
        for row, name in enumerate(names):
            (of_template,) = np.where(template == name)
            images, kinds = embedding[of_template], media[of_template]
            for medium, count in zip(*np.unique(kinds, return_counts=True), strict=True):
                (of_medium,) = np.where(kinds == medium)
                vectors[row] += images[of_medium].mean(axis=0) if count > 1 else images[of_medium[0]]
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)

    vectors, seconds, memory = timed(work)
    return {"templates": round(float(np.abs(vectors).sum()), 1)}, seconds, memory


def draw_quality() -> tuple[np.ndarray, ...]:
    """Scores, kinds and qualities of the ERC's 70,888 pairs."""
    rng = np.random.default_rng(2)
    same = np.arange(POSITIVES + NEGATIVES) < POSITIVES
    quality = rng.random((2, len(same)))
    return rng.normal(size=len(same)) + 3 * same * quality.min(axis=0), same, *quality


def ours_reject(folder: Path, scale: float, variant: str, draws: int):
    """The curve at 96 ratios."""
    pairs = draw_quality()
    figures, seconds, memory = timed(lambda: reject(*pairs, variant=variant).figures(draws=draws))
    return {"fnmr": figures["fnmr"]}, seconds, memory


def public_reject(folder: Path, scale: float):
    """The usual loop: sort by quality, cut, ``roc_curve`` and the threshold of the FMR at each ratio."""
    from sklearn.metrics import roc_curve

    score, same, left, right = draw_quality()

    def work():
        quality, curve = np.minimum(left, right), []
        for ratio in RATIO:
            kept = np.argsort(quality)[int(round(ratio * len(quality), 6)) :]
            fpr, tpr, _ = roc_curve(same[kept], score[kept], drop_intermediate=False)
            curve.append(round(float(1 - tpr[fpr <= 1e-3].max()), 6))
        return curve

    curve, seconds, memory = timed(work)
    return {"fnmr": curve}, seconds, memory


MEASUREMENTS = [
    ("15.7 M pairs scored", "lrfr", ours_scores, ()),
    ("15.7 M pairs scored", "batches of 100,000", public_scores, ()),
    ("TAR at every FAR, AUC, EER, accuracy; exact", "lrfr", ours_tar, ("exact",)),
    ("TAR at every FAR, AUC, EER, accuracy; nearest", "lrfr", ours_tar, ("nearest",)),
    ("TAR at every FAR, AUC; nearest", "roc_curve, nearest in a list", public_tar, ()),
    ("the same with intervals, 1,000 draws of identities", "lrfr", ours_intervals, ("identities",)),
    ("the same with intervals, 1,000 draws of pairs", "lrfr", ours_intervals, ("pairs",)),
    ("1,000 draws of pairs, TAR at one FAR", "roc_curve; one draw, times 1,000", public_draw, ()),
    ("469,375 images to 23,124 templates", "lrfr", ours_templates, ()),
    ("469,375 images to 23,124 templates", "loops over templates and media", public_templates, ()),
    ("ERC, 70,888 pairs, fixed, with intervals", "lrfr", ours_reject, ("fixed", 1000)),
    ("ERC, 70,888 pairs, reestimated", "lrfr", ours_reject, ("reestimated", 0)),
    ("ERC, 70,888 pairs, reestimated", "roc_curve at each ratio", public_reject, ()),
]


def main() -> None:
    """Runs every measurement in its own process and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--scale", type=float, default=1.0, help="share (0..1) of the pairs and images")
    scale = parser.parse_args().scale
    if scale != 1:
        print(f"Of the pairs and images of IJB-C, {scale:g} of the numbers below:\n")
    print("| what | how | s | MB above inputs |\n|---|---|---:|---:|")
    known: dict[str, object] = {}
    with (
        tempfile.TemporaryDirectory() as name,
        ProcessPoolExecutor(1, get_context("spawn"), max_tasks_per_child=1) as fresh,
    ):
        folder = Path(name)
        draw_pairs_of_templates(folder, scale)
        for what, how, measure, arguments in MEASUREMENTS:
            figures, seconds, memory = fresh.submit(measure, folder, scale, *arguments).result()
            print(f"| {what} | {how} | {seconds:.2f} | {memory:.0f} |", flush=True)
            known[f"{measure.__name__}{arguments}"] = figures
    scored, nearest, public = (known[key] for key in ("ours_scores()", "ours_tar('nearest',)", "public_tar()"))
    assert np.isclose(scored["scores"], known["public_scores()"]["scores"], rtol=1e-4)
    assert nearest == public, (nearest, public)
    assert np.isclose(known["ours_templates()"]["templates"], known["public_templates()"]["templates"], rtol=1e-4)
    assert np.allclose(known["ours_reject('reestimated', 0)"]["fnmr"], known["public_reject()"]["fnmr"], atol=2e-6)
    print(f"\nThe public ways give the same figures, among them {nearest['tar']} and an AUC of {nearest['auc']}.")


if __name__ == "__main__":
    main()
