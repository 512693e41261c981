import numpy as np
import pytest

from lrfr.protocols import folds
from lrfr.protocols.views import views
from tests.protocols.benchmarks import OPTIONS, embed
from tests.protocols.small_sets import fold_set


@pytest.mark.parametrize("published", [True, False])
def test_the_threshold_of_the_other_folds_judges_the_sum_of_image_and_mirror(published):
    faces = fold_set(published)
    embeddings = embed(faces, noise=1.0, views=("mirror",), missing=[0])
    outcome = folds.evaluate(faces, embeddings, OPTIONS, 0)
    vectors = embeddings.of().astype(float) + embeddings.of("mirror")
    vectors /= np.maximum(np.linalg.norm(vectors, axis=1), 1e-9)[:, None]
    ids = faces.faces["face_id"].to_pylist()
    lines = faces.pairs.to_pylist()
    score = np.array([vectors[ids.index(line["left"])] @ vectors[ids.index(line["right"])] for line in lines])
    score[[0 in (ids.index(line["left"]), ids.index(line["right"])) for line in lines]] = -np.inf
    same = faces.pairs["same"].to_numpy()
    fold = faces.pairs["fold"].to_numpy() if published else np.repeat(np.arange(10), 8)
    accuracies = []
    for number in range(10):
        others, known = fold != number, score > -np.inf
        middle = np.unique(score[others & known])
        candidates = [-9, *((middle[1:] + middle[:-1]) / 2), 9]
        right = [np.mean(((score >= t) & known)[others] == same[others]) for t in candidates]
        best = candidates[len(right) - 1 - int(np.argmax(right[::-1]))]
        accuracies.append(np.mean(((score >= best) & known)[~others] == same[~others]))
    assert outcome.figures["accuracy"] == pytest.approx(np.mean(accuracies), abs=1e-6)
    assert outcome.figures["accuracy_std"] == pytest.approx(np.std(accuracies), abs=1e-6)
    assert outcome.definitions["folds"] == ("as published" if published else "in order")


def test_it_asks_for_mirror_images():
    assert views("folds", OPTIONS) == ("mirror",)
