"""The JSON has every figure of the table, and the thresholds."""

import re

import numpy as np
import pytest

from lrfr.core import open_set
from tests.score.files import closed_files, open_files, score, scored, store

NUMBER = re.compile(r"(?<!FAR )(?<!FPIR )(?<![\w.])-?\d+\.\d{4}(?![\d])")


def numbers(told) -> set[str]:
    """Every number of the JSON, as tables write it."""
    if isinstance(told, dict):
        return set().union(*(numbers(of) for of in told.values())) if told else set()
    if isinstance(told, list):
        return set().union(*(numbers(of) for of in told)) if told else set()
    return {f"{told:z.4f}"} if isinstance(told, (int, float)) and not isinstance(told, bool) else set()


@pytest.fixture
def commands(tmp_path):
    closed, opened = closed_files(tmp_path), open_files(tmp_path)
    rng = np.random.default_rng(1)
    left = rng.normal(size=(60, 8))
    same = np.arange(60) % 2 == 0
    right = np.where(same[:, None], left + 0.5 * rng.normal(size=left.shape), rng.normal(size=left.shape))
    quality = rng.normal(size=60)
    pairs = store(tmp_path / "pairs.npz", left=left, right=right, same=same)
    scores = store(tmp_path / "s.npz", score=rng.normal(size=60) + same, same=same, quality_left=quality,
                   quality_right=quality)  # fmt: skip
    images = store(tmp_path / "i.npz", embedding=left, template=np.arange(60) // 2, media=np.arange(60))
    lists = {name: tmp_path / f"{name}.csv" for name in ("pairs", "G1", "G2", "probe")}
    lists["pairs"].write_text("left,right,same\n" + "".join(f"{n},{n + 15},{int(n < 5)}\n" for n in range(15)))
    for name, rows in (("G1", range(8)), ("G2", range(8, 15)), ("probe", range(15, 30))):
        lists[name].write_text("template,identity\n" + "".join(f"{row},{row % 15}\n" for row in rows))
    sides = [part for option, path in closed.items() for side in "ab" for part in (f"{option}-{side}", path)]
    return {
        "closed-set": [part for pair in closed.items() for part in pair],
        "open-set": [part for pair in opened.items() for part in pair],
        "verification": ["--scores", scores],
        "folds": ["--pairs", pairs],
        "reject": ["--scores", scores, "--fmr", "0.1"],
        "compare": sides,
        "templates": ["--images", images, "--pairs", lists["pairs"]],
        "templates 1:N": ["--images", images, "--gallery", lists["G1"], "--gallery", lists["G2"],
                          "--probe", lists["probe"]],
    }  # fmt: skip


@pytest.mark.parametrize(
    "name",
    ["closed-set", "open-set", "verification", "folds", "reject", "compare", "templates", "templates 1:N"],
)
def test_the_json_has_every_figure_of_the_table(commands, name):
    command = [name.partition(" ")[0], *commands[name], "--bootstrap", "20"]
    printed = set(NUMBER.findall(score(*command).stdout))
    assert printed and not printed - numbers(scored(*command))


def test_an_open_sets_thresholds_give_its_tpir(commands):
    told = scored("open-set", *commands["open-set"], "--bootstrap", "0")
    files = dict(zip(commands["open-set"][::2], commands["open-set"][1::2], strict=True))
    gallery, mated, unmated = (np.load(files[option]) for option in ("--gallery", "--mated", "--unmated"))
    found = open_set(
        gallery["embedding"], gallery["identity"], mated["embedding"], mated["identity"], unmated["embedding"]
    )
    for rate, threshold in told["threshold"].items():
        if told["tpir"][rate] is None:
            assert threshold is None
            continue
        assert (found.unmated_score >= threshold).mean() <= float(rate)
        is_found = (found.mate_rank <= 20) & (found.mate_score >= threshold)
        assert is_found.mean() == pytest.approx(told["tpir"][rate], abs=1e-6)


def test_verifications_thresholds_give_its_rates(commands):
    told = scored("verification", *commands["verification"], "--far", "0.1", "--bootstrap", "0")
    with np.load(commands["verification"][1]) as stored:
        scores, same = stored["score"], stored["same"]
    assert (scores[same] >= told["threshold"]["0.1"]).mean() == pytest.approx(told["tar"]["0.1"], abs=1e-6)
    assert ((scores >= told["accuracy_threshold"]) == same).mean() == pytest.approx(told["accuracy"], abs=1e-6)
    errors = (scores[~same] >= told["eer_threshold"]).mean() + (scores[same] < told["eer_threshold"]).mean()
    assert errors / 2 == pytest.approx(told["eer"], abs=1e-6)
