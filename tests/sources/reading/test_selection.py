from hypothesis import given
from hypothesis import strategies as st

from lrfr.sources.reading.selection import Selection, draw, select

NAMES = st.lists(st.text(max_size=3), unique=True, max_size=30)


@given(NAMES, st.integers(1, 40), st.text(max_size=3))
def test_a_draw_is_a_part_in_the_former_order(names, count, seed):
    drawn = draw(names, count, seed)
    assert len(drawn) == min(count, len(names))
    assert drawn == [name for name in names if name in drawn]


@given(NAMES, st.integers(1, 10), st.text(max_size=3))
def test_a_new_name_displaces_one_at_most(names, count, seed):
    before, after = set(draw(names, count, seed)), set(draw([*names, "a new name"], count, seed))
    assert after - before <= {"a new name"}
    assert len(before - after) <= 1


def test_identities_and_images_are_drawn():
    images = {f"person{n}": [f"{n}/{shot}" for shot in range(9)] for n in range(20)}
    assert select(images, Selection(), 1) == images
    some = select(images, Selection(max_identities=5, max_images=3), 1)
    assert len(some) == 5 and all(len(of) == 3 and set(of) <= set(images[name]) for name, of in some.items())
    assert some != select(images, Selection(max_identities=5, max_images=3), 2)
