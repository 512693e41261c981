from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lrfr.core.synlr import counterparts


@st.composite
def sides(draw):
    """A native benchmark (each identity with a probe and a gallery face at least) and HR faces, in any order."""
    native = []
    for number, extra in enumerate(draw(st.lists(st.lists(st.sampled_from(["probe", "gallery"])), max_size=8))):
        native += [(f"n{number}", split) for split in ["probe", "gallery", *extra]]
    native += [(None, "distractor")] * draw(st.integers(0, 10))
    hr = draw(st.lists(st.sampled_from(["a", "b", "c", "d", None]), max_size=30))
    return draw(st.permutations(native)), hr


@given(sides=sides(), seed=st.integers(0, 3))
def test_a_twin_is_a_benchmark_of_the_same_shape(sides, seed):
    native, hr = sides
    identities, split = [row[0] for row in native], [row[1] for row in native]
    pairs = counterparts((identities, split), hr, seed)
    assert len({one for one, _ in pairs}) == len({other for _, other in pairs}) == len(pairs)
    played: dict[str, set[str]] = {}
    sides_of: dict[str, set[str]] = {}
    strangers = set()
    for one, other in pairs:
        if identities[one] is None:
            strangers.add(other)
        else:
            played.setdefault(identities[one], set()).add(hr[other])
            sides_of.setdefault(identities[one], set()).add(split[one])
    assert all(len(players) == 1 and None not in players for players in played.values())
    assert len(set.union(set(), *played.values())) == len(played)
    assert all(both == {"probe", "gallery"} for both in sides_of.values())
    assert not {hr[other] for other in strangers} & set.union(set(), *played.values())
    people = sum(count > 1 for name, count in Counter(hr).items() if name is not None)
    assert len(played) == min(people, len(set(identities) - {None}))
    if played:
        free = sum(name not in set.union(*played.values()) for name in hr)
        assert len(strangers) == min(free, identities.count(None))


def test_enough_hr_faces_play_all_native_ones():
    identities = ["x"] * 4 + ["y"] * 2 + [None] * 3
    split = ["probe", "gallery", "gallery", "probe", "gallery", "probe", *["distractor"] * 3]
    hr = ["few"] * 2 + ["many"] * 5 + [None] * 4
    pairs = counterparts((identities, split), hr, seed=0)
    assert sorted(one for one, _ in pairs) == list(range(9))
    assert {identities[one]: hr[other] for one, other in pairs} == {"x": "many", "y": "few", None: None}


@pytest.mark.parametrize("images", [2, 3, 5])
def test_too_few_images_leave_probes_and_gallery_in_balance(images):
    split = ["probe"] * 4 + ["gallery"] * 4
    pairs = counterparts((["x"] * 8, split), ["a"] * images, seed=0)
    counts = Counter(split[one] for one, _ in pairs)
    assert counts.total() == images
    assert abs(counts["probe"] - counts["gallery"]) <= 1


def test_another_seed_leaves_others_out():
    native = [f"n{number // 2}" for number in range(40)], ["probe", "gallery"] * 20
    chosen = [{native[0][one] for one, _ in counterparts(native, ["a", "a", "b", "b"], seed)} for seed in range(4)]
    assert all(len(people) == 2 for people in chosen)
    assert len(set(map(frozenset, chosen))) > 1
