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
        ({"schedule": "plateau"}, "warmup_epochs belongs to the schedules constant, cosine and step"),
        ({"betas": [0.5, 0.999]}, "betas belong to the optimizers adam and adamw"),
        ({"momentum": None}, "the optimizer sgd needs a momentum"),
        ({"optimizer": "adam"}, "momentum belongs to the optimizer sgd"),
        ({"optimizer": "adamw", "momentum": None, "betas": [0.9, 1.0]}, "each of betas"),
        ({"optimizer": "lamb"}, "'sgd', 'adam' or 'adamw'"),
        ({"optimizers": {"discriminator": DISCRIMINATOR | {"momentum": 0.5}}}, "momentum belongs to the optimizer sgd"),
        (
            {"optimizers": {"discriminator": DISCRIMINATOR | {"lr": 1}}},
            "known: betas, learning_rate, milestone_divisor, milestone_unit, milestones, momentum, optimizer",
        ),
        ({"schedule": "linear"}, "'constant', 'cosine', 'step' or 'plateau'"),
        ({"optimizers": {"discriminator": DISCRIMINATOR | {"schedule": "step"}}}, "needs milestones"),
        ({"optimizers": {"discriminator": DISCRIMINATOR | {"milestones": [3]}}}, "schedule step, not to None"),
        ({"optimizers": {"discriminator": DISCRIMINATOR | {"warmup_epochs": 1}}}, "warmup_epochs belongs to"),
        ({"optimizers": {"discriminator": DISCRIMINATOR | {"epochs": 1}}}, "unknown parameter 'epochs'"),
        ({"tight_crops": 1.5}, "less than or equal to 1"),
        ({"alignment": {"share": 1}}, "unknown parameter 'alignment'"),
        ({"warmup": 1}, "did you mean 'warmup_epochs'"),
        ({"validation_sides": [0]}, "greater than 0"),
        ({"watched_side": 24}, "watched_side is 24 px, which is none of validation_sides"),
        ({"keep": "first"}, "'last' or 'best'"),
        ({"augmentation": {"gamma": [2.0, 1.0]}}, "a range starts with its lower end"),
        ({"augmentation": {"rotate": 3}}, "did you mean 'rotation'"),
        ({"augmentation": {"scale": 1.0}}, "less than 1"),
        ({"shares": {"native": -1.0, "auxiliary": 3.0}}, "greater than 0"),
        ({"shares": {"native": float("inf")}}, "finite"),
        ({"learning_rate": float("inf")}, "finite"),
    ],
)
def test_what_contradicts_itself_is_refused(changes, message):
    with pytest.raises(ParameterError, match=message):
        settings(SETTINGS | changes, Training, "params.yaml: methods.mine.training")


def test_an_optimiser_has_its_own_schedule_or_the_trainings():
    own = {"schedule": "step", "milestones": [2], "milestone_divisor": 5.0}
    optimizers = {"critic": DISCRIMINATOR, "discriminator": DISCRIMINATOR | own}
    chosen = settings(SETTINGS | {"optimizers": optimizers}, Training, "here")
    assert chosen.scheduled("main") is chosen.scheduled("critic") is chosen
    assert chosen.scheduled("discriminator") is chosen.optimizers["discriminator"]
    assert chosen.scheduled("discriminator").schedule == "step"
    assert chosen.optimization("critic").learning_rate == DISCRIMINATOR["learning_rate"]
    assert chosen.optimization("main") is chosen
