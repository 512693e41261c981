import pytest

from lrfr import paths
from lrfr.closest import with_closest
from lrfr.config import read_params
from lrfr.errors import ParameterError, ResultError, ValidationFailedError
from lrfr.files import read_json, write_json
from lrfr.methods import read_run
from lrfr.stages import rank_synthesizers
from tests.face_tables import write_params
from tests.stages.test_drift import DRIFT

TRAINING = {
    "epochs": 1, "batch_size": 8, "learning_rate": 0.01, "momentum": 0.9, "weight_decay": 0.0, "schedule": "cosine",
    "warmup_epochs": 0, "clip_norm": 5.0, "precision": "fp32",
}  # fmt: skip
HEAD = {"name": "ArcFace", "scale": 32, "margin": 0.4}
BLUR = {"blur": [0.2, 0.9], "noise": [0.0, 0.1], "jpeg_quality": [40, 90]}


def run_by(name, **given):
    low = {"synthesizer": name, "share": 1.0, "heights": [12, 24]} | given
    return {
        "method": "baseline", "backbone": "main", "head": HEAD,
        "auxiliary": TRAINING | {"low_resolution": low}, "training": TRAINING,
    }  # fmt: skip


METHODS = {"random": {"method": "random", "backbone": "main"}, "plain": run_by("downsample"), "best": run_by("closest")}


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    given()


def given(**changes):
    synthesizers = {"downsample": {}, "photographic": BLUR}
    write_params(drift=DRIFT | changes, methods=METHODS, synthesizers=synthesizers)


def found(name, mmd, auc=0.8, frechet=1.0, half=0.01):
    figures = {"mmd": mmd, "mmd_interval": [mmd - half, mmd + half], "auc": auc, "frechet": frechet}
    write_json(paths.drift_result(name), {"summary": {"embeddings": figures}})


def test_the_closest_is_the_nearest_by_discrepancy_and_others_say_whether_they_agree():
    found("downsample", 0.30, auc=0.7)
    found("photographic", 0.10, auc=0.8)
    rank_synthesizers.run()
    board = read_json(paths.SCOREBOARD)
    assert board["ranking"] == ["photographic", "downsample"] and board["closest"] == "photographic"
    assert board["first_by"] == {"mmd": "photographic", "frechet": "downsample", "auc": "downsample"}
    assert board["tied"] == [] and board["gate"] == "pass"
    found("downsample", 0.115)
    rank_synthesizers.run()
    assert read_json(paths.SCOREBOARD)["tied"] == ["downsample"]


def test_only_a_run_that_asks_for_the_closest_has_anything_of_the_ranking():
    found("downsample", 0.3)
    found("photographic", 0.1)
    rank_synthesizers.run()
    before = {name: paths.closest(name).read_bytes() for name in METHODS}
    assert read_json(paths.closest("plain")) == read_json(paths.closest("random")) == {}
    assert read_json(paths.closest("best")) == {"synthesizer": "photographic", "settings": BLUR}
    found("downsample", 0.05)
    rank_synthesizers.run()
    after = {name: paths.closest(name).read_bytes() for name in METHODS}
    assert [name for name in METHODS if before[name] != after[name]] == ["best"]


def test_a_run_trains_by_the_winner_under_the_winners_settings():
    found("downsample", 0.3)
    found("photographic", 0.1)
    params = read_params()
    with pytest.raises(ResultError, match="rank-synthesizers"):
        with_closest(params, "best")
    rank_synthesizers.run()
    low = read_run("best", with_closest(params, "best")).settings.auxiliary.low_resolution
    assert (low.synthesizer, low.settings, low.heights) == ("photographic", BLUR, [12, 24])
    assert with_closest(params, "plain") is params
    assert params.methods == METHODS


def test_one_that_learns_may_win_and_has_no_settings_on_the_way():
    table = {"method": "baseline", "backbone": "main", "head": HEAD, "synthesizer": "closest", "synthetic": TRAINING}
    learned = {"mrgan": {"backbone": "main", "size": 40}}
    write_params(drift=DRIFT, methods=METHODS | {"table": table}, synthesizers={"downsample": {}},
                 learned_synthesizers=learned)  # fmt: skip
    found("downsample", 0.3)
    found("mrgan", 0.1)
    rank_synthesizers.run()
    assert read_json(paths.SCOREBOARD)["ranking"] == ["mrgan", "downsample"]
    assert read_json(paths.closest("best")) == read_json(paths.closest("table"))
    params = read_params()
    low = read_run("best", with_closest(params, "best")).settings.auxiliary.low_resolution
    assert (low.synthesizer, low.settings) == ("mrgan", {})
    assert read_run("table", with_closest(params, "table")).synthesizer == "mrgan"


def test_the_closest_takes_no_settings_of_its_own():
    found("downsample", 0.3)
    found("photographic", 0.1)
    rank_synthesizers.run()
    write_params(drift=DRIFT, methods=METHODS | {"best": run_by("closest", settings={"kernel": "area"})})
    with pytest.raises(ParameterError, match="takes no others"):
        with_closest(read_params(), "best")


@pytest.mark.parametrize(("warn", "stop", "gate"), [(None, None, "pass"), (0.85, None, "warn"), (0.85, 0.88, "stop")])
def test_the_gate_warns_or_stops_by_the_closest_alone(warn, stop, gate, capsys):
    given(warn_above=warn, stop_above=stop)
    found("downsample", 0.3, auc=1.0)
    found("photographic", 0.1, auc=0.9)
    if gate == "stop":
        with pytest.raises(ValidationFailedError, match=r"AUC of 0.900, above drift.stop_above \(0.88\)"):
            rank_synthesizers.run()
    else:
        rank_synthesizers.run()
        assert ("WARNING" in capsys.readouterr().out) == (gate == "warn")
    assert read_json(paths.SCOREBOARD)["gate"] == gate
    assert read_json(paths.closest("best"))["synthesizer"] == "photographic"


def test_a_result_that_is_missing_is_named():
    found("downsample", 0.3)
    with pytest.raises(ResultError, match=r"photographic(.|\n)*lrfr drift"):
        rank_synthesizers.run()
