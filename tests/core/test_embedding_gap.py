import numpy as np
import pytest
from scipy import linalg
from sklearn.metrics import roc_auc_score

from lrfr.core import embedding_gap as gap


def samples(n=60, m=80, width=5, shift=0.3, seed=0):
    rng = np.random.default_rng(seed)
    mix = rng.normal(size=(width, width))
    return rng.normal(size=(n, width)) @ mix, rng.normal(shift, 1.2, size=(m, width)) @ mix


def naive_discrepancy(kernel, n):
    m = len(kernel) - n
    xx = [kernel[i, j] for i in range(n) for j in range(n) if i != j]
    yy = [kernel[n + i, n + j] for i in range(m) for j in range(m) if i != j]
    xy = [kernel[i, n + j] for i in range(n) for j in range(m)]
    return np.mean(xx) + np.mean(yy) - 2 * np.mean(xy)


def test_the_frechet_distance_is_the_papers_formula():
    x, y = samples()
    first, second = np.cov(x.T), np.cov(y.T)
    root = linalg.sqrtm(first @ second).real
    expected = ((x.mean(0) - y.mean(0)) ** 2).sum() + np.trace(first + second - 2 * root)
    assert gap.frechet_distance(x, y) == pytest.approx(expected)
    assert gap.frechet_distance(x, x) == pytest.approx(0, abs=1e-8)


def test_the_kernel_is_gaussian_with_the_median_distance():
    x, y = samples(6, 7)
    both = np.concatenate([x, y])
    distances = [np.linalg.norm(both[i] - both[j]) for i in range(13) for j in range(i + 1, 13)]
    width = np.median(np.square(distances))
    expected = [[np.exp(-(np.linalg.norm(a - b) ** 2) / (2 * width)) for b in both] for a in both]
    np.testing.assert_allclose(gap.gaussian_kernel(x, y), expected)
    assert np.array_equal(gap.gaussian_kernel(x[:1], x[:1]), np.ones((2, 2)))


def test_the_discrepancy_is_the_mean_over_pairs_and_unbiased():
    x, y = samples(6, 7)
    kernel = gap.gaussian_kernel(x, y)
    assert gap.kernel_discrepancy(kernel, 6) == pytest.approx(naive_discrepancy(kernel, 6))
    of_nothing = []
    for seed in range(200):
        same = samples(20, 20, shift=0, seed=seed)[0]
        of_nothing.append(gap.kernel_discrepancy(gap.gaussian_kernel(same[:10], same[10:]), 10))
    assert abs(np.mean(of_nothing)) < 3 * np.std(of_nothing) / 200**0.5
    assert min(of_nothing) < 0


def test_a_permutations_p_value_is_a_rank_among_permutations():
    x, y = samples(10, 12, shift=0.2)
    kernel = gap.gaussian_kernel(x, y)
    rng = np.random.default_rng(3)
    orders = []
    for _ in range(99):
        chosen = rng.permutation(22)[:10]
        orders.append([*chosen, *sorted(set(range(22)) - set(chosen))])
    values = [naive_discrepancy(kernel[np.ix_(order, order)], 10) for order in orders]
    above = sum(value >= naive_discrepancy(kernel, 10) - 1e-12 for value in values)
    assert gap.kernel_p_value(kernel, 10, 3, draws=99) == (above + 1) / 100
    far = gap.gaussian_kernel(x, y + 20)
    assert gap.kernel_p_value(far, 10, 3, draws=99) == 0.01


def test_the_area_is_the_share_of_pairs_in_order():
    rng = np.random.default_rng(0)
    x, y = rng.integers(0, 6, 30).astype(float), rng.integers(2, 8, 40).astype(float)
    truth = np.repeat([0, 1], [30, 40])
    assert gap.area_under_curve(x, y) == pytest.approx(roc_auc_score(truth, np.concatenate([x, y])))


def test_a_draw_of_the_bootstrap_is_the_figure_of_the_rows_drawn():
    """Rows that are drawn twice count twice, and are not compared with themselves."""
    x, y = samples(5, 6, width=2)
    left, right = np.array([[2.0, 0, 1, 1, 1]]), np.array([[0.0, 3, 1, 1, 1, 0]])
    rows, rows_too = (np.repeat(np.arange(times.size), times[0].astype(int)) for times in (left, right))
    mean, covariance = gap._moments(x, left[0])
    np.testing.assert_allclose(mean, x[rows].mean(0))
    np.testing.assert_allclose(covariance, np.cov(x[rows].T))
    kernel = gap.gaussian_kernel(x, y)
    within = [
        np.sum([kernel[a, b] for a in of for b in of if a != b]) / (len(of) ** 2 - sum(of == a for a in of).sum())
        for of in (rows, rows_too + 5)
    ]
    across = np.mean([kernel[a, b + 5] for a in rows for b in rows_too])
    assert gap._discrepancies(kernel, left, right)[0] == pytest.approx(sum(within) - 2 * across)


@pytest.mark.parametrize("shift", [0.0, 0.5])
def test_intervals_hold_the_figure_and_narrow_with_the_samples(shift):
    few, many = samples(60, 60, shift=shift), samples(600, 600, shift=shift)

    def widths(x, y):
        kernel = gap.gaussian_kernel(x, y)
        scores = x[:, 0], y[:, 0] + shift
        found = {
            gap.frechet_distance(x, y): gap.frechet_interval(x, y, 200, 0),
            gap.kernel_discrepancy(kernel, len(x)): gap.discrepancy_interval(kernel, len(x), 200, 0),
            gap.area_under_curve(*scores): gap.area_interval(*scores, 200, 0),
        }
        assert all(low <= value <= high for value, (low, high) in found.items())
        return [high - low for low, high in found.values()]

    assert all(wide > narrow for wide, narrow in zip(widths(*few), widths(*many), strict=True))


def test_principal_axes_keep_distances_where_there_are_few():
    x, y = samples(30, 40, width=4)
    left, right = gap.principal_axes(x, y, 4)
    assert np.linalg.norm(left[0] - right[0]) == pytest.approx(np.linalg.norm(x[0] - y[0]))
    assert gap.frechet_distance(left, right) == pytest.approx(gap.frechet_distance(x, y))
    fewer = gap.principal_axes(x, y, 2)[0]
    assert fewer.shape == (30, 2) and fewer.var() > 0
