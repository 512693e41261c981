"""MR-GAN's terms against naive recomputations, its generator, and who learns from what."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from lrfr.config import settings
from lrfr.core.alignment import TEMPLATE
from lrfr.errors import ParameterError
from lrfr.nn.embedder import Architecture, Embedder
from lrfr.nn.training.task import Faces, StepContext
from lrfr.nn.translation.mrgan import attended
from lrfr.nn.translation.patches import Box, central, patches
from lrfr.synthesis import mrgan
from tests.nn.small_training import DISCRIMINATOR, SETTINGS

SIZE = 24
EXPERT = Architecture(backbone="lrfr_ir18", width=0.125, embedding_dim=8, input_size=SIZE, dropout=0.0)
TINY = {
    "backbone": "main", "size": SIZE, "sides": [24, 12, 6], "width": 0.05,
    "training": SETTINGS | {"optimizers": {"discriminator": DISCRIMINATOR}},
}  # fmt: skip


def build(**changes):
    torch.manual_seed(0)
    chosen = settings(TINY | changes, mrgan.Settings, "here")
    task = mrgan.task(chosen, "arcface_112", Embedder(EXPERT), images(2, seed=9))
    with torch.no_grad():  # an untrained generator changes nothing
        for layer in (task.generator.decoder.last, *(r.decoder.last for r in task.generator.refiners.values())):
            layer.weight.normal_(std=0.05)
    return task.train()


def images(count=3, seed=1, size=SIZE):
    return torch.rand(count, 3, size, size, generator=torch.Generator().manual_seed(seed))


def batch():
    return {"hr": Faces(images(seed=1), torch.zeros(3)), "lr": Faces(images(seed=2), torch.zeros(3))}


def now(step=0):
    return StepContext(step, 10, np.random.default_rng(step))


def terms(task, optimizer, step=0):
    task.before_update(batch(), now(step), {})
    return task.losses(batch(), now(step), optimizer)


def flat(tensor):
    return tensor.double().flatten().tolist()


@given(st.integers(0, 10_000))
def test_equations_2_and_4_are_mean_absolute_differences(seed):
    random = torch.Generator().manual_seed(seed)
    features, made = (torch.randn(3, 5, generator=random, dtype=torch.float64) for _ in range(2))
    naive = sum(abs(a - b) for a, b in zip(flat(features), flat(made), strict=True)) / 15
    assert mrgan.perceptual_loss(features, made).item() == pytest.approx(naive, rel=1e-6)
    faces, lowest = (torch.rand(2, 3, 4, 5, generator=random) for _ in range(2))
    naive = sum(abs(a - b) for a, b in zip(flat(faces), flat(lowest), strict=True)) / (2 * 3 * 4 * 5)
    assert mrgan.pixel_loss(faces, lowest).item() == pytest.approx(naive, rel=1e-5)


@given(st.integers(0, 10_000))
def test_equation_3_is_least_squares_over_all_discriminators(seed):
    random = torch.Generator().manual_seed(seed)
    names = ("whole", "eyes", "nose", "mouth")
    real, made = ({name: torch.randn(3, 1, 2, 2, generator=random) for name in names} for _ in range(2))

    def mean(values):
        return sum(values) / len(values)

    judges = mrgan.adversarial_discriminator_loss(real, made)
    for name in names:
        naive = mean([(v - 1) ** 2 for v in flat(real[name])]) + mean([v**2 for v in flat(made[name])])
        assert judges[name].item() == pytest.approx(naive, rel=1e-5)
    naive = sum(mean([(v - 1) ** 2 for v in flat(made[name])]) for name in names)
    assert mrgan.adversarial_generator_loss(made).item() == pytest.approx(naive, rel=1e-5)


def test_equation_5_wants_nothing_in_the_centre_and_all_at_the_edge():
    attention = torch.rand(2, 1, 6, 6, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    box = Box(1, 2, 4, 5)
    inside, edge = [], []
    for face in attention[:, 0].tolist():
        for row, line in enumerate(face):
            for column, value in enumerate(line):
                (inside if 1 <= row < 4 and 2 <= column < 5 else edge).append(value)
    naive = sum(inside) / len(inside) + sum(1 - value for value in edge) / len(edge)
    assert mrgan.attention_loss(attention, box).item() == pytest.approx(naive)
    wanted = torch.ones(1, 1, 6, 6)
    wanted[:, :, 1:4, 2:5] = 0
    assert mrgan.attention_loss(wanted, box) == 0


def test_equation_1_mixes_by_the_attention():
    attention, lowest, residual = torch.rand(2, 1, 4, 4), images(2, 3, 4), images(2, 4, 4)
    mixed = attended(attention, lowest, residual)
    for face in range(2):
        for channel in range(3):
            for place in np.ndindex(4, 4):
                a = attention[face, 0][place].item()
                naive = a * lowest[face, channel][place].item() + (1 - a) * residual[face, channel][place].item()
                assert mixed[face, channel][place].item() == pytest.approx(naive, abs=1e-6)


def test_where_the_attention_is_1_the_output_is_the_lowest_resolution():
    task = build()
    noise = torch.randn(3, task.noise)
    made = task.generator.made(images(), noise)
    assert made.attention.min() >= 0 and made.attention.max() <= 1
    assert made.images.min() >= 0 and made.images.max() <= 1
    assert not torch.equal(made.images, made.lowest)
    with torch.no_grad():
        task.generator.decoder.last.bias[3] = 200.0  # sigmoid(200) is 1
        made = task.generator.made(images(), noise)
    assert (made.attention == 1).all()
    assert torch.equal(made.images, made.lowest)


def test_the_lowest_resolution_is_lower_than_the_others_and_noise_decides():
    task = build().eval()
    made = task.generator.made(images(), torch.zeros(3, task.noise))
    fine = images().diff(dim=3).abs().mean()
    assert made.lowest.diff(dim=3).abs().mean() < 0.3 * fine
    assert not torch.equal(made.images, task.generator(images(), torch.ones(3, task.noise)))


def test_patches_hold_their_landmarks_and_the_centre_is_the_papers():
    boxes = patches("arcface_112", 112)
    for name, landmarks in {"eyes": (0, 1), "nose": (2,), "mouth": (3, 4)}.items():
        top, left, bottom, right = boxes[name]
        for x, y in TEMPLATE[list(landmarks)]:
            assert left < x < right and top < y < bottom
    top, left, bottom, right = central(112)
    assert (bottom - top, right - left) == (85, 82)


def test_a_patch_changes_nothing_outside_of_its_place():
    """Before the merging, which is 1 x 1."""
    generator = build().generator
    whole, lowest, noise = images(1), images(1, 5), torch.randn(1, 16)
    for name, (top, left, bottom, right) in generator.boxes.items():
        refined = generator._refined(name, whole, lowest, noise)
        outside = torch.ones(SIZE, SIZE, dtype=torch.bool)
        outside[top:bottom, left:right] = False
        assert torch.equal(refined[0, :, outside], whole[0, :, outside])
        assert not torch.equal(refined[0, :, ~outside], whole[0, :, ~outside])


def test_the_terms_have_the_weights_of_equation_6_and_the_pixel_term_every_fifth_turn():
    with_pixel = [step for step in range(11) if "pixel" in terms(build(), "main", step)]
    assert with_pixel == [4, 9]
    plain = terms(build(), "main", 4)
    doubled = terms(
        build(adversarial_weight=4.0, perceptual_weight=40.0, pixel_weight=40.0, attention_weight=0.8), "main", 4
    )
    assert set(plain) == {"adversarial", "perceptual", "attention", "pixel"}
    assert all(doubled[name].item() == pytest.approx(2 * value.item()) for name, value in plain.items())
    judges = terms(build(), "discriminator")
    assert set(judges) == {f"adversarial_{name}" for name in ("whole", "eyes", "nose", "mouth")}


def test_the_published_weights_are_the_defaults():
    chosen = settings(TINY, mrgan.Settings, "here")
    weights = chosen.adversarial_weight, chosen.perceptual_weight, chosen.pixel_weight, chosen.attention_weight
    assert weights == (2.0, 20.0, 20.0, 0.4) and chosen.pixel_every == 5


def gradients(task, optimizer, step=0):
    task.zero_grad(set_to_none=True)
    torch.stack(list(terms(task, optimizer, step).values())).sum().backward()
    return {name.split(".")[0] for name, value in task.named_parameters() if value.grad is not None}


def test_the_discriminators_learn_from_their_terms_and_the_expert_never():
    task = build()
    assert gradients(task, "discriminator") == {"judges"}
    groups = task.parameter_groups()
    judges = {id(value) for value in task.judges.parameters()}
    makers = {id(value) for value in task.generator.parameters()}
    assert {id(value) for group in groups["discriminator"] for value in group["params"]} == judges
    assert {id(value) for group in groups["main"] for value in group["params"]} == makers
    reached = gradients(task, "main", 4)
    assert "generator" in reached and "expert" not in reached
    assert all(value.grad is not None for value in task.generator.parameters()), "all of it has something to learn"


def test_the_expert_stays_as_it_is():
    task = build()
    assert not task.expert.training and not any(value.requires_grad for value in task.expert.parameters())


def test_the_accuracy_is_told_once():
    task = build()
    terms(task, "discriminator")
    seen = task.observed()
    assert set(seen) == {"accuracy"} and 0 <= seen["accuracy"].item() <= 1
    assert task.observed() == {}


@pytest.mark.parametrize(
    ("presentation", "size", "complaint"),
    [
        ("as_cropped", (24, 24), r"MR-GAN refines eyes, nose and mouth at fixed places(.|\n)*arcface_112"),
        ("arcface_112", (40, 40), r"the expert 'main' takes faces of 40 x 40 px, and size is 24 px(.|\n)*size to 40"),
        ("arcface_112", (40, 24), r"takes faces of 40 x 24 px"),
    ],
)
def test_an_expert_that_does_not_go_with_it_is_refused(presentation, size, complaint):
    with pytest.raises(ParameterError, match=complaint):
        mrgan.check(settings(TINY, mrgan.Settings, "here"), presentation, size, "here")


@pytest.mark.parametrize("sides", [[24, 24, 6], [30, 12, 6], [6, 12, 24]])
def test_the_resolutions_fall(sides):
    with pytest.raises(ParameterError, match="each below the one before"):
        settings(TINY | {"sides": sides}, mrgan.Settings, "here")
