import numpy as np
import pytest

from lrfr.core import bootstrap
from lrfr.core.bootstrap import drawn, interval, intervals, rounded, rounded_means
from lrfr.errors import EmbeddingError


def test_the_interval_draws_people_not_images():
    # one person with many right images, one with many wrong ones: the mean hangs on who is drawn
    values, identity = np.r_[np.ones(50), np.zeros(50)], np.r_[np.zeros(50), np.ones(50)]
    assert interval(values, identity, draws=500, seed=0) == (0.0, 1.0)
    low, high = interval(values, np.arange(100), draws=500, seed=0)
    assert 0.35 < low < 0.5 < high < 0.65


def test_the_interval_of_many_people_is_the_normal_one():
    values = np.random.default_rng(1).normal(size=4000)
    low, high = interval(values, np.arange(4000), draws=4000, seed=0)
    error = 1.96 * values.std() / np.sqrt(4000)
    assert low == pytest.approx(values.mean() - error, abs=0.1 * error)
    assert high == pytest.approx(values.mean() + error, abs=0.1 * error)


def test_a_draw_is_the_mean_over_the_images_of_the_people_drawn():
    values, identity = np.array([1.0, 0.0, 5.0, 7.0, 2.0]), np.array([3, 3, 8, 8, 5])
    draws = np.concatenate(list(drawn(3, 40, seed=2)))
    naive = [
        np.mean(
            np.concatenate([np.tile(values[identity == who], int(n)) for who, n in zip((3, 5, 8), row, strict=True)])
        )
        for row in draws
    ]
    assert (draws.sum(axis=1) == 3).all()
    assert interval(values, identity, draws=40, seed=2) == pytest.approx(np.quantile(naive, [0.025, 0.975]))


def test_metrics_share_their_draws_and_blocks_change_nothing(monkeypatch):
    rng = np.random.default_rng(0)
    values, identity = rng.normal(size=(50, 3)), rng.integers(20, size=50)
    together = intervals(values, identity, 100, seed=4)
    assert together[:, 1] == pytest.approx(interval(values[:, 1], identity, 100, seed=4))
    monkeypatch.setattr(bootstrap, "BLOCK", 70)
    assert intervals(values, identity, 100, seed=4) == pytest.approx(together)


def test_one_person_says_nothing_about_others():
    figures = rounded_means({"rank1": np.array([1.0, 0.0])}, np.array([6, 6]), 10, 0)
    assert figures == {"rank1": 0.5, "rank1_interval": None}


@pytest.mark.parametrize("identity", [np.arange(3), np.zeros((4, 1))])
def test_identities_of_other_probes_are_refused(identity):
    with pytest.raises(EmbeddingError, match="for 4 probes"):
        rounded_means({"rank1": np.ones(4)}, identity, 10, 0)


def test_no_end_is_minus_zero():
    assert [str(end) for end in rounded(np.array([-2e-16, -0.0]))] == ["0.0", "0.0"]
