import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lrfr.errors import SourceError
from lrfr.sources.reading.dataset_files import files, find, is_picture, pictures, within
from tests.sources.layouts import put, tree


def test_files_are_found_at_any_depth_and_sorted(tmp_path):
    tree(tmp_path, "a/2.jpg", "a/b/1.PNG", "c/3.jpg", ".git/4.jpg", "a/.DS_Store", "a/Thumbs.db")
    assert files(tmp_path, "a") == ["a/2.jpg", "a/b/1.PNG"]
    assert files(tmp_path, "") == ["a/2.jpg", "a/b/1.PNG", "c/3.jpg"]


def test_what_is_no_picture_is_excluded(tmp_path):
    tree(tmp_path, "a/1.JPG", "a/readme.txt")
    assert pictures(tmp_path, "a") == (["a/1.JPG"], [{"where": "a/readme.txt", "reason": "not_image"}])
    assert is_picture("x.JPeG") and not is_picture("jpg")


def test_a_missing_part_is_named_with_every_place(tmp_path):
    with pytest.raises(SourceError, match=r"missing: x.mat(.|\n)*looked for one/x.mat or two/x.mat") as error:
        find(tmp_path, "one/x.mat", "two/x.mat")
    assert str(tmp_path) in str(error.value)
    put(tmp_path / "two/x.mat", "")
    assert find(tmp_path, "one/x.mat", "two/x.mat") == "two/x.mat"


@pytest.mark.parametrize(
    "name",
    ["../x.jpg", "a/../../x.jpg", "/etc/passwd", "C:\\x.jpg", "C:x.jpg", "\\\\host\\x.jpg", "..\\x.jpg", "a\0b"],
)
def test_a_name_that_leads_out_is_refused(tmp_path, name):
    with pytest.raises(SourceError, match="leads out of the dataset"):
        within(tmp_path, name)


@given(st.text(alphabet="ab./\\\\: ", max_size=12))
def test_whatever_a_name_is_its_path_stays_inside(name):
    root = Path("/data/root")
    try:
        path = within(root, name)
    except SourceError:
        return
    assert Path(os.path.normpath(path)).is_relative_to(root)


def test_windows_separators_are_understood(tmp_path):
    assert within(tmp_path, "a\\b\\1.jpg") == tmp_path / "a/b/1.jpg"


def test_a_link_out_of_the_root_is_refused_and_one_inside_followed(tmp_path):
    root = tree(tmp_path / "root", "a/1.jpg")
    (root / "a/2.jpg").symlink_to(root / "a/1.jpg")
    assert files(root, "a") == ["a/1.jpg", "a/2.jpg"]
    put(tmp_path / "secret.jpg", "x")
    (root / "a/3.jpg").symlink_to(tmp_path / "secret.jpg")
    with pytest.raises(SourceError, match=r"leads out of the dataset(.|\n)*a/3.jpg"):
        files(root, "a")


def test_a_folder_that_is_a_link_is_refused(tmp_path):
    root = tree(tmp_path / "root", "a/1.jpg")
    (root / "a/round").symlink_to(root / "a")
    with pytest.raises(SourceError, match="a folder is a link"):
        files(root, "a")
    (root / "out").symlink_to(tmp_path)
    with pytest.raises(SourceError, match="leads out of the dataset"):
        files(root, "out")


def test_the_root_itself_may_be_a_link(tmp_path):
    tree(tmp_path / "disk", "a/1.jpg")
    (tmp_path / "root").symlink_to(tmp_path / "disk")
    assert files(tmp_path / "root", "a") == ["a/1.jpg"]


def test_a_broken_link_is_a_file_and_a_pipe_is_none(tmp_path):
    tree(tmp_path, "a/1.jpg")
    (tmp_path / "a/2.jpg").symlink_to(tmp_path / "a/none.jpg")
    os.mkfifo(tmp_path / "a/3.jpg")
    assert files(tmp_path, "a") == ["a/1.jpg", "a/2.jpg"]


def test_a_name_in_no_known_encoding_is_refused(tmp_path):
    tree(tmp_path, "a/1.jpg")
    put(tmp_path / "a" / os.fsdecode(b"\xff.jpg"), "x")
    with pytest.raises(SourceError, match="not UTF-8"):
        files(tmp_path, "a")


@pytest.mark.parametrize("folder", ["", ".", "a/1.jpg"])
def test_a_file_in_place_of_a_folder_is_named(tmp_path, folder):
    root = tree(tmp_path, "a/1.jpg")
    with pytest.raises(SourceError, match="a file stands where a folder is expected"):
        files(root if folder == "a/1.jpg" else root / "a/1.jpg", folder)
