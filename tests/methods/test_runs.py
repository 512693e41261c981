"""Runs of params.yaml: what is read of them, and which are refused."""

import pytest
import yaml

from lrfr.config import Params, settings
from lrfr.errors import ParameterError
from lrfr.methods import baseline, csri, floor, random, read_run
from tests.contract.imports import ROOT

VALUES = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
TRAINING = VALUES["methods"]["baseline"]["training"]
BASELINE = {"method": "baseline", "backbone": "main", "head": {"name": "Softmax"}, "training": TRAINING}


def params(**methods):
    return settings(VALUES | {"methods": methods}, Params, "params.yaml")


def test_a_run_has_a_name_of_its_own_its_method_and_its_backbone():
    run = read_run("mine", params(mine=BASELINE))
    assert (run.name, run.method, run.backbone, run.presentation) == ("mine", baseline, "main", None)
    assert run.settings == baseline.Settings.model_validate({"head": BASELINE["head"], "training": TRAINING})
    assert run.steps == {"training": ("native",)}
    assert run.collections == ("native",)


def test_a_run_may_be_presented_faces_otherwise_than_its_backbone():
    chosen = params(mine=BASELINE | {"presentation": "arcface_112"}, other=BASELINE)
    assert read_run("mine", chosen).presentation == "arcface_112"
    assert read_run("other", chosen).presentation is None


def test_its_collections_are_in_the_order_in_which_it_first_learns_from_them():
    run = read_run("csri", settings(VALUES, Params, "params.yaml"))
    assert run.method is csri
    assert run.collections == ("auxiliary", "native")
    twice = read_run("mine", params(mine=BASELINE | {"auxiliary": TRAINING}))
    assert list(twice.steps.items()) == [("auxiliary", ("auxiliary",)), ("training", ("native",))]


def test_settings_are_not_those_of_every_run():
    """A run leaves its values as they are: they are hashed, and written down."""
    chosen = params(mine=dict(BASELINE))
    read_run("mine", chosen)
    assert chosen.methods["mine"] == BASELINE


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"method": "baselin"}, r"unknown method 'baselin'(.|\n)*did you mean 'baseline'"),
        (
            {"method": "independent"},
            r"unknown method 'independent'(.|\n)*known: baseline, crfiqa, csri, pretrained, ran, random",
        ),
        ({"method": None}, "methods.mine: method"),
        ({"backbone": "mian"}, r"unknown backbone 'mian'(.|\n)*methods.mine.backbone(.|\n)*did you mean 'main'"),
        (
            {"presentation": "arcface"},
            r"no presentation 'arcface'; known: as_cropped, arcface_112(.|\n)*methods.mine.presentation",
        ),
        ({"presentation": 112}, "methods.mine: presentation"),
        ({"native": "mugshot"}, r"unknown test set 'mugshot'(.|\n)*methods.mine.native(.|\n)*did you mean 'mugshots'"),
        ({"trained": {"name": "lora"}}, r"methods.mine: trained.lora.rank"),
        (
            {"scale": 64},
            r"unknown parameter 'scale'(.|\n)*methods.mine(.|\n)*known: auxiliary, head, synthetic, training",
        ),
        ({"head": {"name": "ArcFce"}}, "did you mean 'ArcFace'"),
        ({"training": TRAINING | {"learning_rte": 1}}, "did you mean 'learning_rate'"),
    ],
)
def test_what_a_run_cannot_be_is_refused_where_it_stands(changes, complaint):
    with pytest.raises(ParameterError, match=complaint):
        read_run("mine", params(mine=BASELINE | changes))


@pytest.mark.parametrize("key", ["method", "backbone", "head"])
def test_what_a_run_lacks_is_named(key):
    values = {name: value for name, value in BASELINE.items() if name != key}
    with pytest.raises(ParameterError, match=rf"parameter '{key}' is missing(.|\n)*params.yaml: methods.mine"):
        read_run("mine", params(mine=values))


def test_a_baseline_learns_from_low_resolution():
    values = {name: value for name, value in BASELINE.items() if name != "training"}
    with pytest.raises(ParameterError, match=r"give a training on native faces(.|\n)*params.yaml: methods.mine"):
        read_run("mine", params(mine=values))


def test_a_method_that_learns_from_no_native_faces_has_no_test_set_for_them():
    values = {"method": "tc", "teacher": False, "curriculum": True, "smallest_exponent": 3, "largest_exponent": 5}
    values |= {"training": TRAINING, "backbone": "main", "native": "synlr"}
    with pytest.raises(ParameterError, match=r"'tc' does not learn from native faces(.|\n)*methods.mine.native"):
        read_run("mine", params(mine=values))


def test_an_unknown_run_is_refused_with_the_known_ones():
    with pytest.raises(ParameterError, match=r"unknown run 'mnie'(.|\n)*yaml: methods(.|\n)*did you mean 'mine'"):
        read_run("mnie", params(mine=BASELINE))


def test_the_floor_is_the_run_of_random_whatever_its_name():
    untrained = {"method": "random", "backbone": "main"}
    assert floor(params(mine=BASELINE, untrained=untrained, more=untrained)) == "untrained"
    assert floor(params(random=BASELINE)) is None
    assert read_run("untrained", params(untrained=untrained)).method is random
