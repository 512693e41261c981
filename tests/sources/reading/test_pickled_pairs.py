import pickle

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from lrfr.errors import SourceError
from lrfr.sources.reading.pickled_pairs import read_pairs
from tests.sources.layouts import put

WHOLE = [
    pickle.dumps(content, protocol)
    for content in (([b"one", b"two"], [True]), ([np.zeros(3, np.uint8)] * 2, np.array([True])))
    for protocol in (0, 2, 4)
]


@given(st.sampled_from(WHOLE), st.data())
def test_a_damaged_file_is_read_or_refused_and_nothing_else(tmp_path_factory, whole, data):
    path = tmp_path_factory.getbasetemp() / "damaged.bin"
    place = data.draw(st.integers(0, len(whole) - 1))
    # Not r: the interpreter's own unpickler takes what follows it for the size of a table.
    byte = data.draw(st.integers(0, 255).filter(lambda value: value != ord("r")))
    put(path, whole[:place] + bytes([byte]) + whole[place + 1 :])
    try:
        images, same = read_pairs(path)
    except SourceError:
        return
    assert all(isinstance(image, bytes) for image in images) and all(isinstance(one, bool) for one in same)
    assert len(images) == 2 * len(same)
