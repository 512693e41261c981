"""The section of params.yaml: contradictions are refused, and said in words."""

import pytest

from lrfr.config import settings
from lrfr.errors import ParameterError
from lrfr.nn.training.settings import Training
from tests.nn.small_training import DISCRIMINATOR, SETTINGS


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"schedule": "step"}, "needs milestones"),
        ({"milestones": [30, 45]}, "milestones belong to the schedule step, not to cosine"),
        ({"schedule": "step", "milestones": [45, 30]}, "milestones must increase"),
        ({"schedule": "plateau"}, "warmup_epochs belongs to the schedules cosine and step"),
        ({"betas": [0.5, 0.999]}, "betas belong to the optimizers adam and adamw"),
        ({"momentum": None}, "the optimizer sgd needs a momentum"),
        ({"optimizer": "adam"}, "momentum belongs to the optimizer sgd"),
        ({"optimizer": "adamw", "momentum": None, "betas": [0.9, 1.0]}, "each of betas"),
        ({"optimizer": "lamb"}, "'sgd', 'adam' or 'adamw'"),
        ({"optimizers": {"discriminator": DISCRIMINATOR | {"momentum": 0.5}}}, "momentum belongs to the optimizer sgd"),
        (
            {"optimizers": {"discriminator": DISCRIMINATOR | {"lr": 1}}},
            "known: betas, learning_rate, momentum, optimizer",
        ),
        ({"warmup": 1}, "did you mean 'warmup_epochs'"),
        ({"validation_sides": [0]}, "greater than 0"),
        ({"shares": {"native": -1.0, "auxiliary": 3.0}}, "greater than 0"),
        ({"shares": {"native": float("inf")}}, "finite"),
        ({"learning_rate": float("inf")}, "finite"),
    ],
)
def test_what_contradicts_itself_is_refused(changes, message):
    with pytest.raises(ParameterError, match=message):
        settings(SETTINGS | changes, Training, "params.yaml: methods.mine.training")
