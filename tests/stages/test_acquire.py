import pytest

from lrfr import paths
from lrfr.errors import ParameterError, SourceError
from lrfr.faces import EXCLUDED_SCHEMA, PHOTO_SCHEMA, TAG_SCHEMA, TRUTH_SCHEMA, read_faces, read_table
from lrfr.sources import sources
from lrfr.stages import acquire
from tests.drawing import jpeg, portrait, write_params
from tests.sources.layouts import write

SETTINGS = {"min_images": 2, "max_images": 2, "auxiliary_fraction": 0.5, "distractors": 1}


@pytest.fixture(autouse=True)
def in_a_folder_with_lfw(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, count in {"Ann_A": 2, "Bob_B": 2, "Cy_C": 1}.items():
        (tmp_path / "raw" / name).mkdir(parents=True)
        for n in range(count):
            (tmp_path / "raw" / name / f"{name}_{n + 1:04d}.jpg").write_bytes(jpeg(portrait(100, n)))


@pytest.fixture
def portraits(tmp_path):
    return write(tmp_path / "hr", {f"{name}/{n}.jpg": jpeg(portrait(60, n)) for n, name in enumerate(("Ann_A", "x"))})


def also(collection: str, source: str, root: str, /, **options) -> None:
    """params.yaml with LFW and a second source for one collection."""
    second = {"source": source, "root": root, "settings": options}
    write_params(acquire={"source": "lfw", "root": "raw", "settings": SETTINGS, collection: second})


def test_the_tables_are_written():
    write_params(acquire={"source": "lfw", "root": "raw", "settings": SETTINGS})
    acquire.run()
    photos = read_table(paths.PHOTOS, PHOTO_SCHEMA)
    assert sorted(photos["collection"].to_pylist()) == ["auxiliary"] * 2 + ["native"] * 3
    assert read_table(paths.TAGS, TAG_SCHEMA).num_rows == 4
    assert read_table(paths.TRUTH, TRUTH_SCHEMA).num_rows == 0
    assert read_faces(paths.CUT_FACES).num_rows == 0
    assert read_table(paths.UNUSED, EXCLUDED_SCHEMA).num_rows == 0


def test_faces_that_come_cut_are_written_with_what_was_excluded(tmp_path, portraits, capsys):
    write(portraits, {"x/torn.jpg": b""})
    settings = {"collection": "native"}
    write_params(acquire={"source": "identity_folders", "root": "hr", "settings": settings})
    acquire.run()
    assert read_faces(paths.CUT_FACES)["identity"].to_pylist() == ["Ann_A", "x"]
    assert read_table(paths.UNUSED, EXCLUDED_SCHEMA).to_pylist() == [{"where": "x/torn.jpg", "reason": "empty"}]
    assert read_table(paths.PHOTOS, PHOTO_SCHEMA).num_rows == 0
    printed = capsys.readouterr().out
    assert "native: 0 photos and 2 cut faces of 2 named people\nexcluded: empty 1" in printed
    assert "auxiliary" not in printed


def test_a_second_source_brings_the_auxiliary_faces_under_names_of_its_own(portraits):
    write(portraits, {"x/torn.jpg": b""})
    also("auxiliary", "identity_folders", "hr")
    acquire.run()
    assert sorted(read_faces(paths.CUT_FACES)["identity"].to_pylist()) == [
        "identity_folders/Ann_A",
        "identity_folders/x",
    ]
    assert "Ann_A" in read_table(paths.TAGS, TAG_SCHEMA)["identity"].to_pylist()  # somebody else, for all that we know
    assert read_table(paths.UNUSED, EXCLUDED_SCHEMA)["where"].to_pylist() == ["identity_folders/x/torn.jpg"]


def test_what_came_is_told_of_each_collection(capsys, portraits):
    """A user's own photos are not counted together with the portraits of others."""
    also("auxiliary", "identity_folders", "hr")
    acquire.run()
    told = capsys.readouterr().out.splitlines()
    assert told[0] == "native: 3 photos and 0 cut faces of 1 named people"
    assert told[1] == "auxiliary: 2 photos and 2 cut faces of 3 named people"


def test_of_a_second_source_only_the_collection_asked_for_is_taken():
    also("auxiliary", "lfw", "raw", **SETTINGS)
    acquire.run()
    photos = read_table(paths.PHOTOS, PHOTO_SCHEMA).to_pylist()
    assert [row["collection"] for row in photos].count("native") == 3
    more = [row["photo_id"] for row in photos if row["photo_id"].startswith("lfw/")]
    tagged = read_table(paths.TAGS, TAG_SCHEMA).to_pylist()
    assert len(more) == 2 and {row["photo_id"] for row in tagged} >= set(more)
    assert all(row["identity"].startswith("lfw/") == row["photo_id"].startswith("lfw/") for row in tagged)


def test_unrecognizable_faces_come_from_a_source_of_their_own(tmp_path):
    write(tmp_path / "mars", {"bbox_train/0001/0001C1T0001F001.jpg": jpeg(portrait(40, 1))})
    also("unrecognizable", "reid_folders", "mars", max_photos=5)
    acquire.run()
    collections = read_table(paths.PHOTOS, PHOTO_SCHEMA)["collection"].to_pylist()
    assert collections.count("unrecognizable") == 1


@pytest.mark.parametrize(
    ("collection", "source", "place", "options", "message"),
    [
        ("auxiliary", "identity_folders", "none", {}, r"there is no dataset here[\s\S]*<identity>"),
        ("auxiliary", "identity_folders", "hr", {"collection": "native"}, "brings nothing auxiliary"),
        ("unrecognizable", "identity_folders", "hr", {}, "brings nothing unrecognizable"),
    ],
)
def test_a_second_source_that_brings_nothing_is_named(portraits, collection, source, place, options, message):
    also(collection, source, place, **options)
    with pytest.raises(SourceError, match=message):
        acquire.run()
    assert not paths.PHOTOS.exists()


def test_a_source_of_which_nothing_is_left_is_refused_with_the_reason(tmp_path):
    write(tmp_path / "hr", {"ann/torn.jpg": b"", "bob/torn.jpg": b""})
    write_params(acquire={"source": "identity_folders", "root": "hr", "settings": {"collection": "native"}})
    with pytest.raises(
        SourceError, match=r"no face and no photo: all is excluded: empty 2[\s\S]*ann/torn.jpg \(empty\)"
    ):
        acquire.run()
    assert read_table(paths.UNUSED, EXCLUDED_SCHEMA).num_rows == 2
    also("auxiliary", "identity_folders", "hr")
    with pytest.raises(SourceError, match="all is excluded: empty 2"):
        acquire.run()


def test_the_same_faces_cannot_be_native_and_auxiliary(portraits):
    first = {"source": "identity_folders", "root": "hr", "settings": {"collection": "native"}}
    write_params(acquire=first | {"auxiliary": first | {"settings": {}}})
    with pytest.raises(SourceError, match="2 faces come twice"):
        acquire.run()


def test_a_misspelt_setting_of_a_second_source_is_placed(portraits):
    also("auxiliary", "identity_folders", "hr", max_image=2)
    with pytest.raises(ParameterError, match=r"did you mean 'max_images'") as error:
        acquire.run()
    assert "acquire.auxiliary.settings" in str(error.value)


def test_the_same_bytes_again():
    write_params(acquire={"source": "lfw", "root": "raw", "settings": SETTINGS})
    acquire.run()
    first = paths.PHOTOS.read_bytes()
    acquire.run()
    assert paths.PHOTOS.read_bytes() == first


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"source": "lfv", "root": "raw", "settings": {}}, ParameterError, "did you mean 'lfw'"),
        ({"source": "scface", "root": "raw", "settings": {}}, ParameterError, "import it under evaluation_sets"),
        ({"source": "lfw", "root": "none", "settings": SETTINGS}, SourceError, "there is no dataset here"),
        ({"source": "lfw", "root": "raw", "settings": SETTINGS | {"photos": 3}}, ParameterError, "known: "),
    ],
)
def test_mistakes_leave_nothing_behind(changes, error, message):
    write_params(acquire=changes)
    with pytest.raises(error, match=message):
        acquire.run()
    assert not paths.PHOTOS.exists()


def test_the_list_of_sources_says_every_setting_and_its_default(capsys):
    acquire.run(list_sources=True)
    told = " ".join(capsys.readouterr().out.split())
    for name, module in sources().items():
        assert f"{name}: " in told
        for setting, field in module.Settings.model_fields.items():
            assert f" {setting}: " in told, f"{name}: {setting}"
            assert field.is_required() or "default" in told
    assert "min_images: int, at least 2, at most 1000000000, required" in told
    assert "face_height: float, above 0, at most 1, default 0.48" in told
    assert "collection: native or auxiliary, default native" in told
    assert "max_identities: int, above 0, at most 1000000000 or null, default null" in told


def test_what_was_left_out_is_counted_and_named(tmp_path, capsys):
    root = tmp_path / "photos"
    (root / ".thumbnails").mkdir(parents=True)
    for name in ("a.jpg", "b.PGM", "c.heic", "d.heic", "film.mp4", ".DS_Store", ".thumbnails/a.jpg"):
        (root / name).write_bytes(jpeg(portrait(100, 1)))
    write_params(acquire={"source": "photo_folder", "root": str(root), "settings": {}, "auxiliary": None})
    acquire.run()
    printed = capsys.readouterr().out
    assert "2 photos and 0 cut faces" in printed
    assert "hidden 2 (.DS_Store, .thumbnails), not_image 3 (.heic 2, .mp4)" in printed
    assert str(paths.UNUSED) in printed
    reasons = [row["reason"] for row in read_table(paths.UNUSED, EXCLUDED_SCHEMA).to_pylist()]
    assert sorted(reasons) == ["hidden"] * 2 + ["not_image"] * 3
