import numpy as np
import pytest

from lrfr.core import open_set
from tests.score.files import faces, flat, open_files, refused, score, scored


def test_the_json_has_the_figures_of_the_function_of_that_name(tmp_path):
    files = open_files(tmp_path)
    told = scored("open-set", *flat(files))
    gallery, mated, unmated = (dict(np.load(path)) for path in files.values())
    outcome = open_set(*gallery.values(), *mated.values(), unmated["embedding"])
    assert {name: told[name] for name in outcome.figures()} == outcome.figures()
    assert list(told["tpir"]) == ["0.01", "0.1", "0.2", "0.3"]
    assert told["fnir"]["0.1"] == pytest.approx(1 - told["tpir"]["0.1"])
    assert (told["rank"], told["n_gallery"], told["n_mated"], told["n_unmated"]) == (20, 20, 40, 50)


def test_an_fpir_below_what_the_probes_resolve_is_null_and_said(tmp_path):
    files = open_files(tmp_path)
    told = scored("open-set", *flat(files), "--fpir", "0.1,0.01")
    assert told["tpir"]["0.01"] is None
    assert told["tpir_interval"]["0.01"] is None
    assert told["tpir"]["0.1"] is not None
    table = " ".join(score("open-set", *flat(files), "--fpir", "0.01").stdout.split())
    assert "not resolvable with 50 unmated" in table


def test_the_rank_and_the_template_are_asked_for(tmp_path):
    embedding = faces(np.repeat(np.arange(20), 2), 3) * np.tile([[1], [50]], (20, 1))
    files = open_files(tmp_path, gallery_embedding=embedding)
    unit, raw = (scored("open-set", *flat(files), "--average", average) for average in ("unit", "raw"))
    assert unit["auc"] != raw["auc"]
    assert "as they are" in raw["definition"]["template"]
    assert scored("open-set", *flat(files), "--rank", 1)["tpir"]["0.3"] <= unit["tpir"]["0.3"]
    assert "take the average raw" in refused("open-set", *flat(files), "--metric", "euclidean")
    assert scored("open-set", *flat(files), "--metric", "euclidean", "--average", "raw")["n_gallery"] == 20


@pytest.mark.parametrize(
    ("replaced", "says"),
    [
        ({"mated_identity": np.arange(40)}, "20 mated rows have no mate"),
        ({"unmated_identity": np.arange(50)}, "20 unmated rows have an identity that is in the gallery"),
        (
            {"mated_identity": np.array(["Ann", "Bob"] * 20), "gallery_identity": np.array(["Ann", "Cy"] * 20)},
            "mated row 1: identity Bob",
        ),
        (
            {
                "gallery_identity": np.array(["Ann", "Bob"] * 20),
                "mated_identity": np.array(["Ann", "Bob"] * 20),
                "unmated_identity": np.array(["Bob"] * 50),
            },
            "unmated row 0: identity Bob",
        ),
        (
            {
                "gallery_embedding": np.tile([[1.0], [-1.0]], (20, 16)),
                "gallery_identity": np.repeat([f"p{n}" for n in range(20)], 2),
                "mated_identity": np.repeat([f"p{n}" for n in range(20)], 2),
            },
            "gallery identity p0",
        ),
        ({"unmated_embedding": np.zeros((0, 16))}, "N > 0"),
        ({"unmated_embedding": np.full((50, 16), np.nan)}, "not finite"),
        ({"gallery_embedding": np.tile([[1.0], [-1.0]], (20, 16))}, "averages to zero"),
    ],
)
def test_input_that_cannot_be_scored_is_refused(tmp_path, replaced, says):
    assert says in refused("open-set", *flat(open_files(tmp_path, **replaced)))


def test_a_probe_that_is_always_found_has_no_minus_zero_in_its_interval(tmp_path):
    files = open_files(tmp_path, mated_embedding=faces(np.repeat(np.arange(20), 2), 3))
    shown = score("open-set", *flat(files)).stdout + score("open-set", *flat(files), "--json", "-").stdout
    assert "FNIR at FPIR 0.3" in shown and "0.0000 to 0.0000" in shown
    assert "-0.0" not in shown


def test_unmated_probes_of_unknown_identity_are_fine(tmp_path):
    assert scored("open-set", *flat(open_files(tmp_path, unmated_identity=np.full(50, -1))))["n_unmated"] == 50


@pytest.mark.parametrize("text", ["0", "1.5", "-0.1", "nan", "abc", "", "0.1,,0.2", "0.1;0.2"])
def test_a_rate_that_is_none_is_refused(tmp_path, text):
    message = refused("open-set", *flat(open_files(tmp_path)), "--fpir", text)
    assert "is no error rate" in message
    assert "--fpir" in message
