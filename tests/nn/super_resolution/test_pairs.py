"""LR/HR pairs, and the loss between their halves."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from lrfr.core.resampling import bicubic
from lrfr.nn.super_resolution.loss import sr_loss
from lrfr.nn.super_resolution.pairs import low_resolution_pairs
from lrfr.nn.training.task import StepContext


def context(seed=0, processes=1, process=0):
    return StepContext(0, 1, np.random.default_rng(seed), processes, process)


def test_the_loss_is_summed_over_pixels_and_averaged_over_faces():
    super_resolved, hr = torch.rand(2, 3, 4, 5), torch.rand(2, 3, 4, 5)
    each = [
        sum((a - b) ** 2 for a, b in zip(one.flatten().tolist(), other.flatten().tolist(), strict=True))
        for one, other in zip(super_resolved, hr, strict=True)
    ]
    assert sr_loss(super_resolved, hr).item() == pytest.approx(sum(each) / 2, rel=1e-5)
    assert sr_loss(super_resolved.bfloat16(), hr).dtype == torch.float32


@given(
    sides=st.lists(st.integers(1, 40), min_size=1, max_size=4, unique=True),
    size=st.tuples(st.integers(4, 24), st.integers(4, 24)),
    processes=st.sampled_from([1, 2, 3, 6]),
    interpolation=st.sampled_from(["bilinear", "bicubic"]),
    seed=st.integers(0, 99),
)
def test_pairs_do_not_depend_on_the_number_of_processes(sides, size, processes, interpolation, seed):
    images = torch.rand(6, 3, *size, generator=torch.Generator().manual_seed(seed))
    whole = low_resolution_pairs(images, sides, interpolation, context(seed))
    parts = [
        low_resolution_pairs(part, sides, interpolation, context(seed, processes, process))
        for process, part in enumerate(images.chunk(processes))
    ]
    assert torch.allclose(torch.cat(parts), whole, atol=1e-6)
    assert whole.shape == images.shape and whole.min() >= 0 and whole.max() <= 1
    if min(sides) >= min(size):
        assert torch.equal(whole, images)


def test_each_face_is_shrunk_to_a_side_of_its_own_and_enlarged_back():
    sides, height, width = (4, 8, 12), 24, 18
    pixels = np.random.default_rng(1).integers(0, 256, (60, height, width, 3), dtype=np.uint8)
    images = torch.from_numpy(pixels).permute(0, 3, 1, 2).float() / 255
    lr = low_resolution_pairs(images, sides, "bicubic", context(5))
    kinds = []
    for face, pair in zip(pixels, lr, strict=True):
        tries = [bicubic(bicubic(face, round(height * side / width), side), height, width) for side in sides]
        errors = [np.abs(made / 255 - pair.permute(1, 2, 0).numpy()).max() for made in tries]
        assert sorted(errors)[0] < 2 / 255 < 10 / 255 < sorted(errors)[1]  # grey levels are rounded twice here
        kinds.append(sides[int(np.argmin(errors))])
    assert {kinds.count(side) > 8 for side in sides} == {True}
    assert not torch.equal(low_resolution_pairs(images, sides, "bicubic", context(6)), lr)
    assert not torch.allclose(low_resolution_pairs(images, sides, "bilinear", context(5)), lr, atol=0.02)
