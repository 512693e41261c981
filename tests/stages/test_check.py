import pytest
import yaml

from lrfr import paths
from lrfr.errors import ParameterError
from lrfr.stages import check
from tests.face_tables import write_params


@pytest.fixture(autouse=True)
def in_a_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_the_default_parameters_are_right(capsys):
    write_params()
    check.run()
    assert "every section" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda p: p["acquire"].update(source="lfv"), "unknown source 'lfv'"),
        (lambda p: p["acquire"]["settings"].update(persons=3), "unknown parameter 'persons'"),
        (lambda p: p["synthesizers"].update(downsampel={}), "unknown synthesizer 'downsampel'"),
        (lambda p: p["synthesizers"]["photographic"].update(blurr=1), "unknown parameter 'blurr'"),
        (lambda p: p["pretrain"]["architecture"].update(dropout=2), "less than 1"),
        (lambda p: p["pretrain"]["training"].update(schedule="linear"), "cosine"),
        (lambda p: p["methods"].update(tcc={}), "unknown method 'tcc'"),
        (lambda p: p["methods"]["tc"].update(distilation_weight=1), "did you mean 'distillation_weight'"),
        (lambda p: p["methods"]["tc"].update(smallest_exponent=6), "smallest_exponent is above largest_exponent"),
        (lambda p: p["methods"]["tc"]["training"].update(warmup_epochs=1), "warmup_epochs belongs to the cosine"),
        (lambda p: p["methods"].pop("random"), "the method 'random' is missing"),
        (lambda p: p["pretrain"]["architecture"].update(backbone="lrfr_ir19"), "unknown backbone 'lrfr_ir19'"),
    ],
)
def test_a_slip_anywhere_is_found_before_anything_runs(change, complaint):
    write_params()
    params = yaml.safe_load(paths.PARAMS.read_text())
    change(params)
    paths.PARAMS.write_text(yaml.safe_dump(params))
    with pytest.raises(ParameterError, match=complaint):
        check.run()
