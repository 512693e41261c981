"""How protocols are run for a model, by its metric; what they ask to be embedded."""

import pytest

from lrfr.config import settings
from lrfr.errors import ParameterError
from lrfr.protocols.options import Evaluate, options_for
from lrfr.protocols.views import VERIFIED_WIDTH, views

CHOSEN = Evaluate(bootstrap=7, thresholds="grid", average="unit", sides=[16, 8, 16], widths=[40, 20])


def test_a_cosine_model_is_evaluated_as_params_yaml_says():
    options = options_for(CHOSEN, "cosine")
    assert options.metric == "cosine"
    assert options.model_dump(exclude={"metric"}) == CHOSEN.model_dump()


def test_euclidean_embeddings_are_never_normalised():
    options = options_for(CHOSEN, "euclidean")
    assert (options.metric, options.average, options.thresholds) == ("euclidean", "raw", "exact")
    changed = {"metric", "average", "thresholds"}
    assert options.model_dump(exclude=changed) == CHOSEN.model_dump(exclude=changed)


def test_an_unknown_metric_is_refused():
    with pytest.raises(ValueError, match="metric"):
        options_for(CHOSEN, "manhattan")


def test_each_protocol_has_its_views_once_and_in_order():
    asked = {name: views(name, CHOSEN) for name in ("tinyface", "survface", "scface", "synlr", "folds", "ijb", "rifr")}
    none = dict.fromkeys(("tinyface", "survface", "scface", "synlr"), ())
    widths = tuple(f"width_{width}" for width in (20, VERIFIED_WIDTH, 40))
    assert asked == none | {"folds": ("mirror",), "ijb": ("side_8", "side_16"), "rifr": widths}


@pytest.mark.parametrize("key", ["metric", "aligned"])
def test_what_belongs_to_the_model_is_no_parameter_of_the_evaluation(key):
    with pytest.raises(ParameterError, match=f"unknown parameter '{key}'"):
        settings({"bootstrap": 7, key: "cosine"}, Evaluate, "params.yaml: evaluate")
