"""``lrfr score compare``: is A better than B on the same probes?"""

from pathlib import Path
from typing import Any

import numpy as np

from lrfr.core.identification import ClosedSet
from lrfr.core.inputs import Called
from lrfr.core.significance import better
from lrfr.errors import EmbeddingError
from lrfr.score import curves
from lrfr.score.arrays import name_of, numbered, read_arrays
from lrfr.score.closed_set import ARRAYS, READINGS, copies, identify, missing_notes
from lrfr.score.duplicates import notes
from lrfr.score.facts import comparison
from lrfr.score.outcome import LABELS, Outcome, Table, interval, number

HEADS = ("figure", "A", "B", "A - B", "95 % interval", "p")


def score(
    probe_a: Path, gallery_a: Path, probe_b: Path, gallery_b: Path, metric: str | None, draws: int, seed: int
) -> Outcome:
    """The closed set by both, and a paired test of each headline, with identities as the units.

    Args:
        probe_a: A's probes, as for the closed set.
        gallery_a: A's gallery.
        probe_b: B's embeddings of the same probes, in the same order.
        gallery_b: B's gallery; its faces need not be A's.
        metric: ``cosine`` or ``euclidean``, for both; None takes each model's own, which its files tell, or the cosine.
        draws: sign patterns and bootstrap samples.
        seed: of the draws.

    Raises:
        EmbeddingError: a file or an array that cannot be used, one side's embeddings are of two models, or the probes
            are not the same people in one order.
    """
    files = [read_arrays(path, ARRAYS, ("missing",)) for path in (probe_a, gallery_a, probe_b, gallery_b)]
    names = [arrays["identity"] for arrays in files]
    for arrays, identity in zip(files, numbered(*names), strict=True):
        arrays["identity"] = identity
    shown_a, enrolled_a, shown_b, enrolled_b = files
    identity = shown_a["identity"]

    def called(number: int) -> object:
        return name_of(number, *names)

    _check_same(identity, shown_b["identity"], called)
    by_a, by_b = comparison([probe_a, gallery_a], metric), comparison([probe_b, gallery_b], metric)
    a = identify(shown_a, enrolled_a, by_a.metric, called)
    b = identify(shown_b, enrolled_b, by_b.metric, called)
    tests = _tests(a, b, identity, draws, seed)
    definition = {
        **_of_both(by_a.definition, by_b.definition),
        **READINGS,
        "p_value": f"two-sided sign-flip permutation test of per-identity sums, {draws} draws, seed {seed}; "
        "each figure by itself, not corrected for looking at several",
        "interval": "of A - B: 95 %, percentile bootstrap over the probes' identities",
    }
    table = Table(f"A against B: {len(identity):,} probes", HEADS, [_row(name, of) for name, of in tests.items()])
    sides = {"A": copies(shown_a, enrolled_a), "B": copies(shown_b, enrolled_b)}
    said = [f"A: {note}" for note in by_a.notes] + [f"B: {note}" for note in by_b.notes]
    for side, outcome in {"A": a, "B": b}.items():
        counts = {"n_missing_probe": outcome.n_missing_probe, "n_missing_gallery": outcome.n_missing_gallery}
        said += [f"{side}: {note}" for note in missing_notes(counts) + notes(sides[side])]
    figures: dict[str, Any] = {"n_probe": len(identity), **tests, "duplicates": sides}
    figures |= {"n_gallery": {"A": a.gallery_size, "B": b.gallery_size}}
    return Outcome(figures, definition, [table], lambda: curves.cmc({"A": a, "B": b}), said)


def _of_both(a: dict[str, str], b: dict[str, str]) -> dict[str, str]:
    """The definitions of A and of B, each once where they are the same."""
    names = dict.fromkeys([*a, *b])
    sides = {name: (a.get(name, "not told"), b.get(name, "not told")) for name in names}
    return {name: one if one == other else f"A: {one}; B: {other}" for name, (one, other) in sides.items()}


def _tests(a: ClosedSet, b: ClosedSet, identity: np.ndarray, draws: int, seed: int) -> dict[str, dict[str, Any]]:
    """Each headline under ``a`` and under ``b``, and the test of their difference."""
    if not (a.others and b.others):
        what = "a gallery holds one identity: nobody could be mistaken"
        raise EmbeddingError(what, remedy="give galleries of several people")
    tests = {}
    for name, of_a in a.headlines.items():
        of_b = b.headlines[name]
        means = {"a": round(float(of_a.mean()), 6), "b": round(float(of_b.mean()), 6)}
        tests[name] = means | better(of_a, of_b, identity, draws, seed).figures()
    return tests


def _row(name: str, test: dict[str, Any]) -> tuple[str, ...]:
    told = [number(test[key], "none") for key in ("a", "b", "difference")]
    return LABELS[name], *told, interval(test["difference_interval"]), f"{test['p_value']:.4g}"


def _check_same(a: np.ndarray, b: np.ndarray, called: Called) -> None:
    if len(a) != len(b):
        raise EmbeddingError(f"A has {len(a)} probes and B {len(b)}", remedy="give both the same probes, in one order")
    apart = np.flatnonzero(a != b)
    if len(apart):
        what = f"A's and B's probes are not the same people in one order: {len(apart)} identities differ"
        first, other = (called(side[apart[0]]) for side in (a, b))
        where = f"probe row {apart[0]}: identity {first} in A, {other} in B"
        raise EmbeddingError(what, where=where, remedy="give both the same probes, in one order")
