"""Bootstrap intervals over identities: the images of one person are not independent of each other.

Percentile intervals with whole identities drawn with replacement (B. Efron and R. Tibshirani, "An Introduction to the
Bootstrap", 1993, chapter 13). All figures of one outcome share their draws.
"""

from collections.abc import Iterator, Mapping

import numpy as np

from lrfr.errors import EmbeddingError

BLOCK = 2**22  # numbers drawn at once: 34 MB


def drawn(count: int, draws: int, seed: int, step: int | None = None) -> Iterator[np.ndarray]:
    """Draws ``count`` of ``count`` things with replacement, ``draws`` times, ``step`` draws at once.

    Yields:
        (B, count) float64: how often each was drawn in the next B draws.
    """
    rng = np.random.default_rng(seed)
    step = step or max(1, BLOCK // count)
    for start in range(0, draws, step):
        size = min(step, draws - start)
        picked = rng.integers(count, size=(size, count)) + np.arange(size)[:, None] * count
        yield np.bincount(picked.ravel(), minlength=size * count).reshape(size, count).astype(np.float64)


def ends(samples: np.ndarray, confidence: float = 0.95) -> np.ndarray:
    """The lower and the upper end (2, ...) of the middle of ``samples`` (draws, ...)."""
    return np.quantile(samples, [(1 - confidence) / 2, (1 + confidence) / 2], axis=0)


def intervals(values: np.ndarray, identity: np.ndarray, draws: int, seed: int) -> np.ndarray:
    """The 95 % bootstrap intervals of means, with whole identities drawn with replacement.

    Args:
        values: (P, M) M values per probe, such as "identified at rank 1".
        identity: (P,) the probes' identities.
        draws: number of bootstrap samples.
        seed: of the random draws.

    Returns:
        (2, M): the lower and the upper ends; NaN without draws, or with a single identity, which says nothing about
        others.

    Raises:
        EmbeddingError: not one identity per probe.
    """
    if np.shape(identity) != (len(values),):
        raise EmbeddingError(f"identities of the shape {np.shape(identity)} for {len(values)} probes or pairs")
    people, person = np.unique(identity, return_inverse=True)
    if len(people) < 2 or not draws:
        return np.full((2, values.shape[1]), np.nan)
    sums = np.stack([np.bincount(person, weights=column) for column in np.transpose(values)], axis=1)
    sizes = np.bincount(person)
    return ends(np.concatenate([times @ sums / (times @ sizes)[:, None] for times in drawn(len(people), draws, seed)]))


def interval(values: np.ndarray, identity: np.ndarray, draws: int, seed: int) -> tuple[float, float]:
    """The 95 % bootstrap interval of the mean of ``values`` (P,): its lower and upper end."""
    low, high = intervals(np.asarray(values)[:, None], identity, draws, seed)[:, 0]
    return float(low), float(high)


def rounded(pair: np.ndarray) -> list[float] | None:
    """An interval's ends (2,) to 6 decimals, as figures are stored; None where there is none."""
    return None if np.isnan(pair).any() else [round(float(end), 6) + 0.0 for end in pair]  # + 0.0: no minus zero


def rounded_means(
    per_probe: Mapping[str, np.ndarray], identity: np.ndarray, draws: int, seed: int
) -> dict[str, object]:
    """The mean of each of ``per_probe`` (P,) under its name, and its interval under ``<name>_interval``."""
    values = np.stack(list(per_probe.values()), axis=1).astype(np.float64)
    both = intervals(values, identity, draws, seed)
    figures: dict[str, object] = {}
    for name, mean, pair in zip(per_probe, values.mean(axis=0), both.T, strict=True):
        figures |= {name: round(float(mean), 6), f"{name}_interval": rounded(pair)}
    return figures
