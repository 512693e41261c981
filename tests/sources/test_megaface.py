from pathlib import Path

import pytest

from lrfr.errors import SourceError
from lrfr.sources.megaface import PROTOCOL, Settings, acquire
from tests.sources.layouts import by_name, put, reasons, tree

PROBES = [f"facescrub_images/{who}/{who}_{number}.png" for who in ("Adam_Brody", "Eve") for number in (1, 2, 3)]
DISTRACTORS = [f"megaface_images/{number}/{number}@N00/{number}_0.jpg" for number in range(12)]
THREE = Settings(distractors=3)


def megaface(root: Path) -> Path:
    tree(root, *PROBES, *DISTRACTORS, "facescrub_images/Zoe/Zoe_1.png")
    put(root / "facescrub_lst", "".join(f"{name}\n" for name in PROBES))
    put(root / "facescrub_noises.txt", "# wrong people\nAdam Brody_2.jpg\n")
    put(root / "megaface_noises.txt", "# probes' identities\n1\t4/4@N00/4_0.jpg\n5/5@N00/5_0.jpg\n")
    return root


def test_probes_and_drawn_distractors_without_the_noise(tmp_path):
    acquired = acquire(megaface(tmp_path), THREE, 1)
    rows = by_name(acquired.faces)
    probes = {name: row["identity"] for name, row in rows.items() if row["split"] == "probe"}
    assert probes == {name: name.split("/")[1] for name in PROBES if not name.endswith("Adam_Brody_2.png")}
    distractors = [name for name, row in rows.items() if row["split"] == "distractor"]
    assert len(distractors) == 3 and all(rows[name]["identity"] is None for name in distractors)
    assert reasons(acquired.excluded) == {
        "facescrub_images/Adam_Brody/Adam_Brody_2.png": "noise",
        "facescrub_images/Zoe/Zoe_1.png": "unlisted",
        DISTRACTORS[4]: "noise",
        DISTRACTORS[5]: "noise",
    }
    assert PROTOCOL == "rifr" and Settings().distractors == 10_000


def test_the_seed_draws(tmp_path):
    root = megaface(tmp_path)
    drawn = [acquire(root, THREE, seed).faces for seed in (1, 1, 2)]
    assert drawn[0].equals(drawn[1]) and not drawn[0].equals(drawn[2])


def test_noise_is_never_drawn(tmp_path):
    names = by_name(acquire(megaface(tmp_path), Settings(distractors=10), 1).faces)
    assert not names.keys() & {DISTRACTORS[4], DISTRACTORS[5]}


def test_too_few_distractors(tmp_path):
    with pytest.raises(SourceError, match="10 distractors are there, and 11 are asked for"):
        acquire(megaface(tmp_path), Settings(distractors=11), 1)


@pytest.mark.parametrize("name", ["facescrub_lst", "facescrub_noises.txt", "megaface_noises.txt"])
def test_a_missing_list_is_named(tmp_path, name):
    root = megaface(tmp_path)
    (root / name).unlink()
    with pytest.raises(SourceError, match=f"looked for {name}"):
        acquire(root, THREE, 1)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("Eve_1.png", "a line names nobody: Eve_1.png"),
        ("facescrub_images/Eve_1.png", "a line names nobody"),
        ("facescrub_images/Zoe/Eve_1.png", "Eve_1.png has two identities: Eve and Zoe"),
    ],
)
def test_a_line_that_names_nobody_or_two_is_refused(tmp_path, line, message):
    root = megaface(tmp_path)
    put(root / "facescrub_lst", "".join(f"{name}\n" for name in [*PROBES, line]))
    with pytest.raises(SourceError, match=message):
        acquire(root, THREE, 1)


@pytest.mark.parametrize("name", ["facescrub_noises.txt", "megaface_noises.txt"])
def test_a_list_of_noise_that_names_nothing_is_of_another_copy(tmp_path, name):
    root = megaface(tmp_path)
    put(root / name, "# other\nNobody_1.png\n")
    with pytest.raises(SourceError, match=r"none of the 1 entries is there, such as .*Nobody_1"):
        acquire(root, THREE, 1)
    put(root / name, "# taken out already\n")
    assert acquire(root, THREE, 1).faces.num_rows == 3 + len(PROBES) - (name == "megaface_noises.txt")


def test_a_listed_path_that_leads_out_is_refused(tmp_path):
    root = megaface(tmp_path)
    put(root / "facescrub_lst", "../secret.png\n")
    with pytest.raises(SourceError, match="leads out of the dataset"):
        acquire(root, THREE, 1)
