"""Every head against its paper's formula, and what it follows while it trains."""

import math
import statistics

import pytest
import torch
from torch.nn import functional as F

from lrfr.nn.heads import (
    AdaFace,
    ArcFace,
    CenterLoss,
    CosFace,
    CurricularFace,
    MagFace,
    MVSoftmax,
    NormFace,
    Softmax,
    SphereFace,
)
from lrfr.nn.heads.sphereface import psi
from tests.nn import naive_heads as naive

CASES = [
    (lambda: Softmax(6, 5), naive.softmax, {}),
    (lambda: CenterLoss(6, 5), naive.softmax, {}),
    (lambda: NormFace(6, 5, 10), naive.normface, {"scale": 10}),
    (lambda: CosFace(6, 5, 30, 0.3), naive.cosface, {"scale": 30, "margin": 0.3}),
    (lambda: ArcFace(6, 5, 30, 0), naive.arcface, {"scale": 30, "margin": 0}),
    (lambda: ArcFace(6, 5, 30, 1.3), naive.arcface, {"scale": 30, "margin": 1.3}),
    (lambda: SphereFace(6, 5, 4, 2, 0, 1), naive.sphereface, {"margin": 4, "annealing": 2}),
    (lambda: SphereFace(6, 5, 3, 0, 0, 0), naive.sphereface, {"margin": 3, "annealing": 0}),
    (lambda: MVSoftmax(6, 5, 20, 0.5, 1.2), naive.mvsoftmax, {"scale": 20, "margin": 0.5, "t": 1.2}),
    (lambda: CurricularFace(6, 5, 30, 0.5), naive.curricularface, {"scale": 30, "margin": 0.5, "t": 0.0}),
    (
        lambda: MagFace(6, 5, 30, 0.5, 2.5, 0.2, 0.9),
        naive.magface,
        {"scale": 30, "l_a": 0.5, "u_a": 2.5, "l_m": 0.2, "u_m": 0.9},
    ),
    (
        lambda: AdaFace(6, 5, 30, 0.4, 0.333),
        naive.adaface,
        {"scale": 30, "margin": 0.4, "h": 0.333, "mean": 20.0, "std": 100.0},
    ),
]


@pytest.mark.parametrize(("make", "formula", "values"), CASES, ids=[case[1].__name__ for case in CASES])
def test_the_logits_are_those_of_the_formula(make, formula, values):
    torch.manual_seed(0)
    head = make().eval()
    embedding, labels = torch.randn(200, 6) * torch.logspace(-2, 1, 200)[:, None], torch.arange(200) % 5
    logits = head(embedding, labels)
    for row, (x, label) in enumerate(zip(embedding.tolist(), labels.tolist(), strict=True)):
        assert logits[row].tolist() == pytest.approx(formula(x, head.weight.tolist(), label, **values), abs=2e-4)


def test_adaface_turns_the_margin_by_the_norm():
    torch.manual_seed(1)
    head = AdaFace(6, 5, 30, 0.4, 0.333).eval()
    head.norm_mean.fill_(3), head.norm_std.fill_(1)
    labels, norms = torch.arange(60) % 5, torch.linspace(0.1, 7, 60)[:, None]
    towards = torch.tensor([0, 1, -1]).repeat(20)[:, None] * head.weight.detach()[labels] / 0.01  # angles near 0 and pi
    embedding = norms * F.normalize(towards + 0.2 * torch.randn(60, 6))
    logits = head(embedding, labels)
    for row, (x, label) in enumerate(zip(embedding.tolist(), labels.tolist(), strict=True)):
        expected = naive.adaface(x, head.weight.tolist(), label, 30, 0.4, 0.333, 3, 1)
        assert logits[row].tolist() == pytest.approx(expected, abs=2e-4)


def test_adaface_follows_the_norms_of_the_batches():
    torch.manual_seed(2)
    head, mean, std = AdaFace(6, 5, t_alpha=0.1), 20.0, 100.0
    for _ in range(3):
        embedding = 30 * torch.randn(8, 6)
        head(embedding, torch.arange(8) % 5)
        norms = [min(max(naive.norm(x), 0.001), 100) for x in embedding.tolist()]
        mean, std = 0.1 * statistics.mean(norms) + 0.9 * mean, 0.1 * statistics.stdev(norms) + 0.9 * std
    assert (head.norm_mean.item(), head.norm_std.item()) == pytest.approx((mean, std), rel=1e-5)
    head(embedding[:1], torch.zeros(1, dtype=torch.long))
    assert head.norm_std.item() == pytest.approx(std, rel=1e-5)  # one face has no deviation


def test_curricularface_follows_the_cosines_and_uses_them_at_once():
    torch.manual_seed(3)
    head, t = CurricularFace(6, 5, 30, 0.5, t_alpha=0.2), 0.0
    for _ in range(3):
        embedding, labels = torch.randn(8, 6), torch.randint(5, (8,))
        logits = head(embedding, labels)
        faces = list(zip(embedding.tolist(), labels.tolist(), strict=True))
        t = 0.2 * statistics.mean(naive.cosine(x, head.weight[y].tolist()) for x, y in faces) + 0.8 * t
        expected = [naive.curricularface(x, head.weight.tolist(), y, 30, 0.5, t) for x, y in faces]
        assert torch.allclose(logits, torch.tensor(expected), atol=2e-4)
    assert head.t.item() == pytest.approx(t, rel=1e-5)


def test_spherefaces_lambda_falls_with_the_updates_and_stops():
    head = SphereFace(6, 5, lambda_start=1000, lambda_decay=0.5, lambda_end=150)
    found = []
    for _ in range(14):
        head(torch.randn(2, 6), torch.tensor([0, 1]))
        found.append(head.annealing().item())
    assert found == pytest.approx([max(1000 / (1 + 0.5 * n), 150) for n in range(1, 15)])


def test_psi_falls_all_the_way_without_a_jump():
    angles = torch.linspace(0, math.pi, 2001, dtype=torch.float64)
    for margin in (1, 2, 3, 4):
        values = psi(angles.cos(), margin)
        assert (values.diff() <= 1e-12).all()
        assert values.diff().abs().max() < 0.02 * margin
        assert values.tolist() == pytest.approx([naive.psi(angle, margin) for angle in angles.tolist()], abs=1e-9)


def test_magface_regulariser():
    head = MagFace(6, 5, lambda_g=3, l_a=10, u_a=50)
    norms = torch.tensor([5.0, 10, 20, 50, 80])
    assert head.regularizer(norms).tolist() == pytest.approx([1 / a + a / 2500 for a in norms.tolist()])
    assert head.margin(torch.tensor([10.0, 30, 50])).tolist() == pytest.approx([0.45, 0.625, 0.8])
    embedding = F.normalize(torch.randn(5, 6)) * norms[:, None]
    bounded = [min(max(a, 10), 50) for a in norms.tolist()]
    term = head.losses(embedding, torch.arange(5))["magnitude"].item()
    assert term == pytest.approx(3 * statistics.mean(1 / a + a / 2500 for a in bounded), rel=1e-5)


def test_the_center_loss_and_the_rule_by_which_centers_move():
    torch.manual_seed(4)
    head = CenterLoss(3, 4, center_weight=0.01, center_rate=0.3)
    head.centers.normal_()
    before, labels = head.centers.tolist(), [0, 2, 2, 0, 2, 3]
    embedding = torch.randn(6, 3)
    faces = list(zip(embedding.tolist(), labels, strict=True))
    terms = head.losses(embedding, torch.tensor(labels))
    far = statistics.mean(sum((a - c) ** 2 for a, c in zip(x, before[y], strict=True)) for x, y in faces)
    assert terms["center"].item() == pytest.approx(0.01 * far / 2, rel=1e-5)
    for j, center in enumerate(before):
        own = [x for x, y in faces if y == j]
        steps = [sum(c - x[axis] for x in own) / (1 + len(own)) for axis, c in enumerate(center)]
        expected = [c - 0.3 * step for c, step in zip(center, steps, strict=True)]
        assert head.centers[j].tolist() == pytest.approx(expected, abs=1e-6)


def test_arcface_keeps_falling_past_pi():
    head = ArcFace(2, 1, scale=1, margin=0.5)
    head.weight.data = torch.tensor([[1.0, 0.0]])
    angles = torch.linspace(0, math.pi, 50)
    logits = head(torch.stack([angles.cos(), angles.sin()], 1), torch.zeros(50, dtype=torch.long))[:, 0]
    assert (logits.diff() < 0).all()
