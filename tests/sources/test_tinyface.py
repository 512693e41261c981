from pathlib import Path

import pytest

from lrfr.errors import SourceError
from lrfr.sources.tinyface import PROTOCOL, Settings, acquire
from tests.sources.layouts import by_name, id_list, picture, put, reasons, tree

GALLERY = {"3_a.jpg": 3, "3_b.jpg": 3, "4_a.jpg": 41}  # the list knows 4_a better than its name
PROBES = {"3_p.jpg": 3, "4_p.jpg": 41}


def tinyface(root: Path, lists: str = "Testing_Set") -> Path:
    tree(
        root,
        *(f"Training_Set/{name}" for name in ("1/1_x.jpg", "1/1_y.jpg", "2/2_x.jpg")),
        *(f"Testing_Set/Gallery_Match/{name}" for name in GALLERY),
        *(f"Testing_Set/Probe/{name}" for name in PROBES),
        *(f"Testing_Set/Gallery_Distractor/{name}" for name in ("d1.jpg", "d2.jpg", "5_d.jpg")),
    )
    id_list(root / lists / "gallery_match_img_ID_pairs.mat", "gallery", GALLERY)
    id_list(root / lists / "probe_img_ID_pairs.mat", "probe", PROBES)
    return root


@pytest.mark.parametrize("lists", ["Testing_Set", "Face_Identification_Evaluation"])
def test_the_published_partition(tmp_path, lists):
    acquired = acquire(tinyface(tmp_path, lists), Settings(), 1)
    found = {name: (row["identity"], row["split"]) for name, row in by_name(acquired.faces).items()}
    assert found == {
        "Training_Set/1/1_x.jpg": ("1", "train"),
        "Training_Set/1/1_y.jpg": ("1", "train"),
        "Training_Set/2/2_x.jpg": ("2", "train"),
        "Testing_Set/Gallery_Match/3_a.jpg": ("3", "gallery"),
        "Testing_Set/Gallery_Match/3_b.jpg": ("3", "gallery"),
        "Testing_Set/Gallery_Match/4_a.jpg": ("41", "gallery"),
        "Testing_Set/Probe/3_p.jpg": ("3", "probe"),
        "Testing_Set/Probe/4_p.jpg": ("41", "probe"),
        "Testing_Set/Gallery_Distractor/5_d.jpg": (None, "distractor"),
        "Testing_Set/Gallery_Distractor/d1.jpg": (None, "distractor"),
        "Testing_Set/Gallery_Distractor/d2.jpg": (None, "distractor"),
    }
    assert PROTOCOL == "tinyface" and acquired.excluded.num_rows == 0
    assert set(acquired.faces["source"].to_pylist()) == {"tinyface"}


def test_parts_and_the_bytes_as_captured(tmp_path):
    root = tinyface(tmp_path)
    for name, row in by_name(acquire(root, Settings(), 1).faces).items():
        part = {"train": None}.get(row["split"], row["split"])
        assert row["attributes"].get("part") == part and row["attributes"]["collection"] == "native"
        assert row["image"] == (root / name).read_bytes()


def test_the_same_files_give_the_same_table(tmp_path):
    one, other = (acquire(tinyface(tmp_path / place), Settings(), seed) for place, seed in (("one", 1), ("other", 2)))
    assert one.faces.equals(other.faces)


def test_what_cannot_be_read_misses_in_the_test_set_and_leaves_the_training_set(tmp_path):
    root = tinyface(tmp_path)
    put(root / "Testing_Set/Probe/3_p.jpg", b"")
    put(root / "Testing_Set/Gallery_Distractor/d1.jpg", b"no image")
    (root / "Testing_Set/Gallery_Match/4_a.jpg").unlink()
    put(root / "Training_Set/1/1_x.jpg", picture(0)[:40])
    put(root / "Testing_Set/Probe/9_new.jpg", picture(9))
    put(root / "Testing_Set/Probe/.DS_Store", b"x")
    acquired = acquire(root, Settings(), 1)
    rows = by_name(acquired.faces)
    missing = {name: row["identity"] for name, row in rows.items() if "missing" in row["attributes"]}
    assert missing == {
        "Testing_Set/Probe/3_p.jpg": "3",
        "Testing_Set/Gallery_Distractor/d1.jpg": None,
        "Testing_Set/Gallery_Match/4_a.jpg": "41",
    }
    assert len(rows) == 10 and acquired.faces.num_rows == 10
    told = reasons(acquired.excluded)
    assert told.keys() == {"Training_Set/1/1_x.jpg", "Testing_Set/Probe/9_new.jpg", "Testing_Set/Probe/.DS_Store"}
    assert told["Testing_Set/Probe/9_new.jpg"] == "unlisted"


def test_nobody_is_named_by_a_folder_that_is_no_person(tmp_path):
    root = tree(tinyface(tmp_path), "Training_Set/montage.jpg", "Training_Set/extra/2_z.jpg")
    acquired = acquire(root, Settings(), 1)
    excluded = {"Training_Set/montage.jpg": "no_identity", "Training_Set/extra/2_z.jpg": "no_identity"}
    assert reasons(acquired.excluded) == excluded
    train = [row["identity"] for row in by_name(acquired.faces).values() if row["split"] == "train"]
    assert train == ["1", "1", "2"]


def test_a_training_set_that_lies_a_folder_deeper_is_the_same(tmp_path):
    root = tinyface(tmp_path)
    (root / "Training_Set").rename(root / "inner")
    (root / "Training_Set").mkdir()
    (root / "inner").rename(root / "Training_Set/Training_Set")
    put(root / "Training_Set/Training_Set/montage.jpg", picture(0))
    faces = acquire(root, Settings(), 1).faces
    assert {row["identity"] for row in faces.to_pylist() if row["split"] == "train"} == {"1", "2"}


def test_a_test_set_without_distractors_is_another_one(tmp_path):
    root = tinyface(tmp_path)
    for path in (root / "Testing_Set/Gallery_Distractor").iterdir():
        path.unlink()
    with pytest.raises(SourceError, match="no picture lies in Testing_Set/Gallery_Distractor"):
        acquire(root, Settings(), 1)


def test_a_list_of_which_most_images_are_not_there_is_refused(tmp_path):
    root = tinyface(tmp_path)
    for name in ("3_a.jpg", "3_b.jpg"):
        (root / "Testing_Set/Gallery_Match" / name).rename(root / "Testing_Set" / name)
    with pytest.raises(SourceError, match=r"only 1 of the 3 listed images lies in .*[\s\S]*3_a\.jpg is in Testing_Set"):
        acquire(root, Settings(), 1)


def test_a_missing_list_is_looked_for_in_both_places(tmp_path):
    root = tinyface(tmp_path)
    (root / "Testing_Set/probe_img_ID_pairs.mat").unlink()
    with pytest.raises(SourceError) as error:
        acquire(root, Settings(), 1)
    for place in ("Testing_Set", "Face_Identification_Evaluation"):
        assert f"{place}/probe_img_ID_pairs.mat" in str(error.value)


@pytest.mark.parametrize("folder", ["Training_Set", "Testing_Set/Probe", "Testing_Set/Gallery_Distractor"])
def test_a_missing_folder_is_named(tmp_path, folder):
    root = tinyface(tmp_path)
    (root / folder).rename(tmp_path / "elsewhere")
    with pytest.raises(SourceError, match=f"looked for {folder}"):
        acquire(root, Settings(), 1)


def test_no_path_leaves_the_root(tmp_path):
    put(tmp_path / "secret.jpg", picture(0))
    root = tinyface(tmp_path / "root")
    id_list(root / "Testing_Set/probe_img_ID_pairs.mat", "probe", PROBES | {"../../../secret.jpg": 5})
    with pytest.raises(SourceError, match="leads out"):
        acquire(root, Settings(), 1)
    id_list(root / "Testing_Set/probe_img_ID_pairs.mat", "probe", PROBES)
    (root / "Testing_Set/Gallery_Distractor/secret.jpg").symlink_to(tmp_path / "secret.jpg")
    with pytest.raises(SourceError, match="leads out"):
        acquire(root, Settings(), 1)
