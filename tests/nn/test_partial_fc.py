"""Partial FC: what an update draws, what it changes, and that it resumes."""

import io
import os
import signal

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter
from torch.nn import functional as F

from lrfr.errors import InterruptedTrainingError, ParameterError, TrainingError
from lrfr.nn.classifier import Classifier
from lrfr.nn.embedder import Architecture, Embedder
from lrfr.nn.heads import HEADS, ArcFace, ArcFaceSettings, HeadSettings, NormFace, PartialFC, build_head, class_means
from lrfr.nn.heads.partial_fc import drawn_classes
from lrfr.nn.training.task import Faces, StepContext
from tests.nn.small_training import ADAM, run, training

CLASSES, DIM = 40, 6
ARCHITECTURE = Architecture(backbone="lrfr_ir18", width=0.125, embedding_dim=8, input_size=16, dropout=0.3)


def batch(step):
    rng = torch.Generator().manual_seed(step)
    return torch.randn(8, DIM, generator=rng), torch.randint(CLASSES, (8,), generator=rng)


def sgd(head, momentum=0.9):
    return torch.optim.SGD(head.parameters(), lr=0.5, momentum=momentum, weight_decay=0.1)


def train(head, optimizer, steps):
    for step in steps:
        embedding, labels = batch(step)
        if isinstance(head, PartialFC):
            head.draw(labels, step, {"main": optimizer})
        optimizer.zero_grad()
        sum(head.losses(embedding, labels).values()).backward()
        optimizer.step()
        if isinstance(head, PartialFC):
            head.write_back({"main": optimizer})
    return head


@given(st.data())
def test_the_draw_holds_the_present_and_fills_up_at_random(data):
    classes = data.draw(st.integers(1, 50))
    present = np.array(sorted(data.draw(st.sets(st.integers(0, classes - 1), min_size=1))), dtype=np.int64)
    count = data.draw(st.integers(len(present), classes))
    drawn = drawn_classes(present, classes, count, (3, 1))
    assert len(drawn) == count and (np.diff(drawn) > 0).all()
    assert set(present) <= set(drawn) <= set(range(classes))
    assert (drawn == drawn_classes(present, classes, count, (3, 1))).all()


def test_every_other_identity_is_drawn_as_often_as_any():
    present, times = np.array([3, 7]), np.zeros(20)
    for step in range(2000):
        times[drawn_classes(present, 20, 8, (1, step))] += 1
    assert (times[present] == 2000).all()
    assert (abs(np.delete(times, present) - 2000 * 6 / 18) < 100).all()


def test_a_batch_of_more_identities_than_are_drawn_is_refused():
    head = build_head(ArcFaceSettings(name="ArcFace", sample_rate=0.1), DIM, CLASSES)
    with pytest.raises(ParameterError, match=r"holds 6 identities.* draw 4 of 40\n.*\n.*sample_rate to 0\.15 or more"):
        head.draw(torch.arange(6), 0, {})


@pytest.mark.parametrize("optimizer", [sgd, lambda head: torch.optim.AdamW(head.parameters(), lr=0.05)])
def test_all_drawn_is_the_plain_head_bit_for_bit(optimizer):
    torch.manual_seed(0)
    plain, sampled = ArcFace(DIM, CLASSES, 16, 0.3), PartialFC(ArcFace(DIM, CLASSES, 16, 0.3), CLASSES)
    sampled.weight.copy_(plain.weight.detach())
    train(plain, optimizer(plain), range(6))
    train(sampled, optimizer(sampled), range(6))
    assert torch.equal(sampled.weight, plain.weight)
    assert torch.equal(sampled.plain(batch(9)[0]), plain.plain(batch(9)[0]))


@pytest.mark.parametrize("name", [name for name in HEADS if name != "CenterLoss"])
def test_the_gradient_is_that_of_a_softmax_over_the_drawn_alone(name):
    torch.manual_seed(1)
    sampled = PartialFC(HEADS[name](DIM, 12), CLASSES)
    embedding, labels = batch(0)
    sampled.draw(labels, 0, {})
    alone = HEADS[name](DIM, 12)
    alone.weight.data.copy_(sampled.weight[sampled.classes])
    places = torch.tensor([sampled.classes.tolist().index(label) for label in labels.tolist()])
    losses = sampled.losses(embedding, labels)
    sum(losses.values()).backward()
    F.cross_entropy(alone(embedding, places), places).backward()
    assert set(labels.tolist()) <= set(sampled.classes.tolist())
    assert torch.equal(sampled.head.weight.grad, alone.weight.grad)


def test_only_drawn_rows_move_decay_and_gather_momentum():
    """Against a loop over rows that does by hand what SGD does to each row that was drawn."""
    torch.manual_seed(2)
    head = PartialFC(NormFace(DIM, 12, 16), CLASSES)
    optimizer = sgd(head)
    rows, momenta = head.weight.clone(), torch.zeros(CLASSES, DIM)
    for step in range(6):
        train(head, optimizer, [step])
        embedding, labels = batch(step)
        drawn = drawn_classes(labels.unique().numpy(), CLASSES, 12, (int(head.seed), step))
        active = rows[drawn].clone().requires_grad_()
        logits = 16 * F.normalize(embedding) @ F.normalize(active).T
        F.cross_entropy(logits, torch.from_numpy(np.searchsorted(drawn, labels.numpy()))).backward()
        for place, row in enumerate(drawn):
            momenta[row] = 0.9 * momenta[row] + active.grad[place] + 0.1 * rows[row]
            rows[row] -= 0.5 * momenta[row]
        assert torch.allclose(head.weight, rows, atol=1e-5)
    untouched = (momenta == 0).all(1)
    assert untouched.any() and torch.equal(head.weight[untouched], rows[untouched])


@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_it_resumes_bit_for_bit(momentum):
    def start():
        torch.manual_seed(3)
        head = PartialFC(ArcFace(DIM, 12), CLASSES)
        return head, sgd(head, momentum)

    whole = train(*start(), range(8))
    head, optimizer = start()
    train(head, optimizer, range(4))
    file = io.BytesIO()
    torch.save({"head": head.state_dict(), "optimizer": optimizer.state_dict()}, file)
    file.seek(0)
    state = torch.load(file, weights_only=True)
    torch.manual_seed(99)
    again = PartialFC(ArcFace(DIM, 12), CLASSES)
    optimizer = sgd(again, momentum)
    again.load_state_dict(state["head"])
    optimizer.load_state_dict(state["optimizer"])
    train(again, optimizer, range(4, 8))
    assert torch.equal(again.weight, whole.weight)


@pytest.mark.parametrize("optimizer", [{}, ADAM, {"ema_decay": 0.9}])
def test_a_training_that_was_interrupted_ends_as_one_that_was_not(tmp_path, optimizer):
    def start(classes):  # sixteen of the twenty identities are in no face, and only ever drawn
        return Classifier(
            Embedder(ARCHITECTURE), ArcFaceSettings(name="ArcFace", sample_rate=0.4), {"native": 5 * classes}
        )

    def stop_at(update):
        def kind(classes):
            task = start(classes)
            losses = task.losses

            def interrupted(batch, context, optimizer):
                if context.step == update:
                    os.kill(os.getpid(), signal.SIGINT)
                return losses(batch, context, optimizer)

            task.losses = interrupted
            return task

        return kind

    chosen = training(**optimizer)
    whole, curves = run(tmp_path / "whole", start, chosen)
    with pytest.raises(InterruptedTrainingError):
        run(tmp_path / "cut", stop_at(4), chosen)
    again, curves_again = run(tmp_path / "cut", start, chosen)
    assert torch.equal(whole.head.weight, again.head.weight)
    assert curves == curves_again


def test_losses_before_the_draw_are_a_mistake_that_is_noticed():
    with pytest.raises(RuntimeError, match="draw"):
        PartialFC(ArcFace(DIM, 12), CLASSES).losses(*batch(0))


@pytest.mark.parametrize("values", [{}, {"sample_rate": 0.5}, {"name": "MagFace"}, {"name": "CenterLoss"}])
def test_the_classifier_names_its_terms_and_learns(values):
    torch.manual_seed(4)
    chosen = TypeAdapter(HeadSettings).validate_python({"name": "ArcFace"} | values)
    task = Classifier(Embedder(ARCHITECTURE), chosen, {"native": 10})
    optimizers = {"main": torch.optim.SGD(task.parameter_groups()["main"], lr=0.02, momentum=0.9)}
    faces = Faces(torch.rand(4, 3, 16, 16), torch.arange(4))
    history = []
    for step in range(8):
        context = StepContext(step, 8, np.random.default_rng(step))
        task.before_update({"native": faces}, context, optimizers)
        terms = task.losses({"native": faces}, context, "main")
        optimizers["main"].zero_grad()
        torch.stack(list(terms.values())).sum().backward()
        optimizers["main"].step()
        task.after_update(optimizers)
        history.append(terms["classification"].item())
    beside = {"MagFace": {"magnitude"}, "CenterLoss": {"center"}}.get(chosen.name, set())
    assert set(terms) == {"classification"} | beside
    assert history[-1] < history[0]
    assert task.eval().validation_losses(faces)["classification"] < history[0]
    assert task.head.weight.shape == (10, 8)


def test_class_means_are_unit_and_weigh_every_face_alike():
    embeddings, labels = torch.randn(30, DIM) * torch.rand(30, 1), torch.arange(30) % 4
    means = class_means(embeddings, labels, 4)
    for label in range(4):
        own = [face / face.norm() for face in embeddings[labels == label]]
        mean = sum(own) / len(own)
        assert torch.allclose(means[label], mean / mean.norm(), atol=1e-6)
    with pytest.raises(TrainingError, match="2 of 6 identities have no face: number 4"):
        class_means(embeddings, labels, 6)
