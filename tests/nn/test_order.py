from collections import Counter
from itertools import islice

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lrfr.errors import ParameterError
from lrfr.nn.batches.order import MixedOrder, parts_of_batch

NATIVE, AUXILIARY = np.repeat(np.arange(6), 4), np.repeat(np.arange(10), [1, 2, 3, 4, 5, 6, 7, 8, 9, 10])


def rows(batch: dict, name: str) -> list[int]:
    return [row for row, _ in batch[name]]


def as_it_always_was(count: int, batch_size: int, epochs: int, seed: int) -> list[list[tuple[int, int]]]:
    """One collection's batches, written down plainly: trained models depend on them."""
    batches, per_epoch = [], count // batch_size
    for step in range(epochs * per_epoch):
        epoch, place = divmod(step, per_epoch)
        order = np.random.default_rng((seed, epoch)).permutation(count)[place * batch_size : (place + 1) * batch_size]
        seeds = np.random.default_rng((seed, 1, step)).integers(2**31, size=batch_size)
        batches.append(list(zip(order.tolist(), seeds.tolist(), strict=True)))
    return batches


@given(st.integers(1, 30), st.integers(1, 10), st.integers(0, 3), st.integers(0, 99))
def test_one_collection_is_gone_through_once_an_epoch(count, batch_size, epochs, seed):
    batch_size = min(count, batch_size)
    order = MixedOrder({"native": np.zeros(count, int)}, batch_size, epochs, seed)
    batches = list(order)
    assert [batch["native"] for batch in batches] == as_it_always_was(count, batch_size, epochs, seed)
    assert len(batches) == len(order) == epochs * order.steps_per_epoch
    for epoch in range(epochs):
        seen = [row for batch in islice(batches, epoch * order.steps_per_epoch, None) for row in rows(batch, "native")]
        assert len(set(seen[: order.steps_per_epoch * batch_size])) == count // batch_size * batch_size


mixed = st.fixed_dictionaries(
    {
        "batch_size": st.sampled_from([8, 16, 24]),
        "epochs": st.integers(1, 3),
        "seed": st.integers(0, 99),
        "shares": st.sampled_from([{}, {"native": 1.0, "auxiliary": 3.0}]),
        "images_per_identity": st.sampled_from([None, 2]),
    }
)


def order(options: dict, **more: int) -> MixedOrder:
    return MixedOrder({"native": NATIVE, "auxiliary": AUXILIARY}, **options, **more)


@given(mixed, st.integers(0, 20))
def test_a_training_is_taken_up_anywhere(options, step):
    assert list(order(options, first_step=step)) == list(order(options))[step:]


@given(mixed, st.sampled_from([1, 2]))
def test_the_parts_of_the_processes_are_the_batch(options, processes):
    parts = [order(options, process=process, processes=processes) for process in range(processes)]
    for whole, *divided in zip(order(options), *parts, strict=True):
        for name in whole:
            assert whole[name] == [key for part in divided for key in part[name]]
            assert len({len(part[name]) for part in divided}) == 1


@given(mixed)
def test_no_two_faces_are_augmented_alike(options):
    keys = [key for batch in order(options) for part in batch.values() for key in part]
    assert len({seed for _, seed in keys}) == len(keys)


@given(mixed)
def test_every_collection_goes_through_epochs_of_its_own(options):
    options |= {"images_per_identity": None, "epochs": 4}
    for name, labels in (("native", NATIVE), ("auxiliary", AUXILIARY)):
        batches = list(order(options))
        size = len(batches[0][name])
        per_epoch = len(labels) // size
        for epoch in range(len(batches) // per_epoch):
            seen = [row for batch in batches[epoch * per_epoch : (epoch + 1) * per_epoch] for row in rows(batch, name)]
            assert len(set(seen)) == len(seen) == per_epoch * size
    assert order(options).steps_per_epoch == len(NATIVE) // len(batches[0]["native"])


@given(st.lists(st.integers(1, 9), min_size=2, max_size=12), st.integers(1, 4), st.integers(1, 4), st.integers(0, 99))
def test_identities_and_their_images_come_equally_often(counts, images, people, seed):
    labels = np.random.default_rng(seed).permutation(np.repeat(np.arange(len(counts)), counts) * 7)
    people = min(people, len(counts), max(len(labels) // images, 1))
    if len(labels) < people * images:
        return
    order = MixedOrder({"native": labels}, people * images, 2, seed, images_per_identity=images)
    assert order.steps_per_epoch == len(labels) // (people * images)
    batches = [rows(batch, "native") for batch in order]
    for batch in batches:
        groups = np.reshape(batch, (people, images))
        assert all(len(set(labels[group])) == 1 for group in groups)
        assert len(set(labels[groups[:, 0]])) == people
        for group in groups:
            assert len(set(group)) == min(images, np.count_nonzero(labels == labels[group[0]]))
    shown, chosen = [Counter() for _ in range(2)]
    for number, batch in enumerate(batches[: order.steps_per_epoch], 1):
        shown.update(batch)
        chosen.update(labels[batch[::images]].tolist())
        if number % (len(counts) // people) == 0:
            often = [chosen[label] for label in set(labels.tolist())]
            assert max(often) - min(often) <= 1
        for label in set(labels.tolist()):
            often = [shown[row] for row in np.flatnonzero(labels == label)]
            assert max(often) - min(often) <= 1


def test_an_identity_shows_its_images_in_another_order_each_epoch():
    order = MixedOrder({"native": np.zeros(12, int)}, 4, 2, 0, images_per_identity=4)
    shown = [row for batch in order for row in rows(batch, "native")]
    assert sorted(shown[:12]) == sorted(shown[12:]) == list(range(12))
    assert shown[:12] != shown[12:] != list(range(12)) != shown[:12]


def test_other_identities_sit_out_in_every_round():
    """Five of six in a batch: each sits out once in six updates."""
    batches = islice(MixedOrder({"native": np.arange(60) % 6}, 5, 1, 3, images_per_identity=1), 6)
    out = [set(range(6)) - {row % 6 for row in rows(batch, "native")} for batch in batches]
    assert sorted(out, key=min) == [{number} for number in range(6)]


@given(
    st.lists(st.floats(0.05, 20), min_size=1, max_size=5).filter(lambda shares: min(shares) / sum(shares) > 0.02),
    st.integers(100, 2000),
)
def test_shares_are_honoured_to_less_than_an_image(shares, batch_size):
    names = [f"c{number}" for number in range(len(shares))]
    sizes = parts_of_batch(names, batch_size, dict(zip(names, shares, strict=True)))
    assert sum(sizes.values()) == batch_size and list(sizes) == names
    for name, share in zip(names, shares, strict=True):
        assert abs(sizes[name] - batch_size * share / sum(shares)) < 1


def test_equal_shares_by_default():
    assert parts_of_batch(["a", "b", "c"], 11, {}) == {"a": 4, "b": 4, "c": 3}
    assert parts_of_batch(["a", "b"], 10, {"b": 0.7, "a": 0.3}) == {"a": 3, "b": 7}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"batch_size": 60}, "'native' has 24 training faces, and a batch takes 30"),
        ({"batch_size": 12, "processes": 4}, "6 images of the collection 'native'.*4 processes"),
        ({"batch_size": 12, "images_per_identity": 4}, "6 images of the collection 'native'.*4 each"),
        ({"batch_size": 24, "images_per_identity": 1}, "12 identities of the collection 'native', which has 6"),
        ({"batch_size": 12, "shares": {"native": 1.0}}, "no share.*'auxiliary'"),
        ({"batch_size": 12, "shares": {"natives": 1.0}}, "did you mean 'native'"),
        ({"batch_size": 12, "shares": {"native": 1.0, "auxiliary": 100.0}}, "none falls to the collection 'native'"),
    ],
)
def test_what_cannot_be_is_refused(options, message):
    with pytest.raises(ParameterError, match=f"(?s){message}"):
        MixedOrder({"native": NATIVE, "auxiliary": AUXILIARY}, epochs=1, seed=0, **options)


def test_paired_collections_are_drawn_alike():
    batches = list(MixedOrder({"auxiliary": AUXILIARY, "synthetic": AUXILIARY}, 8, 2, 3, paired=True))
    assert batches and all(batch["auxiliary"] == batch["synthetic"] for batch in batches)
    alone = MixedOrder({"auxiliary": AUXILIARY}, 4, 2, 3)
    assert [batch["auxiliary"] for batch in batches] == [batch["auxiliary"] for batch in alone]


@pytest.mark.parametrize(
    ("labels", "batch_size", "complaint"),
    [
        ({"auxiliary": AUXILIARY, "synthetic": AUXILIARY[::-1]}, 8, "do not show the same faces, row by row"),
        ({"auxiliary": AUXILIARY, "synthetic": AUXILIARY[:-1]}, 8, "do not show the same faces, row by row"),
        ({"auxiliary": AUXILIARY, "synthetic": AUXILIARY}, 9, "cannot have more of one"),
    ],
)
def test_what_is_no_pair_is_refused(labels, batch_size, complaint):
    with pytest.raises(ParameterError, match=complaint):
        MixedOrder(labels, batch_size, 1, 3, paired=True)
