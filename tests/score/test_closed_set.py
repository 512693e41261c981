import numpy as np
import pytest

from lrfr.core import closed_set
from tests.score.files import WIDTH, closed_files, faces, flat, refused, score, scored, store

HEADLINES = ("rank1", "rank5", "rank10", "rank20", "rank50", "map", "map_official")


def test_the_json_has_the_figures_of_the_function_of_that_name(tmp_path):
    files = closed_files(tmp_path)
    told = scored("closed-set", *flat(files))
    probe, gallery = (dict(np.load(path)) for path in files.values())
    identity = probe["identity"]
    outcome = closed_set(probe["embedding"], identity, gallery["embedding"], gallery["identity"])
    assert {name: told[name] for name in outcome.figures(identity)} == outcome.figures(identity)
    for name in HEADLINES:
        low, high = told[f"{name}_interval"]
        assert 0 <= low <= told[name] <= high <= 1
    assert (told["n_probe"], told["n_gallery"]) == (40, 70)
    assert told["definition"]["metric"] == "cosine"
    assert "trapezoidal" in told["definition"]["map_official"]


def test_a_case_counted_by_hand(tmp_path):
    # the probe's mates rank first and third: AP = (1 + 2/3) / 2; official: (1 + (1/2 + 2/3) / 2) / 2
    angle = np.array([0.1, 0.2, 0.3, 0.4])
    gallery = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    files = closed_files(
        tmp_path,
        probe_embedding=np.array([[1.0, 0.0]]),
        probe_identity=np.array([7]),
        gallery_embedding=gallery,
        gallery_identity=np.array([7, -1, 7, 3]),
    )
    told = scored("closed-set", *flat(files))
    assert told["rank1"] == 1
    assert told["map"] == pytest.approx(5 / 6, abs=1e-6)
    assert told["map_official"] == pytest.approx((1 + 7 / 12) / 2, abs=1e-6)
    assert told["map_interval"] is None, "one identity says nothing about others"


def test_euclidean_takes_features_as_they_are(tmp_path):
    files = closed_files(
        tmp_path,
        probe_embedding=np.array([[1.0, 0.0]] * 2),
        probe_identity=np.array([0, 1]),
        gallery_embedding=np.array([[9.0, 0.0], [0.9, 0.5]]),
        gallery_identity=np.array([0, 1]),
    )
    assert scored("closed-set", *flat(files))["rank1"] == 0.5
    told = scored("closed-set", *flat(files), "--metric", "euclidean")
    assert told["definition"]["metric"] == "euclidean"


def test_the_table_shows_every_headline_and_the_reading(tmp_path):
    result = score("closed-set", *flat(closed_files(tmp_path)))
    assert result.exit_code == 0
    for text in ("rank-1", "rank-50", "mAP, official", "95 % interval", "40 probes", "metric: cosine", "1000 draws"):
        assert text in result.stdout


def test_rows_without_a_face_are_misses_and_counted(tmp_path):
    probe, missing = faces(np.repeat(np.arange(20), 2), 1), np.arange(40) % 4 == 0
    probe[missing] = np.nan
    files = closed_files(tmp_path, probe_embedding=probe, probe_missing=missing)
    told = scored("closed-set", *flat(files))
    assert told["n_missing_probe"] == 10
    assert told["rank50"] <= 0.75
    assert "10 probe rows are missing" in told["notes"][0]


def test_a_gallery_of_one_identity_gives_nulls(tmp_path):
    one = np.zeros(2, int)
    files = closed_files(tmp_path, probe_embedding=faces(one), probe_identity=one, gallery_embedding=faces(one, 2),
                         gallery_identity=one)  # fmt: skip
    told = scored("closed-set", *flat(files), "--plots", tmp_path / "plots")
    assert all(told[name] is None for name in HEADLINES)
    assert "one identity" in told["notes"][0]
    assert not (tmp_path / "plots" / "cmc.svg").exists()


def test_copies_are_told_of(tmp_path):
    files = closed_files(tmp_path)
    told = scored("closed-set", "--probe", files["--probe"], "--gallery", files["--probe"])
    assert told["duplicates"] == {"probe": 0, "gallery": 0, "probe_in_gallery": 40}
    assert "is it the same image?" in told["notes"][0]
    gallery = dict(np.load(files["--gallery"]))
    twice = store(tmp_path / "twice.npz", **{name: np.concatenate([of, of[:3]]) for name, of in gallery.items()})
    told = scored("closed-set", "--probe", files["--probe"], "--gallery", twice)
    assert told["duplicates"]["gallery"] == 3


def test_nothing_depends_on_the_order_of_rows(tmp_path):
    files = closed_files(tmp_path)
    one = scored("closed-set", *flat(files))
    for path in files.values():
        arrays = dict(np.load(path))
        order = np.random.default_rng(0).permutation(len(arrays["identity"]))
        store(path, **{name: of[order] for name, of in arrays.items()})
    assert scored("closed-set", *flat(files)) == one


def test_no_draws_no_intervals(tmp_path):
    told = scored("closed-set", *flat(closed_files(tmp_path)), "--bootstrap", 0)
    assert told["rank1_interval"] is None
    assert told["definition"]["interval"] == "none"


@pytest.mark.parametrize(
    ("replaced", "says"),
    [
        ({"probe_embedding": np.full((40, WIDTH), np.nan)}, "not finite"),
        ({"gallery_embedding": np.full((70, WIDTH), np.inf, np.float32)}, "not finite"),
        ({"gallery_embedding": np.zeros((70, WIDTH))}, "zero: they have no cosine"),
        ({"gallery_embedding": np.ones((70, WIDTH + 1))}, "widths differ: probe 16, gallery 17"),
        ({"probe_identity": np.arange(40)}, "20 probe rows have no mate in the gallery"),
        ({"probe_identity": np.full(40, -1)}, "-1 is for distractors, which only a gallery may hold"),
        ({"probe_identity": None}, "'identity' is missing; the file has embedding"),
        ({"probe_identity": np.ones(40)}, "'identity' holds float64 of the shape (40,); whole numbers or text (N,)"),
        ({"probe_identity": np.zeros((40, 1), int)}, "whole numbers or text of the shape (N,)"),
        ({"probe_identity": np.zeros(39, int)}, "differ in length: embedding 40, identity 39"),
        ({"probe_embedding": np.zeros((0, WIDTH)), "probe_identity": np.zeros(0, int)}, "N > 0"),
        ({"probe_embedding": np.ones((40, WIDTH), complex)}, "real numbers (N, D) are needed"),
        ({"probe_embedding": np.ones(40)}, "real numbers (N, D) are needed"),
        ({"probe_missing": np.zeros(40, int)}, "bool (N,) are needed"),
    ],
)
def test_input_that_cannot_be_scored_is_refused(tmp_path, replaced, says):
    assert says in refused("closed-set", *flat(closed_files(tmp_path, **replaced)))
