"""Every head against its paper's formula, and what it follows while it trains."""

import itertools
import math
import statistics

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional as F

from lrfr.nn.heads import (
    AdaFace,
    ArcFace,
    CenterLoss,
    CosFace,
    CurricularFace,
    DeepID2,
    MagFace,
    MVSoftmax,
    NormFace,
    Softmax,
    SphereFace,
    classifier_of,
)
from lrfr.nn.heads.deepid2 import best_threshold
from lrfr.nn.heads.sphereface import psi
from tests.nn import naive_heads as naive

CASES = [
    (lambda: Softmax(6, 5), naive.softmax, {}),
    (lambda: CenterLoss(6, 5), naive.softmax, {}),
    (lambda: DeepID2(6, 5), naive.softmax, {}),
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


def pairs(embedding, labels):
    """The distances of all pairs and whether they are genuine."""
    combined = list(itertools.combinations(range(len(labels)), 2))
    rows = embedding.tolist()
    return [naive.distance(rows[i], rows[j]) for i, j in combined], [labels[i] == labels[j] for i, j in combined]


def test_deepid2_verifies_the_pairs_of_a_batch_by_a_margin_that_former_pairs_gave():
    torch.manual_seed(4)
    head, labels = DeepID2(3, 4, verification_weight=0.2, margin_pairs=40), [0, 2, 2, 0, 2, 3]
    seen, margin = ([], []), None
    for _ in range(6):  # 15 pairs each
        embedding = torch.randn(6, 3)
        far, genuine = pairs(embedding, labels)
        margin = naive.fewest_errors(far, genuine) if margin is None else margin
        terms = head.losses(embedding, torch.tensor(labels))
        expected = 0.2 * naive.verification(embedding.tolist(), labels, margin)
        assert terms["verification"].item() == pytest.approx(expected, rel=1e-4)
        for kept, new in zip(seen, (far, genuine), strict=True):
            kept.extend(new)
        if len(seen[0]) >= 40:  # a margin is found on 40; what is over begins no new count
            margin, seen = naive.fewest_errors(seen[0][:40], seen[1][:40]), ([], [])
        assert head.margin.item() == pytest.approx(margin, rel=1e-5)


def test_deepid2_s_terms_may_lack_one_kind_of_pair():
    head, embedding = DeepID2(3, 4), torch.randn(4, 3)
    for labels in ([0, 1, 2, 3], [1, 1, 1, 1]):
        head.margin.fill_(2.0)
        expected = 0.05 * naive.verification(embedding.tolist(), labels, 2.0)
        terms = head.losses(embedding, torch.tensor(labels))
        assert terms["verification"].item() == pytest.approx(expected, rel=1e-4)
    assert head.losses(embedding[:1], torch.tensor([0]))["verification"].item() == 0


@given(st.lists(st.tuples(st.integers(0, 6), st.booleans()), min_size=1, max_size=30))
def test_the_threshold_with_the_fewest_errors(drawn):
    distances, genuine = [d / 2 for d, _ in drawn], [kind for _, kind in drawn]
    found = best_threshold(torch.tensor(distances), torch.tensor(genuine)).item()
    assert found == naive.fewest_errors(distances, genuine)


def test_a_published_softmax_keeps_its_bias():
    torch.manual_seed(5)
    prototypes, bias, embedding = torch.randn(5, 6), torch.randn(5), torch.randn(4, 6)
    head = classifier_of({"name": "Softmax"}, prototypes, bias)
    expected = [[naive.inner(x, w) + b for w, b in zip(prototypes.tolist(), bias.tolist(), strict=True)]
                for x in embedding.tolist()]  # fmt: skip
    assert torch.allclose(head.plain(embedding), torch.tensor(expected), atol=1e-5)
    assert set(head.state_dict()) == {"weight", "bias"} and set(Softmax(6, 5).state_dict()) == {"weight"}


def test_arcface_keeps_falling_past_pi():
    head = ArcFace(2, 1, scale=1, margin=0.5)
    head.weight.data = torch.tensor([[1.0, 0.0]])
    angles = torch.linspace(0, math.pi, 50)
    logits = head(torch.stack([angles.cos(), angles.sin()], 1), torch.zeros(50, dtype=torch.long))[:, 0]
    assert (logits.diff() < 0).all()
