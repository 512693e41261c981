import os

import pytest
import torch

from lrfr import code
from lrfr.errors import ResultError, TrainingError
from lrfr.nn.training.checkpoint import SavedState, fingerprint


def test_a_change_of_settings_or_data_changes_the_fingerprint(tmp_path):
    faces, model = tmp_path / "faces.parquet", tmp_path / "model.safetensors"
    faces.write_text("a")
    model.write_text("m")
    before = fingerprint({"a": 1}, ["lrfr.errors"], faces, model)
    assert fingerprint({"a": 1}, ["lrfr.errors"], faces, model) == before
    assert fingerprint({"a": 2}, ["lrfr.errors"], faces, model) != before
    assert fingerprint({"a": 1}, ["lrfr.errors"], faces) != before
    faces.write_text("b")
    assert fingerprint({"a": 1}, ["lrfr.errors"], faces, model) != before


def test_a_change_of_any_code_that_a_module_imports_changes_the_fingerprint(tmp_path, monkeypatch):
    package = tmp_path / "lrfr"
    package.mkdir()
    for name, text in {"__init__": "", "trains": "from lrfr import used\n", "used": "a = 1\n", "other": ""}.items():
        (package / f"{name}.py").write_text(text)
    (package / "templates").mkdir()
    monkeypatch.setattr(code, "PACKAGE", package)
    monkeypatch.setattr(code, "TEMPLATES", package / "templates")
    before = fingerprint(None, ["lrfr.trains"])
    (package / "other.py").write_text("a = 2\n")
    assert fingerprint(None, ["lrfr.trains"]) == before
    (package / "used.py").write_text("a = 2\n")
    assert fingerprint(None, ["lrfr.trains"]) != before


def test_another_torch_is_another_training(monkeypatch):
    before = fingerprint({}, [])
    monkeypatch.setattr(torch, "__version__", "1.0")
    assert fingerprint({}, []) != before


def test_a_file_that_a_training_depends_on_and_is_missing_is_named_with_what_to_do(tmp_path):
    with pytest.raises(ResultError, match=r"missing(.|\n)*landmarks\.parquet(.|\n)*dvc repro"):
        fingerprint({}, [], tmp_path / "landmarks.parquet")


def test_a_state_is_taken_up_where_nothing_has_changed_and_nowhere_else(tmp_path):
    SavedState(tmp_path / "deep" / "state.pt", "same").write({"step": 3})
    assert SavedState(tmp_path / "deep" / "state.pt", "same").read() == {"step": 3, "fingerprint": "same"}
    assert SavedState(tmp_path / "deep" / "state.pt", "another").read() is None
    assert SavedState(tmp_path / "state.pt", "same").read() is None
    SavedState(tmp_path / "deep" / "state.pt", "same").forget()
    assert SavedState(tmp_path / "deep" / "state.pt", "same").read() is None


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
