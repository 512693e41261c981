"""The server's answers: what is saved, what it refuses, and what it tells nobody else."""

import json
from base64 import b64decode
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest
from fastapi.testclient import TestClient

from lrfr import paths
from lrfr.core.names import KIND
from lrfr.core.pair_verdicts import KIND as PAIR_KIND
from lrfr.core.verdicts import Verdict, render
from lrfr.faces import FINDING_SCHEMA, decode, write_table
from lrfr.manifests import read_manifest
from lrfr.review.manifest import append
from lrfr.review.photo import Photos
from lrfr.review.serve import open_pairs, open_session
from lrfr.review.server import MOST, create_app

TOKEN = "the run's token"
PAGE = {"X-Lrfr-Token": TOKEN}
SAVES = PAGE | {"Origin": "http://127.0.0.1:8377"}


def serving(labeller="anna", order="doubtful", adjudicate=False):
    app = create_app(open_session(labeller, order, adjudicate), Photos(paths.PHOTOS), TOKEN, order)
    return TestClient(app, base_url="http://127.0.0.1:8377", raise_server_exceptions=False)


def say(faces, **verdicts):
    """What the page sends of a sheet of which some faces are marked."""
    return [
        {"face_id": face["face_id"], "verdict": verdicts.get(face["face_id"], "face"), "seen": face["seen"]}
        for face in faces
    ]


def post(client, verdicts, sheet=0, labeller="anna", manifest="anna", **more):
    body = {"labeller": labeller, "manifest": manifest, "sheet": sheet, "verdicts": verdicts}
    return client.post("/api/verdicts", json=body, headers=SAVES, **more)


def manifest(name="anna"):
    return read_manifest(paths.VERDICTS / f"{name}.csv")


def lines(name="anna"):
    return [(verdict.face_id, verdict.verdict, verdict.note) for verdict in manifest(name)]


@pytest.fixture
def client(project):
    return serving()


def sheet(client, index=0):
    return client.get(f"/api/sheets/{index}", headers=PAGE).json()


def test_a_sheet_is_saved_as_it_is_answered(client):
    told = client.get("/api/session", headers=PAGE).json()
    assert (told["sheets"], told["next"], told["file"]) == (3, 0, "annotations/verdicts/anna.csv")
    first = sheet(client)
    assert [len(first["faces"]), first["next"]] == [40, 1]
    face = first["faces"][0]
    assert (face["face_id"], face["width"], face["height"], face["verdict"], face["said"]) == ("f00", 10, 12, None, [])
    assert decode(b64decode(face["image"].partition(",")[2])).shape == (12, 10, 3)

    answer = post(client, say(first["faces"], f03="not_face", f05="unrecognizable")).json()
    assert answer["next"] == 1
    assert answer["progress"]["judged"] == 40
    assert answer["progress"]["verdicts"] == {"face": 38, "not_face": 1, "unrecognizable": 1}
    said = manifest()
    assert {(verdict.labeller, verdict.at.tzinfo) for verdict in said} == {("anna", UTC)}
    assert [(verdict.face_id, verdict.verdict) for verdict in said if verdict.verdict != "face"] == [
        ("f03", "not_face"),
        ("f05", "unrecognizable"),
    ]


def test_the_last_sheet_leads_back_to_the_first_that_is_open(client):
    assert post(client, say(sheet(client, 2)["faces"]), sheet=2).json()["next"] == 0
    post(client, say(sheet(client, 0)["faces"]))
    answer = post(client, say(sheet(client, 1)["faces"]), sheet=1).json()
    assert answer["next"] is None
    assert serving().get("/api/session", headers=PAGE).json()["next"] is None


def test_a_verdict_that_is_there_already_is_not_written_twice(client):
    """As when the answer to a save was lost, and the page asks again."""
    verdicts = say(sheet(client)["faces"])
    assert post(client, verdicts).status_code == post(client, verdicts).status_code == 200
    assert len(manifest()) == 40


def test_changing_ones_mind_appends_and_the_latest_line_counts(client):
    post(client, say(sheet(client)["faces"]))
    before = (paths.VERDICTS / "anna.csv").read_text()
    post(client, say(sheet(client)["faces"], f01="unsure"))
    assert (paths.VERDICTS / "anna.csv").read_text().startswith(before)
    assert lines()[40:] == [("f01", "unsure", "")]


def test_taking_a_verdict_back_appends_and_the_face_is_asked_again(client):
    post(client, say(sheet(client)["faces"][:1]))
    again = sheet(client)["faces"][0]
    post(client, [{"face_id": "f00", "verdict": None, "seen": again["seen"]}])
    assert lines() == [("f00", "face", ""), ("f00", "unsure", "withdrawn")]
    for judge in (client, serving()):
        face = sheet(judge)["faces"][0]
        assert (face["verdict"], face["note"]) == (None, "")
        assert judge.get("/api/session", headers=PAGE).json()["progress"]["judged"] == 0


def test_the_clock_set_back_does_not_undo_a_correction(client):
    future = datetime.now(UTC) + timedelta(days=1)
    append(paths.VERDICTS / "anna.csv", [Verdict("f00", "face", "anna", future, "", "anna", 0)])
    face = sheet(serving())["faces"][0]
    post(client, say([face], f00="not_face"))
    assert max(manifest(), key=lambda verdict: (verdict.at, verdict.line)).verdict == "not_face"


def test_two_windows_do_not_write_over_each_other(client):
    other = serving()
    mine, theirs = sheet(client)["faces"], sheet(other)["faces"]
    post(other, say(theirs, f02="not_face"))
    refused = post(client, say(mine))
    assert refused.status_code == 409
    assert [(face["face_id"], face["verdict"]) for face in refused.json()["elsewhere"]] == [("f02", "not_face")]
    assert len(manifest()) == 40
    mine[2]["seen"] = refused.json()["elsewhere"][0]["seen"]
    assert post(client, say(mine, f02="unrecognizable")).status_code == 200
    assert lines()[-1] == ("f02", "unrecognizable", "")


def test_two_labellers_keep_a_manifest_each(client):
    boris = serving("boris")
    post(client, say(sheet(client)["faces"], f00="not_face"))
    assert sheet(boris)["faces"][0]["verdict"] is None, "labellers do not see each other's verdicts"
    post(boris, say(sheet(boris)["faces"]), labeller="boris", manifest="boris")
    assert (lines()[0], lines("boris")[0]) == (("f00", "not_face", ""), ("f00", "face", ""))


def test_a_note_stays_on_one_line(client):
    face = sheet(client)["faces"][0]
    verdict = {"face_id": "f00", "verdict": "unsure", "note": 'wrong,\n\t"identity"\x07,torn,never saved', "seen": None}
    assert face["seen"] is None
    assert post(client, [verdict]).status_code == 200
    assert lines() == [("f00", "unsure", 'wrong, "identity",torn,never saved')]


def test_adjudication_shows_who_said_what_and_settles_it(client):
    boris = serving("boris")
    post(client, say(sheet(client)["faces"], f01="not_face", f02="unsure"))
    post(boris, say(sheet(boris)["faces"]), labeller="boris", manifest="boris")
    eva = serving("eva", adjudicate=True)
    faces = sheet(eva)["faces"]
    assert [face["face_id"] for face in faces] == ["f01", "f02"]
    assert [(one["labeller"], one["verdict"]) for one in faces[0]["said"]] == [("anna", "not_face"), ("boris", "face")]
    answer = post(eva, say(faces, f01="not_face"), labeller="eva", manifest="_adjudicated").json()
    assert answer["next"] is None
    assert lines("_adjudicated") == [("f01", "not_face", ""), ("f02", "face", "")]
    assert {verdict.labeller for verdict in manifest("_adjudicated")} == {"eva"}


def test_the_source_photo_is_shown_around_the_box(client):
    answer = client.get("/api/photos/f04", headers=PAGE)
    assert answer.headers["content-type"] == "image/jpeg"
    assert max(decode(answer.content).shape) == 640
    assert decode(answer.content).max() > 200, "the box is drawn"


def test_without_photos_it_says_so(project):
    paths.PHOTOS.unlink()
    client = serving()
    assert client.get("/api/session", headers=PAGE).json()["photos"] is False
    answer = client.get("/api/photos/f04", headers=PAGE)
    assert (answer.status_code, "already cut" in answer.json()["message"]) == (404, True)


def test_a_full_disk_is_said_and_nothing_is_kept(client, monkeypatch):
    faces = sheet(client)["faces"]
    with monkeypatch.context() as patched:
        patched.setattr("os.fsync", lambda handle: (_ for _ in ()).throw(OSError(28, "No space left on device")))
        answer = post(client, say(faces))
    assert answer.status_code == 507
    assert "No space left" in answer.json()["message"]
    assert client.get("/api/session", headers=PAGE).json()["progress"]["judged"] == 0
    assert post(client, say(faces)).status_code == 200
    assert len(manifest()) == 40


REFUSED = {
    "no token": ({"X-Lrfr-Token": ""}, 401),
    "another run's token": ({"X-Lrfr-Token": "old"}, 401),
    "another site": ({"Origin": "https://example.org"}, 403),
    "another port": ({"Origin": "http://127.0.0.1:9999"}, 403),
    "a sandboxed frame": ({"Origin": "null"}, 403),
    "no origin": ({"Origin": None}, 403),
    "a name that points here": ({"Host": "evil.example:8377", "Origin": "http://evil.example:8377"}, 403),
    "across sites": ({"Sec-Fetch-Site": "cross-site"}, 403),
    "a form": ({"Content-Type": "application/x-www-form-urlencoded"}, 415),
    "plain text": ({"Content-Type": "text/plain"}, 415),
}


@pytest.mark.parametrize(("headers", "status"), REFUSED.values(), ids=REFUSED)
def test_what_is_not_the_page_saves_nothing(client, headers, status):
    body = '{"labeller":"anna","manifest":"anna","sheet":0,"verdicts":[{"face_id":"f00","verdict":"face","seen":null}]}'
    sent = {name: value for name, value in (SAVES | {"Content-Type": "application/json"} | headers).items() if value}
    assert client.post("/api/verdicts", content=body, headers=sent).status_code == status
    assert not (paths.VERDICTS / "anna.csv").exists()


@pytest.mark.parametrize("path", ["/api/session", "/api/sheets/0", "/api/photos/f00", "/docs", "/openapi.json", "/x"])
@pytest.mark.parametrize("headers", [{}, PAGE | {"Origin": "https://example.org"}, PAGE | {"Host": "evil.example"}])
def test_what_is_not_the_page_reads_nothing(client, path, headers):
    answer = client.get(path, headers=headers)
    assert answer.status_code in (401, 403)
    assert "image" not in answer.text
    assert "access-control-allow-origin" not in answer.headers


def test_the_page_may_load_nothing_from_elsewhere_and_stand_in_no_frame(client):
    for path in ("/", "/page.js", "/page.css", "/api/session"):
        headers = client.get(path, headers=PAGE).headers
        assert headers["content-security-policy"].startswith("default-src 'none'; script-src 'self'")
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert headers["x-frame-options"] == "DENY"
        assert headers["cache-control"] == "no-store"
    assert TOKEN not in client.get("/").text


WRONG = {
    "an unknown verdict": [{"face_id": "f00", "verdict": "maybe", "seen": None}],
    "a long note": [{"face_id": "f00", "verdict": "face", "note": "x" * 501, "seen": None}],
    "a surplus key": [{"face_id": "f00", "verdict": "face", "seen": None, "labeller": "boris"}],
    "an unknown face": [{"face_id": "f00", "verdict": "face"}, {"face_id": "../x", "verdict": "face", "seen": None}],
}


@pytest.mark.parametrize("verdicts", WRONG.values(), ids=WRONG)
def test_what_cannot_be_a_verdict_is_not_written(client, verdicts):
    assert post(client, verdicts).status_code == 422
    assert not (paths.VERDICTS / "anna.csv").exists()


def test_a_window_never_writes_in_another_labellers_name(client):
    assert post(client, say(sheet(client)["faces"]), labeller="boris", manifest="boris").status_code == 403
    assert post(client, say(sheet(client)["faces"]), manifest="_adjudicated").status_code == 403
    assert list(paths.VERDICTS.glob("*.csv")) == []


def test_a_sheet_that_does_not_exist_is_refused(client):
    assert client.get("/api/sheets/3", headers=PAGE).status_code == 422
    assert client.get("/api/sheets/-1", headers=PAGE).status_code == 422


def test_a_manifest_that_git_left_in_conflict_is_named(project):
    paths.VERDICTS.mkdir(parents=True)
    (paths.VERDICTS / "anna.csv").write_text(render([]) + "<<<<<<< HEAD\n")
    with pytest.raises(Exception, match="marks of a merge conflict"):
        serving()


def names(labeller="anna"):
    return [(line.face_id, line.identity, line.note) for line in read_manifest(paths.NAMES / f"{labeller}.csv", KIND)]


def naming(faces, **given):
    return [
        verdict | {"name": given.get(face["face_id"], face["name"]), "name_seen": face["name_seen"]}
        for face, verdict in zip(faces, say(faces), strict=True)
    ]


def test_names_are_saved_with_the_verdicts_and_only_where_they_are_new(client):
    faces = sheet(client)["faces"]
    assert post(client, naming(faces, f00="Mary  Somerville", f01="Ada")).status_code == 200
    assert names() == [("f00", "Mary Somerville", ""), ("f01", "Ada", "")]
    assert post(client, naming(faces, f00="Mary Somerville", f01="Ada")).status_code == 200
    told = client.get("/api/session", headers=PAGE).json()
    assert told["recent_names"] == ["Ada", "Mary Somerville"]
    assert {"Ada", "person01"} <= set(told["vocabulary"]) | set(told["recent_names"])
    again = sheet(client)["faces"]
    assert (again[0]["name"], again[2]["name"], again[2]["verdict"]) == ("Mary Somerville", "", "face")
    assert post(client, naming(again, f00="")).status_code == 200
    assert names()[2:] == [("f00", "", "withdrawn")]
    assert sheet(serving())["faces"][0]["name"] == ""


def test_a_page_that_says_nothing_of_names_leaves_them(client):
    post(client, naming(sheet(client)["faces"], f00="Mary"))
    post(client, say(sheet(client)["faces"], f00="unsure"))
    assert names() == [("f00", "Mary", "")]


def test_two_windows_do_not_name_over_each_other(client):
    other = serving()
    mine, theirs = sheet(client)["faces"], sheet(other)["faces"]
    post(other, naming(theirs, f02="Mary"))
    refused = post(client, naming(mine, f02="Ada"))
    assert refused.status_code == 409
    assert [(face["face_id"], face["name"]) for face in refused.json()["elsewhere"]] == [("f02", "Mary")]
    assert names() == [("f02", "Mary", "")]


def test_labellers_that_name_differently_are_adjudicated(client):
    boris = serving("boris")
    post(client, naming(sheet(client)["faces"], f00="Mary", f01="Ada"))
    post(boris, naming(sheet(boris)["faces"], f00="Marie", f01="Ada"), labeller="boris", manifest="boris")
    eva = serving("eva", adjudicate=True)
    (face,) = sheet(eva)["faces"]
    assert face["unnamed"] and [(one["labeller"], one["name"]) for one in face["said"]] == [
        ("anna", "Mary"),
        ("boris", "Marie"),
    ]
    answer = post(eva, say([face]), labeller="eva", manifest="_adjudicated").json()
    assert answer["next"] == 0, "the name is still open"
    named = post(eva, naming(sheet(eva)["faces"], f00="Mary"), labeller="eva", manifest="_adjudicated").json()
    assert (named["next"], names("_adjudicated")) == (None, [("f00", "Mary", "")])


@pytest.fixture
def pairs(project):
    """f01 and f02 were taken for copies of f00, and f03 is one in every pixel."""
    found = [("f01", 0.98, "near"), ("f02", 0.99, "near"), ("f03", 1.0, "exact")]
    known = dict.fromkeys(FINDING_SCHEMA.names)
    known |= {"reason": "duplicate", "excluded": True, "copy_of": "f00", "across": "unnamed"}
    rows = [
        known | {"face_id": face, "kind": kind, "similarity": similarity} for face, similarity, kind in found
    ]  # fmt: skip
    write_table(pa.Table.from_pylist(rows, FINDING_SCHEMA), paths.FINDINGS, FINDING_SCHEMA)
    return lambda labeller="anna", adjudicate=False: TestClient(
        create_app(open_pairs(labeller, adjudicate), Photos(paths.PHOTOS), TOKEN, "doubtful"),
        base_url="http://127.0.0.1:8377",
        raise_server_exceptions=False,
    )


def judged(labeller):
    lines = read_manifest(paths.PAIR_VERDICTS / f"{labeller}.csv", PAIR_KIND)
    return [(line.face_id, line.other_face_id, line.verdict) for line in lines]


def test_pairs_are_judged_side_by_side(pairs):
    client = pairs()
    told = client.get("/api/session", headers=PAGE).json()
    assert (told["shows"], told["sheets"], told["next"]) == ("pairs", 1, 0)
    first, second = sheet(client)["faces"]
    assert (first["face_id"], first["difference"], len(first["images"])) == ("f00 f01", 5.1, 2)
    assert [face["face_id"] for face in first["faces"]] == ["f01", "f00"], "the one that may go stands on the left"
    assert "name" not in first
    verdicts = [{"face_id": pair["face_id"], "verdict": word, "seen": None} for pair, word in
                ((first, "different"), (second, "copy"))]  # fmt: skip
    assert post(client, verdicts).json()["next"] is None
    assert judged("anna") == [("f00", "f01", "different"), ("f00", "f02", "copy")]
    boris = pairs("boris")
    verdicts[0]["verdict"] = "copy"
    post(boris, verdicts, labeller="boris", manifest="boris")
    eva = pairs("eva", adjudicate=True)
    (pair,) = sheet(eva)["faces"]
    assert [(said["labeller"], said["verdict"]) for said in pair["said"]] == [("anna", "different"), ("boris", "copy")]
    assert post(client, [verdicts[0] | {"verdict": "face"}]).status_code == 422
    assert post(client, [verdicts[0] | {"name": "Mary"}]).status_code == 422
    assert client.get("/api/photos/f00 f01", headers=PAGE).status_code == 404


def test_a_body_is_bounded_and_never_sent_back(client):
    long = client.post("/api/verdicts", content=b"x" * (MOST + 1), headers=SAVES | {"Content-Type": "application/json"})
    assert (long.status_code, len(long.content) < 200) == (413, True)
    parts = client.post("/api/verdicts", content=iter([b"{}"]), headers=SAVES | {"Content-Type": "application/json"})
    assert parts.status_code == 411
    wrong = post(client, [{"face_id": "f00", "verdict": "face", "note": "x" * 100_000}])
    assert (wrong.status_code, len(wrong.content) < 500) == (422, True)


FIELDS = {
    "sheet": {"sheet": 40_000_000},
    "labeller": {"labeller": "x" * 70},
    "manifest": {"manifest": "x" * 70},
    "verdicts": {"verdicts": [{"face_id": "f00", "verdict": "face"}] * 2},
    "many": {"verdicts": [{"face_id": f"f{n}", "verdict": "face"} for n in range(1001)]},
    "face_id": {"verdicts": [{"face_id": "f" * 300, "verdict": "face"}]},
    "seen": {"verdicts": [{"face_id": "f00", "verdict": "face", "seen": "x" * 65}]},
    "name": {"verdicts": [{"face_id": "f00", "verdict": "face", "name": "x" * 101}]},
    "name_seen": {"verdicts": [{"face_id": "f00", "verdict": "face", "name_seen": "x" * 65}]},
    "verdict": {"verdicts": [{"face_id": "f00", "verdict": "x" * 40}]},
    "a half character": {"verdicts": [{"face_id": "\ud800", "verdict": "face"}]},
}


@pytest.mark.parametrize("change", FIELDS.values(), ids=FIELDS)
def test_every_field_is_bounded(client, change):
    body = json.dumps({"labeller": "anna", "manifest": "anna", "sheet": 0, "verdicts": []} | change)
    answer = client.post("/api/verdicts", content=body, headers=SAVES | {"Content-Type": "application/json"})
    assert (answer.status_code, len(answer.content) < 600) == (422, True)
    assert not (paths.VERDICTS / "anna.csv").exists()


@pytest.mark.parametrize("host", ["[", "[::1", "localhost:x", "127.0.0.1:123456", "", "127.0.0.1:80@evil"])
def test_a_host_that_is_none_is_refused(client, host):
    assert client.get("/", headers={"Host": host}).status_code == 403


def test_a_body_as_deep_as_it_is_long_is_refused(client):
    deep = client.post("/api/verdicts", content="[" * 200_000, headers=SAVES | {"Content-Type": "application/json"})
    assert deep.status_code in (400, 422)
