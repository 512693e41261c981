"""RI's terms against naive recomputations, and the method that assembles them."""

import math

import numpy as np
import pyarrow as pa
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from lrfr.config import settings
from lrfr.errors import ParameterError
from lrfr.faces import FACE_SCHEMA
from lrfr.methods import baseline, ri
from lrfr.nn.batches.images import FaceImages
from lrfr.nn.embedder import Architecture
from lrfr.nn.training.task import Faces, StepContext
from tests.face_tables import images_of, unrecognizable_rows
from tests.methods.backbones import backbone
from tests.nn.small_training import SETTINGS, run, training, weights

ARCHITECTURE = Architecture(backbone="lrfr_ir18", width=0.125, embedding_dim=8, input_size=16, dropout=0.2)
HEAD = {"name": "ArcFace", "scale": 16.0, "margin": 0.3}
FULL = {"head": HEAD, "unrecognizable": 6, "training": SETTINGS}
NOTHING = {"recognizability_weight": 0, "diversion_weight": 0, "projection_weight": 0}
CLASSES = {"native": 4}


def build(architecture=ARCHITECTURE, method=ri, **changes):
    torch.manual_seed(0)
    values = (FULL if method is ri else {"head": HEAD, "training": SETTINGS}) | changes
    return method.build(settings(values, method.Settings, "here"), backbone(architecture), CLASSES)


def nobody():
    """Faces that nobody recognises, as the task has them."""
    return FaceImages(images_of(pa.Table.from_pylist(unrecognizable_rows(), FACE_SCHEMA)), (16, 16))


def now(step=0):
    return StepContext(step, 10, np.random.default_rng(0))


def some(count=6):
    return Faces(torch.rand(count, 3, 16, 16, generator=torch.Generator().manual_seed(1)), torch.arange(count) % 4)


def unit(vector):
    return vector / math.sqrt(sum(x * x for x in vector.tolist()))


def naive_index(embedding, prototypes, labels, center):
    """Equations 1 to 3, face by face."""
    found = []
    embedding, prototypes = embedding.detach(), prototypes.detach()
    for v, label in zip(embedding, labels.tolist(), strict=True):
        cosine = [float(unit(v) @ unit(w)) for w in prototypes]
        positive, negative = 1 - cosine[label], 1 - max(c for j, c in enumerate(cosine) if j != label)
        found.append((1 - float(unit(v) @ unit(center))) * negative / (positive + 1e-7))
    return found


def drawn(seed=0, faces=5, classes=4, dimension=6):
    random = torch.Generator().manual_seed(seed)
    shapes = (faces, dimension), (classes, dimension), (dimension,)
    embedding, prototypes, center = (torch.randn(shape, generator=random, dtype=torch.float64) for shape in shapes)
    return embedding, prototypes, torch.randint(classes, (faces,), generator=random), center


@given(st.integers(0, 10_000), st.integers(2, 9))
def test_the_index_is_that_of_equations_1_to_3(seed, classes):
    embedding, prototypes, labels, center = drawn(seed, classes=classes)
    found = ri.recognizability_index(embedding, prototypes, labels, center)
    assert found.tolist() == pytest.approx(naive_index(embedding, prototypes, labels, center), rel=1e-9)
    longer = ri.recognizability_index(3 * embedding, 0.1 * prototypes, labels, 7 * center)
    assert torch.allclose(found, longer), "only directions count"


def test_the_index_is_a_target_without_gradient():
    embedding, prototypes, labels, center = drawn()
    assert not ri.recognizability_index(embedding.requires_grad_(), prototypes, labels, center).requires_grad


def test_a_face_on_its_prototype_has_a_finite_index():
    prototypes = torch.eye(3)
    index = ri.recognizability_index(prototypes[:1], prototypes, torch.tensor([0]), -prototypes[0])
    assert index.item() == pytest.approx(2 / 1e-7, rel=1e-3)


@pytest.mark.parametrize("difference", [0.0, 0.2, -0.7, 0.75, 1.3, -4.0])
def test_the_regression_is_equation_4(difference):
    expected = 0.5 * difference**2 / 0.75 if abs(difference) < 0.75 else abs(difference) - 0.5 * 0.75
    predicted, index = torch.tensor([2.0, 2.0]), torch.tensor([2.0 + difference, 2.0])
    assert ri.recognizability_loss(predicted, index).item() == pytest.approx(expected / 2, abs=1e-6)


def test_the_diversion_is_equations_5_to_7():
    predicted, mu, sigma, tau = [-1.0, 0.4, 1.9, 5.0], 0.1, 0.9, 1.645
    expected = sum(max(0, tau - (value - mu) / sigma) for value in predicted) / 4
    assert ri.index_diversion_loss(torch.tensor(predicted), mu, sigma, tau).item() == pytest.approx(expected, rel=1e-6)
    tensors = ri.index_diversion_loss(torch.tensor(predicted), torch.tensor(mu), torch.tensor(sigma), tau)
    assert tensors.item() == pytest.approx(expected, rel=1e-6)


@given(st.integers(0, 10_000))
def test_the_projection_is_equation_8_and_orthogonal_to_the_centre(seed):
    embedding, _, _, center = drawn(seed)
    found = ri.project_away(embedding, center)
    for v, projected in zip(embedding, found, strict=True):
        length = float(v @ unit(center))
        away = [x - length * u for x, u in zip(v.tolist(), unit(center).tolist(), strict=True)]
        assert projected.tolist() == pytest.approx(away)
    assert torch.allclose(found @ center, torch.zeros(5, dtype=torch.float64), atol=1e-9)


def test_the_attention_s_term_is_the_mean_squared_error():
    projected, attended = torch.randn(3, 4), torch.randn(3, 4)
    expected = sum((a - b) ** 2 for a, b in zip(projected.flatten().tolist(), attended.flatten().tolist(), strict=True))
    assert ri.projection_loss(projected, attended).item() == pytest.approx(expected / 12, rel=1e-5)


def test_gradients_are_those_of_finite_differences():
    """gradcheck compares each with (f(x + h) - f(x - h)) / 2h, at places where none of them has a kink."""
    torch.manual_seed(2)
    embedding, _, _, center = drawn()
    predicted = torch.tensor([0.3, 2.9, -1.2], dtype=torch.float64, requires_grad=True)
    index = torch.tensor([0.5, 1.1, 3.0], dtype=torch.float64)
    assert torch.autograd.gradcheck(lambda value: ri.recognizability_loss(value, index), predicted)
    assert torch.autograd.gradcheck(lambda value: ri.index_diversion_loss(value, 0.02, 1.01, 1.645), predicted)
    assert torch.autograd.gradcheck(lambda value: ri.project_away(value, center), embedding.requires_grad_())
    attended = torch.randn(5, 6, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda value: ri.projection_loss(embedding.detach(), value), attended)


def test_the_terms_are_those_of_equation_10():
    task = build()
    task.unrecognizable = nobody()
    task.train().before_update({}, now(), {})
    faces = some()
    torch.manual_seed(5)
    terms = task.losses({"native": faces}, now(), "main")
    torch.manual_seed(5)
    features = task.embedder.feature_map(faces.images)
    embedding = task.embedder.backbone.forward_head(features)
    predicted = task.embedder.quality(features, embedding)
    index = torch.tensor(naive_index(embedding, task.head.weight, faces.labels, task.ui_center))
    attended = task.attention(features)
    projected = ri.project_away(embedding, task.ui_center)
    expected = {
        "classification": torch.nn.functional.cross_entropy(task.head(embedding, faces.labels), faces.labels),
        "recognizability": 5 * ri.recognizability_loss(predicted, index),
        "index_diversion": 2 * ri.index_diversion_loss(predicted, task.mu, task.sigma, 1.645),
        "projection": (projected - attended).square().mean(),
    }
    assert {name: value.item() for name, value in terms.items()} == pytest.approx(
        {name: value.item() for name, value in expected.items()}, rel=1e-4
    )


def test_mu_and_sigma_are_those_of_k_draws():
    task = build(unrecognizable=5000)
    assert abs(task.mu.item()) < 0.1 and abs(task.sigma.item() - 1) < 0.1
    few = build(unrecognizable=6)
    assert abs(few.sigma.item() - 1) > 1e-3


def test_the_centre_is_the_mean_of_normalised_embeddings_as_the_deployed_model_gives_them():
    task = build()
    task.unrecognizable = nobody()
    before = {name: value.clone() for name, value in task.train().state_dict().items()}
    task.before_update({}, now(), {})
    assert all(module.training for module in task.embedder.modules()), "training goes on as it was"
    embedding = task.embedder.eval()(torch.stack([task.unrecognizable[row] for row in range(6)]))
    expected = sum(unit(row) for row in embedding) / 6  # K of the 8 that there are
    assert torch.allclose(task.ui_center, expected, atol=1e-5)
    changed = {name for name, value in task.state_dict().items() if not torch.equal(value, before[name])}
    assert changed == {"ui_center"}


def test_the_centre_moves_as_the_model_is_trained_when_its_turn_has_come():
    task = build(center_every=3)
    task.unrecognizable = nobody()
    task.train().before_update({}, now(0), {})
    first = task.ui_center.clone()
    with torch.no_grad():
        for parameter in task.embedder.backbone.parameters():
            parameter.add_(0.05 * torch.randn_like(parameter))
    for step, moved in ((1, False), (2, False), (3, True)):
        task.before_update({}, now(step), {})
        assert torch.equal(task.ui_center, first) is not moved


ROWS = {
    "baseline": ({}, {"classification"}, None),
    "I": ({"diversion_weight": 2}, {"classification", "index_diversion"}, "recognizability"),
    "II": ({"projection_weight": 1}, {"classification", "projection"}, None),
    "III": ({"recognizability_weight": 5}, {"classification", "recognizability"}, "recognizability"),
}


@pytest.mark.parametrize("row", ROWS)
def test_rows_of_table_4_are_settings(row):
    changes, terms, quality = ROWS[row]
    task = build(**(NOTHING | changes))
    assert set(task.train().losses({"native": some()}, now(), "main")) == terms
    predicted = task.embedder.architecture.quality
    assert (predicted and predicted.name) == quality
    needed = ri.unrecognizable(task.settings)
    assert needed == (6 if row in ("II", "III") else 0), "the diversion draws its faces"


def trained(folder, method, **changes):
    task = []

    def kind(classes):
        task.append(build(method=method, **changes))
        return task[0]

    run(folder, kind, training(epochs=1))
    return task[0]


def test_without_its_terms_it_is_arcface_bit_for_bit(tmp_path):
    ours = trained(tmp_path / "ri", ri, **NOTHING)
    theirs = trained(tmp_path / "baseline", baseline)
    assert torch.equal(weights(ours.embedder), weights(theirs.embedder))
    assert torch.equal(ours.head.weight, theirs.head.weight)


def test_the_attended_embedding_may_be_deployed():
    task = build(deployed="attended").eval()
    images = some().images
    assert torch.equal(task.embed(images), task.attention(task.embedder.feature_map(images)))
    assert task.embedder.architecture.attended
    plain = build().eval()
    assert not torch.allclose(plain.embed(images), task.embed(images), atol=1e-2)
    assert "attention" not in dict(plain.embedder.named_children()) or plain.embedder.attention is None


def test_only_the_head_of_the_step_s_collection_learns():
    torch.manual_seed(0)
    chosen = settings(FULL | {"auxiliary": SETTINGS}, ri.Settings, "here")
    task = ri.build(chosen, backbone(ARCHITECTURE), {"auxiliary": 6, "native": 4})
    assert list(ri.steps(chosen).items()) == [("auxiliary", ("auxiliary",)), ("training", ("native",))]
    for step, count in (("auxiliary", 6), ("training", 4)):
        task.begin(step)
        assert task.head.weight.shape[0] == count
        assert [head.weight.requires_grad for head in task.heads.values()] == [count == 6, count == 4]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"tau": 0}, "greater than 0"),
        ({"tau": 11}, "less than or equal to 10"),
        ({"unrecognizable": 1}, "greater than 1"),
        ({"head": HEAD | {"sample_rate": 0.5}}, "leave sample_rate out"),
        ({"deployed": "attended", "projection_weight": 0}, "projection_weight above 0"),
        ({"lambda": 1}, "unknown parameter 'lambda'"),
    ],
)
def test_a_wrong_setting_is_refused(changes, said):
    with pytest.raises(ParameterError, match=said):
        settings(FULL | changes, ri.Settings, "methods.ri")


def test_a_single_identity_has_no_nearest_other_one():
    with pytest.raises(ParameterError, match="the native faces show 1 identity"):
        ri.build(settings(FULL, ri.Settings, "here"), backbone(ARCHITECTURE), {"native": 1})


def test_a_backbone_without_a_feature_map_is_refused():
    tokens = Architecture(backbone="vit_tiny_patch16_224", embedding_dim=8, input_size=32, dropout=0.0)
    with pytest.raises(ParameterError, match=r"no map \(channels, height, width\)"):
        build(tokens)
