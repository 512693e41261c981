import io
import tarfile
from pathlib import Path

import cv2
import numpy as np
import pyarrow.compute as pc
import pytest

from lrfr.config import settings
from lrfr.errors import ParameterError, SourceError
from lrfr.faces import PHOTO_SCHEMA, TAG_SCHEMA, decode
from lrfr.sources.lfw import Settings, acquire
from lrfr.sources.reading.lfw_pictures import read_pictures, stems_by_person
from tests.drawing import jpeg, portrait

FEW = Settings(min_images=3, max_images=4, auxiliary_fraction=0.5, distractors=2)
PEOPLE = {"Ann_A": 3, "Bob_B": 5, "Cy_C": 3, "Dee_D": 4, "Eve_E": 2, "Flo_F": 1}


def pictures() -> dict[str, bytes]:
    picture = jpeg(portrait(100, 1))
    return {f"{name}/{name}_{n:04d}.jpg": picture for name, count in PEOPLE.items() for n in range(1, count + 1)}


def folder(root: Path, files: dict[str, bytes]) -> Path:
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)
    return root


def archive(path: Path, files: dict[str, bytes], mode: str = "w") -> Path:
    with tarfile.open(path, mode) as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return path


def test_people_become_auxiliary_native_or_nameless(tmp_path):
    acquired = acquire(folder(tmp_path / "lfw", pictures()), FEW, seed=1)
    assert acquired.photos.schema == PHOTO_SCHEMA and acquired.tags.schema == TAG_SCHEMA
    assert acquired.truth.num_rows == 0
    collection = {row["photo_id"]: row["collection"] for row in acquired.photos.to_pylist()}
    named = {row["photo_id"]: row["identity"] for row in acquired.tags.to_pylist()}
    sides = {(named[photo], collection[photo]) for photo in named}
    assert sorted(name for name, _ in sides) == ["Ann_A", "Bob_B", "Cy_C", "Dee_D"]
    assert sorted(side for _, side in sides) == ["auxiliary", "auxiliary", "native", "native"]
    assert sum(name == "Bob_B" for name in named.values()) == FEW.max_images
    nameless = set(collection) - set(named)
    assert len(nameless) == FEW.distractors
    assert all(photo.startswith(("Eve_E", "Flo_F")) and collection[photo] == "native" for photo in nameless)


def test_native_photos_are_small_and_auxiliary_ones_untouched(tmp_path):
    files = pictures()
    acquired = acquire(folder(tmp_path / "lfw", files), FEW, seed=1)
    tags = {row["photo_id"]: row["box"] for row in acquired.tags.to_pylist()}
    for row in acquired.photos.to_pylist():
        pixels = decode(row["image"])
        assert pixels.shape == (row["height"], row["width"], 3)
        if row["collection"] == "auxiliary":
            assert row["image"] in files.values()
        else:
            assert 10 <= 0.48 * row["height"] <= 33
        if row["photo_id"] in tags:
            x, y, width, height = tags[row["photo_id"]]
            assert 0 <= x < x + width <= row["width"] and 0 <= y < y + height <= row["height"]


@pytest.mark.parametrize("ending", ["tar", "tar.gz", "tgz"])
def test_an_archive_gives_the_same_as_a_folder(tmp_path, ending):
    nested = {f"published/lfw/{name}": content for name, content in pictures().items()} | {"published/notes.txt": b""}
    packed = archive(tmp_path / f"lfw.{ending}", nested, "w" if ending == "tar" else "w:gz")
    unpacked = folder(tmp_path / "lfw", pictures())
    assert acquire(packed, FEW, 1).photos.equals(acquire(unpacked, FEW, 1).photos)


def test_the_seed_decides(tmp_path):
    root = folder(tmp_path / "lfw", pictures())
    assert acquire(root, FEW, 1).photos.equals(acquire(root, FEW, 1).photos)
    assert not acquire(root, FEW, 1).photos.equals(acquire(root, FEW, 2).photos)


def test_grey_pictures_become_rgb(tmp_path):
    grey = cv2.imencode(".jpg", portrait(100, 1)[..., 0])[1].tobytes()
    acquired = acquire(folder(tmp_path / "lfw", dict.fromkeys(pictures(), grey)), FEW, 1)
    assert all(decode(image).ndim == 3 for image in acquired.photos["image"].to_pylist())


def test_a_corrupt_picture_goes_through_as_it_is(tmp_path):
    files = pictures()
    broken = [name for name in files if name.endswith("0001.jpg")]
    files |= {name: files[name][:200] for name in broken}
    photos = acquire(folder(tmp_path / "lfw", files), FEW, 1).photos.to_pylist()
    unread = [row for row in photos if row["width"] == 0]
    assert unread and all(row["photo_id"].endswith("0001") and len(row["image"]) == 200 for row in unread)


@pytest.mark.parametrize("name", ["../../evil/evil_0001.jpg", "/etc/evil/evil_0001.jpg", "lfw/../../x/x_0001.jpg"])
def test_a_path_that_leads_out_of_the_archive_is_refused(tmp_path, name):
    with pytest.raises(SourceError, match="leads out of the archive"):
        acquire(archive(tmp_path / "lfw.tar", pictures() | {name: b"x"}), FEW, 1)


LINKS = {  # name: kind, where it leads, and what becomes of it
    "Gus_G/Gus_G_0001.jpg": (tarfile.LNKTYPE, "Ann_A/Ann_A_0001.jpg", None),
    "Gus_G/Gus_G_0002.jpg": (tarfile.SYMTYPE, "../Ann_A/./Ann_A_0002.jpg", None),
    "Gus_G/Gus_G_0003.jpg": (tarfile.SYMTYPE, "Gus_G_0002.jpg", None),  # a link to a link
    "Gus_G/Gus_G_0004.jpg": (tarfile.SYMTYPE, "../blobs/4711", None),  # to what does not lie in the layout
    "Gus_G/Gus_G_0005.jpg": (tarfile.SYMTYPE, "/etc/passwd", "link_outside"),
    "Gus_G/Gus_G_0006.jpg": (tarfile.SYMTYPE, "../../Ann_A_0001.jpg", "link_outside"),
    "Gus_G/Gus_G_0007.jpg": (tarfile.LNKTYPE, "/Ann_A/Ann_A_0001.jpg", "link_outside"),
    "Gus_G/Gus_G_0008.jpg": (tarfile.LNKTYPE, "Ann_A/Ann_A_0099.jpg", "link_broken"),
    "Gus_G/Gus_G_0009.jpg": (tarfile.SYMTYPE, "Gus_G_0009.jpg", "link_broken"),
    "Gus_G/Gus_G_0010.jpg": (tarfile.FIFOTYPE, "", "not_a_file"),
    "Gus_G/Gus_G_0011.jpg": (tarfile.SYMTYPE, "../Ann_A", "link_to_folder"),
    "Hal_H": (tarfile.SYMTYPE, "Ann_A", "link_to_folder"),
}


@pytest.mark.parametrize("ending", ["tar", "tgz"])
def test_a_link_in_an_archive_gives_its_picture_or_is_excluded(tmp_path, ending):
    files = pictures() | {"blobs/4711": jpeg(portrait(100, 2)), "montage.jpg": b"x"}
    path = tmp_path / f"lfw.{ending}"
    with tarfile.open(path, "w" if ending == "tar" else "w:gz") as tar:
        for name, (kind, target, _) in LINKS.items():
            link = tarfile.TarInfo(name)
            link.type, link.linkname = kind, target
            tar.addfile(link)
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    read, excluded = read_pictures(path)
    assert {row["where"]: row["reason"] for row in excluded} == {
        name: reason for name, (_, _, reason) in LINKS.items() if reason
    } | {"montage.jpg": "unlisted"}
    assert sorted(stem for stem in read if stem.startswith("Gus")) == [f"Gus_G_000{n}" for n in range(1, 5)]
    assert read["Gus_G_0003"] == read["Gus_G_0002"] == read["Ann_A_0002"] and read["Gus_G_0004"] == files["blobs/4711"]
    assert set(acquire(path, FEW, 1).excluded["reason"].to_pylist()) == {row["reason"] for row in excluded}


def test_a_link_in_a_folder_leads_nowhere_else(tmp_path):
    root = folder(tmp_path / "lfw", pictures())
    (root / "Ann_A/Ann_A_0009.jpg").symlink_to(root / "Ann_A/none.jpg")
    assert acquire(root, FEW, 1).excluded.to_pylist() == [{"where": "Ann_A/Ann_A_0009.jpg", "reason": "link_broken"}]
    (tmp_path / "secret.jpg").write_bytes(b"x")
    (root / "Ann_A/Ann_A_0008.jpg").symlink_to(tmp_path / "secret.jpg")
    with pytest.raises(SourceError, match="leads out of the dataset"):
        acquire(root, FEW, 1)


def test_a_name_is_one_however_its_accents_are_written(tmp_path):
    picture = jpeg(portrait(100, 1))
    files = pictures() | {f"{name}/{name}_000{n}.jpg": picture for n, name in ((1, "Jos\u00e9"), (2, "Jose\u0301"))}
    read, _ = read_pictures(archive(tmp_path / "lfw.tar", files))
    assert stems_by_person(read)["Jos\u00e9"] == ["Jos\u00e9_0001", "Jos\u00e9_0002"]


def test_what_is_no_lfw_says_what_was_looked_for(tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "text.tar").write_text("no archive")
    whole = archive(tmp_path / "whole.tgz", pictures(), "w:gz").read_bytes()
    (tmp_path / "half.tgz").write_bytes(whole[: len(whole) // 2])
    other = archive(tmp_path / "other.tar", {"tinyface/Training_Set/1/1_a.jpg": b"x"})
    for root in (tmp_path / "none", tmp_path / "empty", tmp_path / "text.tar", tmp_path / "half.tgz", other):
        with pytest.raises(SourceError, match=r"<Name>/<Name>_0001\.jpg") as error:
            acquire(root, FEW, 1)
        assert str(root) in str(error.value)


@pytest.mark.parametrize("cut", [0.3, 0.5, 0.7, "between members", "in a header"])
def test_an_archive_that_breaks_off_is_refused(tmp_path, cut):
    path = archive(tmp_path / "lfw.tar", pictures())
    with tarfile.open(path) as tar:
        last = tar.getmembers()[-1].offset
    places = {"between members": last, "in a header": last + 100}
    content = path.read_bytes()
    path.write_bytes(content[: places[cut] if isinstance(cut, str) else int(cut * last)])
    with pytest.raises(SourceError, match="not a whole tar archive"):
        acquire(path, FEW, 1)


def test_too_few_people_with_enough_pictures(tmp_path):
    with pytest.raises(SourceError, match="1 of 6 people have at least 5 pictures"):
        acquire(folder(tmp_path / "lfw", pictures()), FEW.model_copy(update={"min_images": 5}), 1)


def test_a_misspelt_setting_is_named():
    values = FEW.model_dump() | {"distractor": 3}
    with pytest.raises(ParameterError, match="did you mean 'distractors'"):
        settings(values, Settings, "acquire.settings")


def test_two_copies_of_a_picture_stay_copies(tmp_path):
    """So that curate can find a picture that stands under two names, as two do in LFW."""
    rng = np.random.default_rng(0)
    files = {name: jpeg(rng.integers(0, 255, (40, 40, 3), dtype=np.uint8)) for name in pictures()}
    files["Flo_F/Flo_F_0001.jpg"] = files["Eve_E/Eve_E_0002.jpg"]
    everybody = FEW.model_copy(update={"distractors": 9})
    photos = {
        row["photo_id"]: row["image"] for row in acquire(folder(tmp_path, files), everybody, 1).photos.to_pylist()
    }
    assert photos["Flo_F_0001"] == photos["Eve_E_0002"] != photos["Eve_E_0001"]


@pytest.mark.parametrize("ending", ["PGM", "bmp", "tiff", "webp"])
def test_a_picture_may_have_any_ending_and_what_is_left_out_is_told(tmp_path, ending):
    picture = cv2.imencode(f".{ending.lower()}", portrait(100, 1)[..., 0])[1].tobytes()
    files = {name.replace(".jpg", f".{ending}"): picture for name in pictures()}
    files |= {"readme.txt": b"x", "Ann_A/.hidden.jpg": b"x", "Ann_A/portrait.jpg": b"x", "Ann_A/Ann_A_0009.heic": b"x"}
    excluded = {"readme.txt": "not_image", "Ann_A/.hidden.jpg": "hidden", "Ann_A/portrait.jpg": "unlisted",
                "Ann_A/Ann_A_0009.heic": "not_image"}  # fmt: skip
    for root, prefix in ((folder(tmp_path / "lfw", files), ""), (archive(tmp_path / "lfw.tar", files), "")):
        acquired = acquire(root, FEW, seed=1)
        assert acquired.photos.num_rows == acquire(folder(tmp_path / "jpg", pictures()), FEW, seed=1).photos.num_rows
        assert {row["where"]: row["reason"] for row in acquired.excluded.to_pylist()} == {
            prefix + name: reason for name, reason in excluded.items()
        }


def test_pictures_that_are_cut_tightly_say_how_high_their_face_is(tmp_path):
    """ORL's: the face has nearly the whole height, and would come out twice as large as LFW's."""
    tight = {name: cv2.imencode(".pgm", portrait(200, 1)[48:152, 54:146, 0])[1].tobytes() for name in pictures()}
    tight = {name.replace(".jpg", ".pgm"): content for name, content in tight.items()}
    root = folder(tmp_path / "orl", tight)

    def native(settings):
        acquired = acquire(root, settings, seed=1)
        heights = [row["height"] for row in acquired.photos.to_pylist() if row["collection"] == "native"]
        return heights, np.array([row["box"] for row in acquired.tags.to_pylist()])

    heights, _ = native(FEW)
    tight_heights, heads = native(FEW.model_copy(update={"face_height": 0.96}))
    assert max(tight_heights) <= 32 / 0.96 + 1
    assert [round(height / 2) for height in heights] == pytest.approx(tight_heights, abs=1)
    assert (heads[:, :2] >= 0).all() and (heads[:, 3] > 0.99 * min(tight_heights)).all()


def test_some_pictures_of_auxiliary_people_are_spoilt(tmp_path):
    files = {name: jpeg(portrait(250, number)) for number, name in enumerate(pictures())}
    root = folder(tmp_path / "lfw", files)
    acquired = acquire(root, FEW.model_copy(update={"unrecognizable": 5}), seed=1)
    auxiliary = acquired.photos.filter(pc.field("collection") == "auxiliary")["photo_id"].to_pylist()
    rows = acquired.faces.to_pylist()
    assert len({row["face_id"] for row in rows}) == 5 and len(auxiliary) > 5
    for row in rows:
        attributes = dict(row["attributes"])
        assert attributes["collection"] == "unrecognizable" and row["identity"] is None and row["split"] is None
        assert decode(row["image"]).shape == (row["height"], row["width"], 3)
        assert row["height"] <= (9 if attributes["flaw"] == "distance" else 27)
    assert acquired.photos.equals(acquire(root, FEW, seed=1).photos)
    assert acquire(root, FEW, seed=1).faces.num_rows == 0
