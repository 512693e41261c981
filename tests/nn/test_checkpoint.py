import os

import pytest
import torch

from lrfr.errors import TrainingError
from lrfr.nn.training.checkpoint import SavedState, fingerprint


def test_a_change_of_code_or_settings_changes_the_fingerprint(tmp_path):
    code = tmp_path / "method.py"
    code.write_text("a")
    before = fingerprint({"a": 1}, code)
    assert fingerprint({"a": 1}, code) == before != fingerprint({"a": 2}, code)
    code.write_text("b")
    assert fingerprint({"a": 1}, code) != before


def test_a_hostile_state_is_not_executed(tmp_path):
    class Hostile:
        def __reduce__(self):
            return (os.mkdir, (str(tmp_path / "broken-in"),))

    torch.save({"fingerprint": "same", "task": Hostile()}, tmp_path / "state.pt")
    with pytest.raises(TrainingError, match=r"cannot be read\n.*state\.pt\n.*remove the file"):
        SavedState(tmp_path / "state.pt", "same").read()
    assert not (tmp_path / "broken-in").exists()


@pytest.mark.parametrize("content", [b"", b"no pickle", b"e", b"cMODULE\xff\n", b"h\x05.", b"u."])
def test_a_damaged_state_is_no_traceback(tmp_path, content):
    (tmp_path / "state.pt").write_bytes(content)
    with pytest.raises(TrainingError, match="cannot be read"):
        SavedState(tmp_path / "state.pt", "same").read()
