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


@given(st.integers(1, 50), st.floats(0, 3), st.sampled_from(["constant", "cosine", "step"]))
def test_no_learning_rate_is_above_the_first_one_or_negative(steps_per_epoch, warmup, schedule):
    chosen = training(schedule=schedule, warmup_epochs=warmup, milestones=[2] if schedule == "step" else [])
    rates = [learning_rate(chosen, EPOCHS, 0.1, step, steps_per_epoch) for step in range(3 * steps_per_epoch)]
    assert all(0 <= rate <= 0.1 * (1 + 1e-9) for rate in rates)


def optimizer(*rates):
    groups = [{"params": [torch.nn.Parameter(torch.zeros(1))], "lr": rate, "initial_lr": rate} for rate in rates]
    return torch.optim.SGD(groups)


def test_groups_and_optimisers_keep_the_ratio_of_their_learning_rates():
    main, other = optimizer(0.1, 1.0), optimizer(0.2)
    Schedule({"main": main, "other": other}, training(), 10).begin_update(17)
    rates = [group["lr"] for each in (main, other) for group in each.param_groups]
    assert rates == pytest.approx([learning_rate(training(), EPOCHS, initial, 17, 10) for initial in (0.1, 1.0, 0.2)])
    assert rates[1] / rates[0] == pytest.approx(10)


def test_a_plateau_divides_the_learning_rate_after_patience_and_is_remembered():
    chosen = training(schedule="plateau", warmup_epochs=0, plateau_patience=1, plateau_divisor=5)
    main = optimizer(0.1)
    schedule = Schedule({"main": main}, chosen, 10)
    rates = []
    for loss in (3.0, 2.0, 2.0, 2.0, 2.0):
        schedule.begin_update(0)
        schedule.end_epoch(loss)
        rates.append(main.param_groups[0]["lr"])
    assert rates == pytest.approx([0.1, 0.1, 0.1, 0.02, 0.02])
    again = Schedule({"main": main}, chosen, 10)
    again.load_state_dict(schedule.state_dict())
    again.end_epoch(2.0)
    assert main.param_groups[0]["lr"] == pytest.approx(0.004)


def test_a_loss_that_falls_by_less_than_the_threshold_has_not_fallen():
    main = optimizer(0.1)
    chosen = training(schedule="plateau", warmup_epochs=0, plateau_patience=0, plateau_divisor=2, plateau_threshold=0.1)
    schedule = Schedule({"main": main}, chosen, 10)
    rates = []
    for loss in (1.0, 0.95, 0.8):
        schedule.end_epoch(loss)
        rates.append(main.param_groups[0]["lr"])
    assert rates == pytest.approx([0.1, 0.05, 0.05])


def rates_of(each):
    return [group["lr"] for group in each.param_groups]


CRITIC = {"optimizer": "adam", "learning_rate": 0.2, "weight_decay": 0}


def test_a_constant_learning_rate_stays_after_its_warm_up():
    chosen = training(schedule="constant", warmup_epochs=1)
    rates = [learning_rate(chosen, EPOCHS, 0.1, step, 4) for step in range(12)]
    assert rates == pytest.approx([0.025, 0.05, 0.075] + [0.1] * 9)


def test_an_optimiser_may_stay_while_the_main_one_steps_down():
    """RAN: the generator's learning rate falls, the discriminator's stays."""
    own = CRITIC | {"schedule": "constant"}
    chosen = training(schedule="step", milestones=[1, 2], warmup_epochs=0, optimizers={"critic": own})
    main, critic = optimizer(0.1), optimizer(0.2)
    schedule = Schedule({"main": main, "critic": critic}, chosen, 10)
    seen = []
    for step in (0, 9, 10, 19, 20, 29):
        schedule.begin_update(step)
        seen += rates_of(main)
        assert rates_of(critic) == [0.2]
    assert seen == pytest.approx([0.1, 0.1, 0.01, 0.01, 0.001, 0.001])


def test_an_optimiser_without_a_schedule_has_the_trainings_at_its_own_rate():
    chosen = training(schedule="step", milestones=[1], warmup_epochs=0, optimizers={"critic": CRITIC})
    main, critic = optimizer(0.1), optimizer(0.2)
    Schedule({"main": main, "critic": critic}, chosen, 10).begin_update(10)
    assert (rates_of(main), rates_of(critic)) == (pytest.approx([0.01]), pytest.approx([0.02]))


@pytest.mark.parametrize("whose", ["main", "critic"])
def test_one_optimiser_waits_for_a_plateau_and_the_other_does_not(whose):
    plateau = {"schedule": "plateau", "warmup_epochs": 0, "plateau_patience": 0, "plateau_divisor": 5.0}
    constant = {"schedule": "constant", "warmup_epochs": 0}
    own, others = (plateau, constant) if whose == "critic" else (constant, plateau)
    chosen = training(**others, optimizers={"critic": CRITIC | own})
    each = {"main": optimizer(0.1), "critic": optimizer(0.2)}
    schedule = Schedule(each, chosen, 10)
    for step, loss in enumerate((1.0, 2.0, 2.0)):
        schedule.begin_update(10 * step)
        schedule.end_epoch(loss)
    expected = {"main": 0.1, "critic": 0.2}
    expected[whose] /= 25
    assert {name: rates_of(of)[0] for name, of in each.items()} == pytest.approx(expected)
    assert set(schedule.state_dict()) == {whose}


def test_each_plateau_is_remembered_for_itself():
    plateau = {"schedule": "plateau", "warmup_epochs": 0}
    own = CRITIC | {"schedule": "plateau", "plateau_patience": 2, "plateau_divisor": 2.0}
    chosen = training(**plateau, plateau_patience=0, plateau_divisor=5.0, optimizers={"critic": own})

    def made():
        each = {"main": optimizer(0.1), "critic": optimizer(0.2)}
        return each, Schedule(each, chosen, 10)

    whole, schedule = made()
    for loss in (1.0, 2.0, 2.0):
        schedule.end_epoch(loss)
    state = schedule.state_dict()
    again, resumed = made()
    for name, other in again.items():
        other.load_state_dict(whole[name].state_dict())
    resumed.load_state_dict(state)
    for each, of in ((whole, schedule), (again, resumed)):
        of.end_epoch(2.0)
        assert {name: rates_of(opt)[0] for name, opt in each.items()} == pytest.approx(
            {"main": 0.1 / 125, "critic": 0.1}
        )
