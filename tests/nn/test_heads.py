import math

import pytest
import torch

from lrfr.nn.heads import ArcFace, NormFace


def cosines(embedding, weight):
    return [[float(e @ w / e.norm() / w.norm()) for w in weight] for e in embedding]


@pytest.mark.parametrize("margin", [0.0, 0.3, 0.5])
def test_arcface_adds_the_margin_to_the_angle(margin):
    torch.manual_seed(0)
    head, embedding, labels = ArcFace(6, 5, scale=30, margin=margin), torch.randn(8, 6), torch.arange(8) % 5
    logits = head(embedding, labels)
    for row, (values, label) in enumerate(zip(cosines(embedding, head.weight.detach()), labels.tolist(), strict=True)):
        expected = [30 * value for value in values]
        angle = math.acos(values[label])
        expected[label] = 30 * math.cos(angle + margin)
        assert angle + margin < math.pi
        assert logits[row].tolist() == pytest.approx(expected, abs=1e-4)


def test_arcface_keeps_falling_past_pi():
    head = ArcFace(2, 1, scale=1, margin=0.5)
    head.weight.data = torch.tensor([[1.0, 0.0]])
    angles = torch.linspace(0, math.pi, 50)
    logits = head(torch.stack([angles.cos(), angles.sin()], 1), torch.zeros(50, dtype=torch.long))[:, 0]
    assert (logits.diff() < 0).all()


@pytest.mark.parametrize("kind", [NormFace, ArcFace])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_heads_are_finite_at_the_edges(kind, dtype):
    head = kind(3, 1)
    prototype = head.weight.detach()
    embedding = torch.cat([prototype, -prototype, 1e-30 * prototype]).to(dtype).requires_grad_()
    logits = head(embedding, torch.zeros(3, dtype=torch.long))
    logits.sum().backward()
    assert torch.isfinite(logits).all()
    assert torch.isfinite(embedding.grad).all()
    assert torch.isfinite(head.weight.grad).all()


def test_normface_has_no_margin():
    torch.manual_seed(1)
    head, embedding = NormFace(4, 3, scale=10), torch.randn(2, 4)
    expected = [[10 * value for value in row] for row in cosines(embedding, head.weight.detach())]
    assert torch.allclose(head(embedding, torch.tensor([0, 1])), torch.tensor(expected), atol=1e-5)
