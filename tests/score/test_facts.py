"""What files of embeddings say of their model decides how they are compared, and what does not go together is told."""

import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.score.files import closed_files, open_files, refused, score, scored, store

COSINE = {"metric": "cosine", "presentation": "as_cropped", "model": "a" * 64, "trained": []}
EUCLIDEAN = COSINE | {"metric": "euclidean", "model": "b" * 64}


def options(files):
    return [part for pair in files.items() for part in pair]


def saying(files, facts):
    """The same files, each with facts of a model; ``facts`` by option, or for all."""
    for option, path in files.items():
        of = facts.get(option) if any(key in files for key in facts) else facts
        if of is not None:
            with np.load(path) as stored:
                arrays = dict(stored)
            store(path, **arrays, facts=np.array(json.dumps(of)))
    return files


@pytest.fixture
def sides(tmp_path):
    """One side Euclidean, the other by the cosine; embeddings of one direction differ in length."""
    made = {}
    for side in "ab":
        folder = tmp_path / side
        folder.mkdir()
        for option, path in closed_files(folder).items():
            with np.load(path) as stored:
                arrays = dict(stored)
            arrays["embedding"] *= np.random.default_rng(7).uniform(0.3, 3, (len(arrays["embedding"]), 1))
            made[f"{option}-{side}"] = store(path, **arrays)
    return made


def test_the_models_metric_is_taken(tmp_path):
    files = saying(closed_files(tmp_path), EUCLIDEAN)
    told = scored("closed-set", *options(files))
    assert told["definition"]["metric"] == "euclidean"
    assert "bbbbbbbbbbbb, faces as cropped" in told["definition"]["model"] and told["notes"] == []
    assert told["rank1"] == scored("closed-set", *options(files), "--metric", "euclidean")["rank1"]


def test_each_side_of_a_comparison_has_its_own(sides):
    facts = {option: EUCLIDEAN if option.endswith("a") else COSINE for option in sides}
    told = scored("compare", *options(saying(sides, facts)), "--bootstrap", "10")
    alone = {
        side: scored("closed-set", "--probe", sides[f"--probe-{side}"], "--gallery", sides[f"--gallery-{side}"])
        for side in "ab"
    }
    assert {side: told["rank1"][side] for side in "ab"} == {side: alone[side]["rank1"] for side in "ab"}
    assert told["rank1"]["a"] != told["rank1"]["b"]
    assert told["definition"]["metric"] == "A: euclidean; B: cosine"


def test_a_metric_that_contradicts_the_model_is_told_and_taken(sides):
    facts = {option: EUCLIDEAN if option.endswith("a") else COSINE for option in sides}
    told = scored("compare", *options(saying(sides, facts)), "--bootstrap", "10", "--metric", "cosine")
    assert told["definition"]["metric"] == "cosine" and told["rank1"]["a"] == told["rank1"]["b"]
    assert [note for note in told["notes"] if "--metric" in note] == [
        "A: compared by cosine, as --metric says; the model's own metric is euclidean"
    ]


@pytest.mark.parametrize(
    ("changed", "called"),
    [({"model": "c" * 64}, "weights"), ({"presentation": "arcface_112"}, "presentation"),
     ({"metric": "euclidean"}, "metric"), ({"fusion": "mirror_sum"}, "fusion")],
)  # fmt: skip
def test_embeddings_of_two_models_are_refused(tmp_path, changed, called):
    known = COSINE | {"fusion": "none"}
    files = saying(closed_files(tmp_path), {"--probe": known, "--gallery": known | changed})
    assert f"differ in {called}" in refused("closed-set", *options(files))
    assert f"differ in {called}" in refused("verification", *options(files))
    both = {f"{option}-{side}": path for option, path in files.items() for side in "ab"}
    assert f"differ in {called}" in refused("compare", *options(both), "--bootstrap", "10")


@pytest.mark.parametrize("option", ["--gallery", "--mated", "--unmated"])
def test_so_they_are_in_an_open_set(tmp_path, option):
    files = open_files(tmp_path)
    saying(files, {name: COSINE | ({"model": "c" * 64} if name == option else {}) for name in files})
    assert "differ in weights" in refused("open-set", *options(files))


def test_a_euclidean_models_templates_are_averaged_as_they_are(tmp_path):
    files = saying(open_files(tmp_path), EUCLIDEAN)
    told = scored("open-set", *options(files))
    same = scored("open-set", *options(files), "--metric", "euclidean", "--average", "raw")
    assert told["tpir"] == same["tpir"] and "as they are" in told["definition"]["template"]


def test_a_side_that_says_nothing_is_told(tmp_path):
    files = saying(closed_files(tmp_path), {"--probe": COSINE})
    assert any(
        "gallery.npz does not say which model" in note for note in scored("closed-set", *options(files))["notes"]
    )


def test_a_parquet_file_says_it_in_its_schema(tmp_path):
    files = closed_files(tmp_path)
    for option, path in files.items():
        with np.load(path) as stored:
            columns = {"embedding": list(stored["embedding"]), "identity": stored["identity"]}
        table = pa.table(columns).replace_schema_metadata({"facts": json.dumps(EUCLIDEAN)})
        files[option] = path.with_suffix(".parquet")
        pq.write_table(table, files[option])
    assert scored("closed-set", *options(files))["definition"]["metric"] == "euclidean"


def test_templates_tell_that_they_are_compared_by_the_cosine(tmp_path):
    rng = np.random.default_rng(0)
    images = store(
        tmp_path / "images.npz", embedding=rng.normal(size=(12, 8)), template=np.arange(12) // 2, media=np.arange(12),
        facts=np.array(json.dumps(EUCLIDEAN)),
    )  # fmt: skip
    pairs = tmp_path / "pairs.csv"
    pairs.write_text("left,right,same\n0,1,1\n2,3,0\n4,5,0\n")
    notes = scored("templates", "--images", images, "--pairs", pairs)["notes"]
    assert "compared by the cosine of templates; the model's own metric is euclidean" in notes


@pytest.mark.parametrize("facts", ["{", "[]", '{"metric": "manhattan"}', pytest.param("[" * 100_000, id="deep")])
def test_facts_that_are_none_are_told(tmp_path, facts):
    files = closed_files(tmp_path)
    with np.load(files["--probe"]) as stored:
        store(files["--probe"], **dict(stored), facts=np.array(facts))
    assert "is not what lrfr embed writes" in refused("closed-set", *options(files))


def test_a_strangers_array_of_that_name_is_not_looked_at(tmp_path):
    files = closed_files(tmp_path)
    with np.load(files["--probe"]) as stored:
        store(files["--probe"], **dict(stored), facts=np.arange(3))
    assert score("closed-set", *options(files)).exit_code == 0
