"""The curves that several subcommands draw."""

from collections.abc import Callable, Mapping

import numpy as np
from markupsafe import Markup

from lrfr.charts.curves import Points, cmc_chart, det_chart, rate_chart
from lrfr.core.curve_points import RATES, tar_at_rates
from lrfr.core.identification import ClosedSet
from lrfr.core.pair_verification import Verification
from lrfr.score.outcome import Plot

Chart = Callable[[Mapping[str, Points], Mapping[str, str], str], Markup]
LAST_RANK = 100
STYLES = ("c0", "c1 d1", "c2 d2", "c3 d3")


def known(columns: Mapping[str, np.ndarray]) -> tuple[dict[str, Points], dict[str, str]]:
    """Each column's points over the first one, without those that have no value; and each one's style."""
    (_, x), *lines = columns.items()
    curves = {name: (x[np.isfinite(y)], y[np.isfinite(y)]) for name, y in lines if np.isfinite(y).any()}
    return curves, dict(zip(curves, STYLES, strict=False))


def plot(name: str, title: str, columns: Mapping[str, np.ndarray], chart: Chart) -> list[Plot]:
    """The curves drawn by ``chart(curves, styles, said)``; none where no curve has a value."""
    curves, styles = known(columns)
    if not curves:
        return []
    drawn = chart(curves, styles, f"{title}.")
    return [Plot(name, title, drawn, columns, [*styles.items()] if len(curves) > 1 else ())]


def cmc(outcomes: Mapping[str, ClosedSet]) -> list[Plot]:
    """The CMC of each outcome; one whose gallery shows a single identity has none."""
    told = {name: outcome for name, outcome in outcomes.items() if outcome.others}
    ranks = np.arange(1, min(LAST_RANK, max((outcome.gallery_size for outcome in told.values()), default=1)) + 1)
    columns = {"rank": ranks, **{name: outcome.cmc(ranks) for name, outcome in told.items()}}
    return plot("cmc", "CMC", columns, cmc_chart)


def roc_and_det(verified: Verification) -> list[Plot]:
    """ROC and DET, read exactly at fixed FARs, none below what the impostors resolve."""
    tar = tar_at_rates(verified)
    return rates("roc", "ROC", {"far": RATES, "tar": tar}, ("FAR", "TAR")) + det(
        {"far": RATES, "fnmr": 1 - tar}, ("FAR", "FNMR")
    )


def rates(name: str, title: str, columns: Mapping[str, np.ndarray], titles: tuple[str, str]) -> list[Plot]:
    """A share over an error rate."""
    return plot(name, title, columns, lambda lines, styles, said: rate_chart(lines, styles, titles, said))


def det(columns: Mapping[str, np.ndarray], titles: tuple[str, str]) -> list[Plot]:
    """Misses over false alarms, both on the scale of normal deviates."""
    return plot("det", "DET", columns, lambda lines, styles, said: det_chart(lines, styles, titles, said))
