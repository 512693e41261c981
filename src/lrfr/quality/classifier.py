"""The classifier two-sample test: whether a classifier can tell two samples apart that it has not seen.

D. Lopez-Paz and M. Oquab, "Revisiting Classifier Two-Sample Tests", ICLR 2017. The area under the ROC curve takes the
place of their accuracy, because the samples need not be of one size.
"""

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

FOLDS = 5


def forest(seed: int) -> RandomForestClassifier:
    """For statistics of different kinds."""
    return RandomForestClassifier(n_estimators=100, min_samples_leaf=5, random_state=seed)


def linear() -> Pipeline:
    """For embeddings: a recogniser's own classifier is linear too."""
    return make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=1000))


def belonging(classifier: BaseEstimator, reference: np.ndarray, current: np.ndarray, seed: int) -> np.ndarray:
    """How sure the classifier is of each row that it is of the current sample, when it has learnt from the others.

    Args:
        classifier: of scikit-learn.
        reference: (N, D), at least 5 rows.
        current: (M, D), at least 5 rows.
        seed: of the folds.

    Returns:
        (N + M,) probabilities, the reference's first.
    """
    is_current = np.repeat([0, 1], [len(reference), len(current)])
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=seed)
    rows = np.concatenate([reference, current])
    return cross_val_predict(classifier, rows, is_current, cv=folds, method="predict_proba")[:, 1]
