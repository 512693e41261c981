"""Where a score goes: the table, the JSON and the plots."""

import json
import os
import stat
from xml.etree import ElementTree as Xml

import numpy as np
import pytest

from lrfr.score.outcome import interval, number
from tests.score.files import closed_files, flat, open_files, refused, score, scored_pairs


def test_json_is_in_the_file_and_the_table_on_the_terminal(tmp_path):
    files = closed_files(tmp_path)
    result = score("closed-set", *flat(files), "--json", tmp_path / "new" / "figures.json")
    assert "rank-1" in result.stdout
    told = json.loads((tmp_path / "new" / "figures.json").read_text())
    assert json.loads(score("closed-set", *flat(files), "--json", "-").stdout) == told


def test_the_same_input_gives_the_same_bytes(tmp_path):
    files = closed_files(tmp_path)
    for name in "ab":
        score("closed-set", *flat(files), "--json", tmp_path / name / "x.json", "--plots", tmp_path / name)
    first = {path.name: path.read_bytes() for path in (tmp_path / "a").iterdir()}
    assert first == {path.name: path.read_bytes() for path in (tmp_path / "b").iterdir()}
    assert set(first) == {"x.json", "cmc.svg", "cmc.csv", "pr.svg", "pr.csv"}


@pytest.mark.parametrize(
    ("command", "names"),
    [
        (lambda folder: ["open-set", *flat(open_files(folder))], {"tpir_fpir", "det"}),
        (lambda folder: ["verification", "--scores", scored_pairs(folder)], {"roc", "det"}),
        (lambda folder: ["reject", "--scores", scored_pairs(folder), "--fmr", "0.01"], {"erc"}),
    ],
)
def test_curves_are_drawings_and_columns(tmp_path, command, names):
    assert score(*command(tmp_path), "--plots", tmp_path / "plots").exit_code == 0
    assert {path.stem for path in (tmp_path / "plots").iterdir()} == names
    for name in names:
        drawing = Xml.parse(tmp_path / "plots" / f"{name}.svg").getroot()
        assert drawing.tag.endswith("svg")
        assert drawing.findall(".//{*}polyline")
        columns = np.genfromtxt(tmp_path / "plots" / f"{name}.csv", delimiter=",", names=True)
        assert len(columns) > 50


def test_columns_read_back_are_the_figures(tmp_path):
    files = closed_files(tmp_path)
    told = json.loads(score("closed-set", *flat(files), "--json", "-", "--plots", tmp_path).stdout)
    cmc = np.genfromtxt(tmp_path / "cmc.csv", delimiter=",", names=True)
    assert cmc["cmc"][cmc["rank"] == 5] == pytest.approx(told["rank5"], abs=1e-6)


def test_a_rate_that_is_not_resolvable_is_no_value_in_the_columns(tmp_path):
    score("verification", "--scores", scored_pairs(tmp_path), "--plots", tmp_path)
    roc = np.genfromtxt(tmp_path / "roc.csv", delimiter=",", names=True)
    assert np.array_equal(np.isnan(roc["tar"]), roc["far"] < 1 / 400)


def test_a_place_that_cannot_be_written_is_told_before_the_work(tmp_path):
    files = closed_files(tmp_path)
    (tmp_path / "file").write_text("")
    assert "cannot write" in refused("closed-set", *flat(files), "--plots", tmp_path / "file")
    assert "cannot write" in refused("closed-set", *flat(files), "--json", tmp_path / "file" / "x.json")
    assert "a folder" in refused("closed-set", *flat(files), "--json", tmp_path)
    lost = tmp_path / "lost.npz"
    assert "cannot write" in refused("closed-set", "--probe", lost, "--gallery", lost, "--plots", tmp_path / "file")


def test_nothing_half_written_is_left(tmp_path):
    files = closed_files(tmp_path, probe_identity=np.arange(40))
    refused("closed-set", *flat(files), "--json", tmp_path / "x.json", "--plots", tmp_path / "plots")
    assert not (tmp_path / "x.json").exists()
    assert not list((tmp_path / "plots").iterdir())


def test_help_shows_every_subcommand():
    listed = score("--help").output
    for name in ("closed-set", "open-set", "verification", "folds", "templates", "reject", "compare"):
        assert f"  {name} " in listed
    assert "..." not in listed.partition("Commands:")[2]


def test_what_rounds_to_zero_is_printed_without_a_sign():
    assert (number(-0.00003, "none"), interval([-0.00004, 0.5])) == ("0.0000", "0.0000 to 0.5000")


def test_what_is_no_file_stays_what_it_is(tmp_path):
    files, link, null = closed_files(tmp_path), tmp_path / "link.json", tmp_path / "null"
    link.symlink_to("figures.json")
    assert score("closed-set", *flat(files), "--json", link).exit_code == 0
    assert link.is_symlink() and "rank1" in json.loads((tmp_path / "figures.json").read_text())
    try:
        os.mknod(null, 0o20666, os.makedev(1, 3))  # of our own: a fault must not reach the machine's
        null.write_bytes(b"")
    except PermissionError:
        pytest.skip("only root makes devices, and not everywhere")
    assert score("closed-set", *flat(files), "--json", null).exit_code == 0
    assert stat.S_ISCHR(null.stat().st_mode)


def test_a_curve_s_place_that_is_a_folder_is_refused(tmp_path):
    (tmp_path / "plots" / "cmc.svg").mkdir(parents=True)
    assert "a folder" in refused("closed-set", *flat(closed_files(tmp_path)), "--plots", tmp_path / "plots")
