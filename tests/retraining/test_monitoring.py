"""What arrives is examined, kept or refused as a whole, and every decision is kept."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from lrfr import paths
from lrfr.errors import LrfrError, ReleaseError, ResultError, SourceError
from lrfr.retraining import monitoring
from lrfr.retraining.arrivals import Places
from lrfr.retraining.decisions import read_decisions
from tests.release.project import parameters
from tests.retraining.conftest import ACQUIRE, deliver, people

NOW = datetime(2026, 1, 5, 3, tzinfo=UTC)
CHAMPION = "tiny-face-embedder@v0.1.0"
VERDICT = "face_id,verdict,labeller,at,note\nf1,face,anna,2026-01-05T10:00:00+00:00,\n"


def look():
    return monitoring.look(NOW, lambda line: None)


def batches():
    return {
        place: sorted(path.name for path in Path("raw", place).glob("*")) for place in ("batches", "arrivals-refused")
    }


def test_nothing_arrived(project):
    made = look()
    assert (made.decision, made.reasons, made.champion) == ("nothing", ["no batch arrived"], CHAMPION)
    assert read_decisions() == [made]


def test_a_good_batch_is_admitted_and_counted(project):
    deliver("w1", people(8))
    made = look()
    assert made.batches["w1"].admitted, made.batches["w1"].reasons
    assert (made.batches["w1"].named, made.batches["w1"].people, made.waiting) == (24, 8, 24)
    assert batches() == {"batches": ["first", "w1"], "arrivals-refused": []}
    assert made.drift is not None
    assert look().waiting == 24


def test_other_light_is_drift(project):
    deliver("w1", people(12, 4), light=0.75)
    made = look()
    assert made.decision == "retrain" and made.reasons[0].startswith("the data drifted in"), made
    deliver("w2", people(2), 900)
    assert look().reasons[0].startswith("the training that was decided on at 2026-01-05T03:00:00Z has not ended")


def test_a_batch_of_torn_files_is_refused(project):
    for path in deliver("w1", people(8))[::2]:
        path.write_bytes(path.read_bytes()[:60])
    made = look()
    assert made.decision == "warn" and "12 of its 24 files cannot be read" in made.reasons[0]
    assert batches() == {"batches": ["first"], "arrivals-refused": ["w1"]}


def test_a_batch_whose_names_slipped_is_refused(project):
    who = people(10)
    names = [name for _, name in who]
    deliver("w1", [(person, name) for (person, _), name in zip(who, names[3:] + names[:3], strict=True)])
    made = look()
    assert made.decision == "warn" and "of its names are wrong" in made.reasons[0], made
    assert made.drift is None


def test_a_name_under_which_lie_faces_of_many_is_refused(project):
    deliver("w1", [*people(11), *((person, "n011") for person in (0, 2, 4, 6, 8, 10))])
    made = look()
    assert "of the 6 faces named 'n011' show others" in made.reasons[0], made


def test_one_picture_under_two_names_is_refused(project):
    first, *_ = deliver("w1", people(8))
    (first.parents[1] / "n007/copy.png").write_bytes(first.read_bytes())
    assert "No picture has two names" in look().reasons[0]


@pytest.mark.parametrize("make", ["empty", "text"])
def test_an_arrival_without_a_face_is_one_message(project, make):
    folder = Path("raw/arrivals/w1")
    folder.mkdir(parents=True)
    if make == "text":
        (folder / "n000").mkdir()
        (folder / "n000/readme.txt").write_text("photos follow")
    made = look()
    assert made.decision == "warn" and len(made.batches["w1"].reasons) == 1, made
    assert batches()["arrivals-refused"] == ["w1"]


def test_photos_without_a_face_are_one_message(project):
    parameters(acquire=ACQUIRE | {"settings": {"of": "photo_folder"}})
    deliver("w1", people(2))
    made = look()
    assert made.decision == "warn" and "none of its 6 files has a face that can be used" in made.reasons[0], made
    assert batches() == {"batches": ["first"], "arrivals-refused": ["w1"]}


def test_a_batch_that_is_on_its_way_waits(project):
    deliver(".w1", people(8))
    assert look().batches == {}


def test_a_name_that_was_admitted_before_is_refused_as_often_as_it_comes(project):
    deliver("w1", people(8))
    look()
    for again in range(2):
        deliver("w1", people(8), 300 + again)
        assert "admitted before" in look().batches["w1"].reasons[0]
    deliver("w1", people(8), 301)  # the very one that was refused
    assert look().batches == {}
    assert batches() == {"batches": ["first", "w1"], "arrivals-refused": ["w1", "w1-2", "w1-3"]}


def test_a_kill_between_deciding_and_moving_costs_nothing(project, monkeypatch):
    deliver("w1", people(8))
    with monkeypatch.context() as patch:
        patch.setattr(Places, "_move", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt()))
        with pytest.raises(KeyboardInterrupt):
            look()
    assert batches()["batches"] == ["first"] and len(read_decisions()) == 1
    made = look()
    assert made.batches == {} and made.waiting == 24
    assert batches()["batches"] == ["first", "w1"]


def test_new_verdicts_ask_for_a_training(project):
    look()
    (paths.VERDICTS / "anna.csv").write_text(VERDICT + "".join(VERDICT.splitlines(True)[1:]) * 250)
    made = look()
    assert made.decision == "retrain" and "251 new verdicts" in made.reasons[0]


def test_a_champion_whose_files_are_gone(project):
    folder = Path("signed/tiny-face-embedder/v0.1.0")
    (folder / "model.safetensors").unlink()
    with pytest.raises(ReleaseError, match=r"model\.safetensors is missing"):
        look()
    folder.rename(folder.with_name("away"))
    with pytest.raises(ReleaseError, match="nothing was released yet"):
        look()
    folder.with_name("v0.1.0.dvc").touch()
    with pytest.raises(ReleaseError, match=r"v0\.1\.0 is not here[\s\S]*dvc pull"):
        look()
    assert read_decisions() == []


def test_a_reference_with_other_columns(project, monkeypatch):
    import pyarrow as pa
    import pyarrow.parquet as pq

    from lrfr.retraining.champion import Champion

    pq.write_table(pa.table({"colour": [1.0] * 30}), "other.parquet")
    monkeypatch.setattr(Champion, "reference", property(lambda self: Path("other.parquet")))
    deliver("w1", people(8))
    with pytest.raises(LrfrError, match=r"other\.parquet") as error:
        look()
    assert "column" in str(error.value)
    assert read_decisions() == [] and Path("raw/arrivals/w1").is_dir()


def test_a_source_that_cannot_take_batches_in(project):
    parameters(acquire=ACQUIRE | {"source": "photo_folder", "settings": {}})
    deliver("w1", people(8))
    with pytest.raises(SourceError, match="'photo_folder' cannot take them in"):
        look()


def test_a_damaged_decision_stops_before_anything_is_moved(project):
    deliver("w1", people(8))
    paths.DECISIONS.mkdir()
    (paths.DECISIONS / "0001-x-monitor.json").write_text("{")
    with pytest.raises(ResultError, match=r"0001-x-monitor\.json"):
        look()
    assert Path("raw/arrivals/w1").is_dir()
