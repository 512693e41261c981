"""Appending to a manifest: nothing that was said to be saved is lost, and no line is ever rewritten."""

import errno
import multiprocessing
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lrfr import paths
from lrfr.core.verdicts import TORN, Verdict, parse, render
from lrfr.errors import VerdictError
from lrfr.manifests import read_manifest
from lrfr.review import manifest

MOMENT = datetime(2024, 5, 1, 9, 30, tzinfo=UTC)


def line(number: int, labeller: str = "anna", note: str = "") -> Verdict:
    return Verdict(f"f{number}", "face", labeller, MOMENT, note, labeller, number + 2)


@pytest.fixture(autouse=True)
def path(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return paths.VERDICTS / "anna.csv"


def test_what_was_appended_is_read_again(path):
    manifest.append(path, [line(0), line(1)])
    manifest.append(path, [line(2, note='a "quoted", note')])
    assert read_manifest(path) == [line(0), line(1), line(2, note='a "quoted", note')]
    assert path.read_text().count("face_id,verdict") == 1


def test_an_append_is_on_the_disk_when_it_returns(path, monkeypatch):
    synced, fsync = [], os.fsync

    def watched(handle):
        synced.append(Path(f"/proc/self/fd/{handle}").resolve())
        fsync(handle)

    monkeypatch.setattr(os, "fsync", watched)
    manifest.append(path, [line(0)])
    assert synced == [path.resolve(), path.parent.resolve()]


@given(cut=st.integers(min_value=0), note=st.sampled_from(["", "plain", 'a "quoted", note']))
def test_a_write_that_was_cut_anywhere_costs_that_line_alone(tmp_path_factory, cut, note):
    """A crash leaves a prefix of the write; what came before it and what comes after it count."""
    path = tmp_path_factory.mktemp("torn") / "anna.csv"
    before, torn = render([line(0)]), render([line(1, note=note)]).removeprefix(render([]))
    left = (before + torn)[: cut % (len(before + torn) + 1)]
    path.write_text(left)
    manifest.append(path, [line(2), line(3)])
    read = read_manifest(path)
    assert path.read_text().startswith(left)
    assert [verdict.face_id for verdict in read][-2:] == ["f2", "f3"]
    if len(left) >= len(before):
        assert read[0] == line(0)


def test_a_torn_line_is_closed_not_rewritten(path):
    path.parent.mkdir(parents=True)
    path.write_text(render([line(0)]) + "f1,fac")
    with pytest.raises(VerdictError, match="torn line"):
        read_manifest(path)
    manifest.append(path, [])
    assert path.read_text() == render([line(0)]) + f"f1,fac{TORN}\n"
    assert read_manifest(path) == [line(0)]


def test_a_last_line_that_lacks_only_its_end_counts(path):
    path.parent.mkdir(parents=True)
    path.write_text(render([line(0), line(1)]).rstrip("\n"))
    manifest.append(path, [line(2)])
    assert path.read_text() == render([line(0), line(1), line(2)])


@pytest.mark.parametrize("failing", ["write", "fsync"])
def test_what_a_full_disk_cuts_short_is_taken_back(path, monkeypatch, failing):
    manifest.append(path, [line(0)])
    before = path.read_bytes()
    write = os.write
    pieces = []

    def full(handle, data=b""):
        if failing == "write" and not pieces:
            pieces.append(write(handle, data[:10]))
            return 10
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, failing, full)
        with pytest.raises(VerdictError, match=r"not saved: No space left on device"):
            manifest.append(path, [line(1)])
    assert path.read_bytes() == before
    manifest.append(path, [line(1)])
    assert read_manifest(path) == [line(0), line(1)]


def _append_many(name: str, count: int) -> None:
    path = paths.VERDICTS / "anna.csv"
    for number in range(count):
        with manifest.locked(path):
            manifest.append(path, [Verdict(f"{name}{number}", "face", "anna", MOMENT, "x" * 200, "anna", 0)] * 3)


def test_processes_that_append_at_once_lose_no_line(path):
    """Also with the lock file deleted under them, as a cleaned data folder does: each append is one write."""
    fork = multiprocessing.get_context("fork")
    workers = [fork.Process(target=_append_many, args=(name, 25)) for name in "abc"]
    for worker in workers:
        worker.start()
    (paths.REVIEW_LOCKS / "verdicts_anna.lock").unlink(missing_ok=True)
    for worker in workers:
        worker.join()
        assert worker.exitcode == 0
    verdicts = parse(path.read_text(), "anna", path)
    assert len(verdicts) == 3 * 25 * 3
    assert len({verdict.face_id for verdict in verdicts}) == 75


HARMFUL = ["", " ", "../x", "a/b", "a\\b", "_adjudicated", "_x", ".x", "a b", "a\n", "a,b", "x" * 64, "-x", "a\0", "a."]


@pytest.mark.parametrize("name", HARMFUL)
def test_names_that_could_do_harm_are_refused(name):
    with pytest.raises(VerdictError, match="cannot be a labeller's name"):
        manifest.checked_labeller(name, [])


def test_names_of_people_are_taken(path):
    assert manifest.checked_labeller("Ju\u0308rgen-2", []) == "J\u00fcrgen-2"
    assert manifest.checked_labeller("李四", []) == "李四"


def test_names_that_differ_by_case_alone_are_one_file_on_some_disks(path):
    manifest.append(path, [line(0)])
    assert manifest.checked_labeller("anna", []) == "anna"
    with pytest.raises(VerdictError, match="there is a labeller 'anna' already"):
        manifest.checked_labeller("Anna", [])


def test_no_lock_lies_among_the_manifests(path):
    with manifest.locked(path):
        manifest.append(path, [line(0)])
    assert [found.name for found in paths.VERDICTS.iterdir()] == ["anna.csv"]


@pytest.mark.parametrize("name", ["boris", "Boris"])
def test_nobody_goes_by_the_name_of_a_simulated_labeller(name):
    assert manifest.checked_labeller("bo", ["boris"]) == "bo"
    with pytest.raises(VerdictError, match=r"a simulated labeller is called '[bB]oris'(.|\n)*simulated_labellers"):
        manifest.checked_labeller(name, ["boris"])
