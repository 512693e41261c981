import pytest

from lrfr import paths
from lrfr.core.gold import Gold
from lrfr.core.verdicts import COLUMNS
from lrfr.errors import VerdictError
from lrfr.manifests import check_detected, read_gold, read_manifest, read_manifests

HEADER = ",".join(COLUMNS) + "\n"


@pytest.fixture(autouse=True)
def in_a_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    paths.VERDICTS.mkdir(parents=True)


def write(name: str, content: str | bytes):
    path = paths.VERDICTS / f"{name}.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def test_the_manifests_of_a_folder_are_read_by_name():
    write("boris", HEADER + "f1,face,boris,2024-05-01,\n")
    write("anna", HEADER + "f2,unsure,anna,2024-05-02,\n")
    (paths.VERDICTS / "README.md").write_text("no manifest")
    found = read_manifests(paths.VERDICTS)
    assert [(verdict.manifest, verdict.face_id) for verdict in found] == [("anna", "f2"), ("boris", "f1")]


@pytest.mark.parametrize("length", [0, 1, len(HEADER) - 1, len(HEADER)])
def test_a_crash_may_have_cut_the_header_short(length):
    assert read_manifest(write("anna", HEADER[:length])) == []


def test_what_is_no_text_is_named():
    with pytest.raises(VerdictError, match=r"not UTF-8 text[\s\S]*anna.csv"):
        read_manifests(write("anna", b"\xff\xfe").parent)


def test_nothing_is_there_before_anybody_judged():
    assert read_manifests(paths.VERDICTS) == [] and read_manifest(paths.VERDICTS / "anna.csv") == []
    assert read_gold() == {}


def test_gold_faces_and_verdicts_are_of_detected_faces():
    paths.GOLD.write_text("face_id,verdict\nf1,face\n")
    write("anna", HEADER + "f1,face,anna,2024-05-01,\nf2,face,anna,2024-05-01,\n")
    verdicts, gold = read_manifests(paths.VERDICTS), read_gold()
    assert gold == {"f1": Gold("face")}
    check_detected(verdicts, gold, {"f1", "f2"})
    with pytest.raises(VerdictError, match=r"of anna is on face f2, which is not among the 1 [\s\S]*anna.csv:3"):
        check_detected(verdicts, gold, {"f1"})
    with pytest.raises(VerdictError, match=r"gold face f1 is not among the 0 detected[\s\S]*gold.csv"):
        check_detected([], gold, set())
