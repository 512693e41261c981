"""What must hold for every head."""

import inspect

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional as F

from lrfr.config import Section
from lrfr.config import settings as read
from lrfr.errors import ParameterError
from lrfr.nn.heads import (
    HEADS,
    AdaFace,
    ArcFace,
    CosFace,
    CurricularFace,
    HeadSettings,
    MagFace,
    MVSoftmax,
    NormFace,
    SphereFace,
    build_head,
)

COSINE = [NormFace, CosFace, ArcFace, MVSoftmax, CurricularFace]
WITHOUT_MARGIN = [
    lambda *shape: CosFace(*shape, margin=0),
    lambda *shape: ArcFace(*shape, margin=0),
    lambda *shape: MVSoftmax(*shape, margin=0, t=1),
    lambda *shape: MagFace(*shape, l_m=0, u_m=0),
    lambda *shape: AdaFace(*shape, margin=0),
    lambda *shape: SphereFace(*shape, margin=1),
]


class Params(Section):
    """Anything that has a head."""

    head: HeadSettings


@st.composite
def batches(draw):
    """Embeddings (B, D) of any norm, labels (B,), and prototypes (C, D)."""
    torch.manual_seed(draw(st.integers(0, 2**20)))
    size, dim, classes = draw(st.integers(1, 5)), draw(st.integers(2, 6)), draw(st.integers(1, 5))
    norms = torch.tensor(draw(st.lists(st.floats(0.01, 200), min_size=size, max_size=size)))
    embedding, labels = F.normalize(torch.randn(size, dim)) * norms[:, None], torch.randint(classes, (size,))
    return embedding, labels, torch.randn(classes, dim)


def with_prototypes(make, prototypes):
    head = make(prototypes.shape[1], len(prototypes)).eval()
    head.weight.data = prototypes.clone()
    return head


@pytest.mark.parametrize("kind", COSINE)
@settings(max_examples=25, deadline=None)
@given(batch=batches(), factor=st.floats(1e-3, 1e3))
def test_cosine_heads_do_not_see_the_norm(kind, batch, factor):
    embedding, labels, prototypes = batch
    head = with_prototypes(kind, prototypes)
    head.scale = 1
    assert torch.allclose(head(embedding, labels), head(factor * embedding, labels), atol=2e-3)


@pytest.mark.parametrize("make", WITHOUT_MARGIN)
@settings(max_examples=25, deadline=None)
@given(batch=batches())
def test_without_a_margin_the_logits_are_the_plain_ones(make, batch):
    embedding, labels, prototypes = batch
    head = with_prototypes(make, prototypes)
    assert torch.allclose(head(embedding, labels), head.plain(embedding), rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize("kind", HEADS.values())
@settings(max_examples=25, deadline=None)
@given(batch=batches())
def test_the_order_of_the_classes_is_nothing(kind, batch):
    embedding, labels, prototypes = batch
    order = torch.randperm(len(prototypes))
    logits = with_prototypes(kind, prototypes)(embedding, labels)
    again = with_prototypes(kind, prototypes[order])(embedding, order.argsort()[labels])
    assert torch.allclose(again, logits[:, order], rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize("kind", HEADS.values())
@settings(max_examples=25, deadline=None)
@given(batch=batches())
def test_a_margin_only_takes_from_the_target(kind, batch):
    embedding, labels, prototypes = batch
    head = with_prototypes(kind, prototypes)
    target, plain = head(embedding, labels).gather(1, labels[:, None]), head.plain(embedding).gather(1, labels[:, None])
    assert (target <= plain + 1e-4 * (1 + plain.abs())).all()


@pytest.mark.parametrize("kind", HEADS.values())
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
def test_everything_is_finite_at_the_edges(kind, dtype):
    head = kind(3, 1)
    prototype = F.normalize(head.weight.detach())
    embedding = torch.cat([prototype, -prototype, 1e-30 * prototype, 3e4 * prototype, 0 * prototype])
    embedding = embedding.to(dtype).requires_grad_()
    sum(head.losses(embedding, torch.zeros(5, dtype=torch.long)).values()).backward()
    head(embedding, torch.zeros(5, dtype=torch.long)).sum().backward()
    assert head(embedding, torch.zeros(5, dtype=torch.long)).dtype == torch.float32
    assert torch.isfinite(embedding.grad).all()
    assert torch.isfinite(head.weight.grad).all()
    assert all(torch.isfinite(value).all() for value in head.state_dict().values())
    losses = head.losses(embedding[:1].detach(), torch.zeros(1, dtype=torch.long))
    assert all(torch.isfinite(value) for value in losses.values())


@pytest.mark.parametrize("kind", HEADS.values())
def test_autocast_and_inputs_are_left_alone(kind):
    torch.manual_seed(0)
    head, embedding, labels = kind(8, 4).eval(), torch.randn(6, 8), torch.arange(6) % 4
    kept = [value.clone() for value in (embedding, labels, head.weight)]
    exact = head(embedding, labels)
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(head(embedding, labels), exact)
        losses = head.losses(embedding, labels)
    assert all(value.dtype == torch.float32 for value in losses.values())
    assert all(torch.equal(*pair) for pair in zip(kept, (embedding, labels, head.weight), strict=True))


@pytest.mark.parametrize("kind", HEADS.values())
def test_gradients_are_those_of_finite_differences(kind):
    torch.manual_seed(5)
    head = kind(5, 4).double().eval()
    if kind is AdaFace:  # whose z has no gradient; these norms are at its bound
        head.norm_mean.fill_(0), head.norm_std.fill_(0)
    if kind is MagFace:
        head.l_a, head.u_a = 0.1, 20.0
    labels = torch.tensor([0, 1, 3])

    def losses(embedding, weight):
        values = torch.func.functional_call(head, {"weight": weight}, (embedding, labels))
        others = [value for name, value in head.losses(embedding, labels).items() if name != "classification"]
        return torch.stack([F.cross_entropy(values / 16, labels), *others])

    inputs = torch.randn(3, 5, dtype=torch.float64), torch.randn(4, 5, dtype=torch.float64)
    assert torch.autograd.gradcheck(losses, [value.requires_grad_() for value in inputs])


@pytest.mark.parametrize("kind", HEADS.values())
def test_nothing_is_followed_in_evaluation_mode(kind):
    head = kind(5, 4).eval()
    kept = {name: value.clone() for name, value in head.state_dict().items()}
    head.losses(30 * torch.randn(7, 5), torch.arange(7) % 4)
    assert all(torch.equal(value, kept[name]) for name, value in head.state_dict().items())


@pytest.mark.parametrize("name", HEADS)
def test_a_section_builds_its_head_with_the_same_defaults(name):
    chosen = read({"head": {"name": name}}, Params, "params.yaml").head
    head = build_head(chosen, 5, 4)
    assert type(head) is HEADS[name] and head.weight.shape == (4, 5)
    defaults = {key: value.default for key, value in list(inspect.signature(HEADS[name]).parameters.items())[2:]}
    assert chosen.model_dump(exclude={"name", "sample_rate"}) == defaults


@pytest.mark.parametrize(
    ("head", "complaint"),
    [
        (
            {"name": "ArcFce"},
            r"unknown head 'ArcFce'\n.*params\.yaml: head\n.*mean 'ArcFace'\? known: AdaFace.*SphereFace",
        ),
        (
            {"name": "CosFace", "margn": 1},
            r"unknown parameter 'margn'\n.*head\.CosFace.*\n.*mean 'margin'.*sample_rate",
        ),
        (
            {"name": "MagFace", "scal": 1},
            r"mean 'scale'\? known: l_a, l_m, lambda_g, name, sample_rate, scale, u_a, u_m",
        ),
        ({"name": "MagFace", "l_a": 110}, "l_a must be below u_a"),
        ({"name": "CenterLoss", "sample_rate": 0.5}, r"unknown parameter 'sample_rate'\n.*\n.*center_rate"),
        ({"margin": 1}, r"'name' is missing\n.*params\.yaml: head"),
        ({"name": "ArcFace", "margin": "wide"}, r"valid number \(it is 'wide'\)\n.*head\.ArcFace\.margin"),
    ],
)
def test_a_wrong_setting_gets_one_clear_message(head, complaint):
    with pytest.raises(ParameterError, match=complaint):
        read({"head": head}, Params, "params.yaml")
