from pathlib import Path

import pytest
from scipy.io import savemat

from lrfr.errors import SourceError
from lrfr.faces import PAIR_SCHEMA
from lrfr.sources.survface import PROTOCOL, Settings, acquire
from tests.sources.layouts import by_name, cells, id_list, reasons, tree

GALLERY = {"1007_cam1_1.jpg": 7, "1008_3.jpg": 8}  # numbers of the list, not of the names; one has no camera
MATED = {"1007_cam2_1.jpg": 7, "1008_cam3_1.jpg": 8}
UNMATED = ["distractors_1.jpg", "someone_cam4_x.jpg"]
POSITIVE = [("11_cam1_1.jpg", "11_cam2_1.jpg")]
NEGATIVE = [("11_cam1_1.jpg", "12_2.jpg"), ("12_2.jpg", "gone_1.jpg")]
IDENTIFICATION, VERIFICATION = "Face_Identification_Test_Set", "Face_Verification_Test_Set"


def survface(root: Path, ending: str = "Test_Set") -> Path:
    images = ("11_cam1_1.jpg", "11_cam2_1.jpg", "12_2.jpg", "unused.jpg")
    tree(
        root,
        "training_set/7/7_cam1_1.jpg",
        "training_set/9/9_cam12_1.jpg",
        *(f"{IDENTIFICATION}/gallery/{name}" for name in GALLERY),
        *(f"{IDENTIFICATION}/mated_probe/{name}" for name in MATED),
        *(f"{IDENTIFICATION}/unmated_probe/{name}" for name in UNMATED),
        *(f"{VERIFICATION}/verification_images/{name}" for name in images),
    )
    id_list(root / f"Face_Identification_{ending}/gallery_img_ID_pairs.mat", "gallery", GALLERY)
    id_list(root / f"Face_Identification_{ending}/mated_probe_img_ID_pairs.mat", "mated_probe", MATED)
    place = root / f"Face_Verification_{ending}"
    place.mkdir(exist_ok=True)
    savemat(place / "positive_pairs_names.mat", {"positive_pairs_names": cells(*POSITIVE)})
    savemat(place / "negative_pairs_names.mat", {"negative_pairs_names": cells(*NEGATIVE)})
    return root


@pytest.mark.parametrize("ending", ["Test_Set", "Evaluation"])
def test_parts_identities_and_cameras(tmp_path, ending):
    rows = by_name(acquire(survface(tmp_path, ending), Settings(), 1).faces)
    found = {
        name.rpartition("/")[2]: (
            row["identity"],
            row["split"],
            row["attributes"].get("part"),
            row["attributes"].get("camera"),
        )
        for name, row in rows.items()
    }
    assert found == {
        "7_cam1_1.jpg": ("train_7", "train", None, "1"),  # nobody of the test set, whose 7 is another person
        "9_cam12_1.jpg": ("train_9", "train", None, "12"),
        "1007_cam1_1.jpg": ("7", "gallery", "gallery", "1"),
        "1008_3.jpg": ("8", "gallery", "gallery", None),
        "1007_cam2_1.jpg": ("7", "probe", "mated_probe", "2"),
        "1008_cam3_1.jpg": ("8", "probe", "mated_probe", "3"),
        "distractors_1.jpg": (None, "probe", "unmated_probe", None),
        "someone_cam4_x.jpg": (None, "probe", "unmated_probe", "4"),
        "11_cam1_1.jpg": (None, None, "verification", "1"),
        "11_cam2_1.jpg": (None, None, "verification", "2"),
        "12_2.jpg": (None, None, "verification", None),
        "gone_1.jpg": (None, None, "verification", None),
    }
    assert PROTOCOL == "survface"


def test_pairs_point_at_the_verification_images(tmp_path):
    acquired = acquire(survface(tmp_path), Settings(), 1)
    names = {row["face_id"]: name.rpartition("/")[2] for name, row in by_name(acquired.faces).items()}
    pairs = [(names[row["left"]], names[row["right"]], row["same"]) for row in acquired.pairs.to_pylist()]
    assert pairs == [(*pair, True) for pair in POSITIVE] + [(*pair, False) for pair in NEGATIVE]
    assert acquired.pairs.schema == PAIR_SCHEMA and acquired.pairs["fold"].null_count == 3
    gone = by_name(acquired.faces)[f"{VERIFICATION}/verification_images/gone_1.jpg"]
    assert gone["attributes"]["missing"] == "unreadable"
    assert reasons(acquired.excluded) == {f"{VERIFICATION}/verification_images/unused.jpg": "unlisted"}


def test_nobody_is_named_by_a_folder_that_is_no_person(tmp_path):
    acquired = acquire(tree(survface(tmp_path), "training_set/montage.jpg"), Settings(), 1)
    assert reasons(acquired.excluded)["training_set/montage.jpg"] == "no_identity"
    assert {row["identity"] for row in acquired.faces.to_pylist() if row["split"] == "train"} == {"train_7", "train_9"}


def test_a_missing_list_is_looked_for_in_both_places(tmp_path):
    root = survface(tmp_path)
    (root / VERIFICATION / "negative_pairs_names.mat").unlink()
    with pytest.raises(SourceError) as error:
        acquire(root, Settings(), 1)
    for place in (VERIFICATION, "Face_Verification_Evaluation"):
        assert f"{place}/negative_pairs_names.mat" in str(error.value)
