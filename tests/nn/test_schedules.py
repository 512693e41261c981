import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from lrfr.nn.training.schedules import Schedule, learning_rate
from tests.nn.small_training import training

EPOCHS = training().epochs


def test_the_cosine_schedule_warms_up_and_ends_near_zero():
    rates = [learning_rate(training(), EPOCHS, 0.05, step, 10) for step in range(30)]
    assert rates[0] == pytest.approx(0.005)
    assert rates[9] == rates[10] == max(rates) == pytest.approx(0.05)
    assert rates[20] == pytest.approx(0.05 * (1 + math.cos(math.pi / 2)) / 2)
    assert rates[-1] < 0.001
    assert rates[10:] == sorted(rates[10:], reverse=True)


def test_steps_come_after_epochs_as_in_rifr():
    chosen = training(schedule="step", milestones=[30, 45], epochs=65, warmup_epochs=0)
    rates = [learning_rate(chosen, 65, 0.1, step, 7) for step in range(65 * 7)]
    assert rates == pytest.approx([0.1] * 30 * 7 + [0.01] * 15 * 7 + [0.001] * 20 * 7)


def test_steps_come_at_updates_as_in_ran():
    chosen = training(schedule="step", milestones=[50_000], milestone_unit="update", warmup_epochs=0)
    assert [learning_rate(chosen, EPOCHS, 0.01, step, 7) for step in (49_999, 50_000)] == pytest.approx([0.01, 0.001])


@given(st.integers(1, 50), st.floats(0, 3), st.sampled_from(["cosine", "step"]))
def test_no_learning_rate_is_above_the_first_one_or_negative(steps_per_epoch, warmup, schedule):
    chosen = training(schedule=schedule, warmup_epochs=warmup, milestones=[2] if schedule == "step" else [])
    rates = [learning_rate(chosen, EPOCHS, 0.1, step, steps_per_epoch) for step in range(3 * steps_per_epoch)]
    assert all(0 <= rate <= 0.1 * (1 + 1e-9) for rate in rates)


def optimizer(*rates):
    groups = [{"params": [torch.nn.Parameter(torch.zeros(1))], "lr": rate, "initial_lr": rate} for rate in rates]
    return torch.optim.SGD(groups)


def test_groups_and_players_keep_the_ratio_of_their_learning_rates():
    main, other = optimizer(0.1, 1.0), optimizer(0.2)
    Schedule([main, other], training(), 10).begin_update(17)
    rates = [group["lr"] for each in (main, other) for group in each.param_groups]
    assert rates == pytest.approx([learning_rate(training(), EPOCHS, initial, 17, 10) for initial in (0.1, 1.0, 0.2)])
    assert rates[1] / rates[0] == pytest.approx(10)


def test_a_plateau_divides_the_learning_rate_after_patience_and_is_remembered():
    chosen = training(schedule="plateau", warmup_epochs=0, plateau_patience=1, plateau_divisor=5)
    main = optimizer(0.1)
    schedule = Schedule([main], chosen, 10)
    rates = []
    for loss in (3.0, 2.0, 2.0, 2.0, 2.0):
        schedule.begin_update(0)
        schedule.end_epoch(loss)
        rates.append(main.param_groups[0]["lr"])
    assert rates == pytest.approx([0.1, 0.1, 0.1, 0.02, 0.02])
    again = Schedule([main], chosen, 10)
    again.load_state_dict(schedule.state_dict())
    again.end_epoch(2.0)
    assert main.param_groups[0]["lr"] == pytest.approx(0.004)
