"""Native against synthetic faces: per-column drift by Evidently, and whether a classifier can tell them apart."""

import json
import math
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd
from evidently import DataDefinition, Dataset, Report
from evidently.core.metric_types import SingleValueCalculation, SingleValueMetric
from evidently.presets import DataDriftPreset
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold, cross_val_predict

# Wasserstein distance over the reference's standard deviation: a size of effect, where a p-value would call any
# difference drift once the sample is large. From a tenth of a standard deviation on it counts (Evidently's default),
# if the samples are large enough to show so little.
DISTANCE, LEAST_DISTANCE = "wasserstein", 0.1
FOLDS = 5
DRAWN_ID = re.compile(r"metric_[0-9a-f]{32}|[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
TITLE = "<title>Drift: native (reference) against synthetic (current) low-resolution faces</title>"


class ClassifierAuc(SingleValueMetric):
    """Evidently's metric for :func:`classifier_auc`; ``seed`` of the forest and the folds."""

    seed: int


class ClassifierAucCalculation(SingleValueCalculation[ClassifierAuc]):
    """Compares the current data with the reference; both must be there."""

    def calculate(self, context: Any, current_data: Dataset, reference_data: Dataset | None) -> Any:
        """The area under the ROC curve as Evidently's result."""
        if reference_data is None:
            raise ValueError("a two-sample test needs reference data")
        return self.result(classifier_auc(reference_data.as_dataframe(), current_data.as_dataframe(), self.metric.seed))

    def display_name(self) -> str:
        """The title in Evidently's page."""
        return "Classifier two-sample test: ROC AUC (0.5: native and synthetic cannot be told apart)"


@dataclass(frozen=True)
class Comparison:
    """``summary`` in brief, Evidently's whole result, and its page; equal samples give equal bytes."""

    summary: dict[str, Any]
    evidently: dict[str, Any]
    page: str


def classifier_auc(native: pd.DataFrame, synthetic: pd.DataFrame, seed: int) -> float:
    """Classifier two-sample test: how well a random forest tells synthetic faces from native ones it has not seen.

    D. Lopez-Paz and M. Oquab, "Revisiting Classifier Two-Sample Tests", ICLR 2017; the area under the ROC curve in
    place of their accuracy, because the samples need not be of one size.

    Args:
        native: (N, columns), at least 5 rows.
        synthetic: (M, columns), at least 5 rows.
        seed: of the forest and the folds.

    Returns:
        ROC AUC over all left-out faces, 0..1; about 0.5 where they cannot be told apart.
    """
    samples = np.concatenate([native.to_numpy(), synthetic.to_numpy()])
    is_synthetic = np.repeat([0, 1], [len(native), len(synthetic)])
    forest = RandomForestClassifier(n_estimators=100, min_samples_leaf=5, random_state=seed)
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=seed)
    predicted = cross_val_predict(forest, samples, is_synthetic, cv=folds, method="predict_proba")[:, 1]
    return round(float(roc_auc_score(is_synthetic, predicted)), 6)


def distance_threshold(native: int, synthetic: int) -> float:
    """The distance, in standard deviations, from which a column has drifted, given the two samples' sizes.

    Two samples of one distribution differ as well: their means by a standard error of sqrt(1/n + 1/m) standard
    deviations, and the distance is no smaller than that difference. Less than twice this error is no evidence.
    """
    return max(LEAST_DISTANCE, 2 * math.sqrt(1 / native + 1 / synthetic))


def compare(native: pd.DataFrame, synthetic: pd.DataFrame, drift_share: float, seed: int) -> Comparison:
    """Compares two samples of image statistics, one row per face, the same numeric columns in both.

    Args:
        native: (N, columns), the reference; at least 5 rows.
        synthetic: (M, columns), the current data; at least 5 rows.
        drift_share: the share of drifted columns from which all of it is called drift, 0..1.
        seed: of the classifier.
    """
    columns = list(native.columns)
    threshold = distance_threshold(len(native), len(synthetic))
    preset = DataDriftPreset(
        columns=columns, num_method=DISTANCE, num_threshold=threshold, drift_share=drift_share, include_tests=False
    )
    definition = DataDefinition(numerical_columns=columns)
    report = Report([ClassifierAuc.parse_obj({"seed": seed}), preset], include_tests=False)
    with np.errstate(invalid="ignore"):  # a column without spread, as grey faces' saturation, has no correlations
        snapshot = report.run(
            Dataset.from_pandas(synthetic, definition),
            Dataset.from_pandas(native, definition),
            timestamp=datetime(2000, 1, 1),  # any fixed time: the page and the JSON must not change from run to run
        )
    result = json.loads(snapshot.json())
    return Comparison(
        summary=_summary(result, native, synthetic, threshold, drift_share),
        evidently=result,
        page=_page(snapshot.get_html_str(as_iframe=False)),
    )


def _summary(
    result: dict[str, Any], native: pd.DataFrame, synthetic: pd.DataFrame, threshold: float, drift_share: float
) -> dict[str, Any]:
    """What the report and the flows read: nothing of Evidently's own layout."""
    values = {}
    for metric in result["metrics"]:
        kind = metric["config"]["type"].rpartition(":")[2]
        values[metric["config"].get("column", kind)] = metric["value"]
    columns = {
        column: {
            "distance": values[column],
            "drifted": values[column] >= threshold,
            "native_mean": float(native[column].mean()),
            "synthetic_mean": float(synthetic[column].mean()),
        }
        for column in native.columns
    }
    share = sum(column["drifted"] for column in columns.values()) / len(columns)
    return {
        "faces": {"native": len(native), "synthetic": len(synthetic)},
        "columns": columns,
        "distance": DISTANCE,
        "distance_threshold": threshold,
        "drifted_share": share,
        "drift_share": drift_share,
        "drift": share >= drift_share,
        "classifier_auc": next(value for name, value in values.items() if name.endswith("ClassifierAuc")),
    }


def _page(html: str) -> str:
    """Evidently's page with a title, and laid out for a width that it needs, so that a phone zooms out.

    The ids that Evidently draws anew at each run are replaced by their place in the page.
    """
    places: dict[str, str] = {}
    html = DRAWN_ID.sub(lambda found: places.setdefault(found.group(), f"widget_{len(places)}"), html)
    return html.replace('content="width=device-width, initial-scale=1.0">', f'content="width=1100">{TITLE}', 1)
