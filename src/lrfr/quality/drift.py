"""Native against synthetic faces as Evidently's page: drift by column, and whether a classifier tells them apart."""

import json
import math
import re
from datetime import datetime
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from evidently import DataDefinition, Dataset, Report
from evidently.core.metric_types import SingleValueCalculation, SingleValueMetric
from evidently.presets import DataDriftPreset

from lrfr.quality.face_sample import Columns
from lrfr.quality.gap import LEAST_DISTANCE

# Wasserstein distance over the reference's standard deviation: a size of effect, where a p-value would call any
# difference drift once the sample is large. From a tenth of a standard deviation on it counts (Evidently's default),
# if the samples are large enough to show so little.
DISTANCE = "wasserstein"
DRAWN_ID = re.compile(r"metric_[0-9a-f]{32}|[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
TITLE = "<title>Drift: native (reference) against synthetic (current) low-resolution faces</title>"


class ClassifierAuc(SingleValueMetric):
    """The classifier two-sample test as a metric of Evidently's; ``value`` is what it was found to be."""

    value: float


class ClassifierAucCalculation(SingleValueCalculation[ClassifierAuc]):
    """Puts the value onto the page."""

    def calculate(self, context: Any, current_data: Dataset, reference_data: Dataset | None) -> Any:
        """The area under the ROC curve as Evidently's result."""
        return self.result(self.metric.value)

    def display_name(self) -> str:
        """The title in Evidently's page."""
        return "Classifier two-sample test: ROC AUC (0.5: native and synthetic cannot be told apart)"


class EvidentlyReport(NamedTuple):
    """Evidently's whole result, and its page; equal samples give equal bytes."""

    result: dict[str, Any]
    page: str


def distance_threshold(native: int, synthetic: int) -> float:
    """The distance, in standard deviations, from which Evidently's page calls a column drifted, given the samples'
    sizes.

    Two samples of one distribution differ as well: their means by a standard error of sqrt(1/n + 1/m) standard
    deviations, and the distance is no smaller than that difference. Less than twice this error is no evidence.
    """
    return max(LEAST_DISTANCE, 2 * math.sqrt(1 / native + 1 / synthetic))


def evidently_report(native: Columns, synthetic: Columns, drift_share: float, auc: float) -> EvidentlyReport:
    """Compares two samples of image statistics.

    Args:
        native: the reference, (N,) of each statistic.
        synthetic: the current data, (M,) of the same ones.
        drift_share: the share of drifted columns from which all of it is called drift, 0..1.
        auc: of the classifier that is to tell them apart.
    """
    reference, current = pd.DataFrame(native), pd.DataFrame(synthetic)
    columns = list(reference.columns)
    preset = DataDriftPreset(
        columns=columns,
        num_method=DISTANCE,
        num_threshold=distance_threshold(len(reference), len(current)),
        drift_share=drift_share,
        include_tests=False,
    )
    definition = DataDefinition(numerical_columns=columns)
    report = Report([ClassifierAuc.parse_obj({"value": auc}), preset], include_tests=False)
    with np.errstate(invalid="ignore"):  # a column without spread, as grey faces' colours, has no correlations
        snapshot = report.run(
            Dataset.from_pandas(current, definition),
            Dataset.from_pandas(reference, definition),
            timestamp=datetime(2000, 1, 1),  # any fixed time: the page and the JSON must not change from run to run
        )
    return EvidentlyReport(json.loads(snapshot.json()), _page(snapshot.get_html_str(as_iframe=False)))


def _page(html: str) -> str:
    """Evidently's page with a title, and laid out for a width that it needs, so that a phone zooms out.

    The ids that Evidently draws anew at each run are replaced by their place in the page.
    """
    places: dict[str, str] = {}
    html = DRAWN_ID.sub(lambda found: places.setdefault(found.group(), f"widget_{len(places)}"), html)
    return html.replace('content="width=device-width, initial-scale=1.0">', f'content="width=1100">{TITLE}', 1)
