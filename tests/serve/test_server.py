"""The page's server: who is on a picture, what it refuses, and whom it tells nothing."""

from base64 import b64decode

import numpy as np
import pytest
from fastapi.testclient import TestClient

from lrfr.decoding import decode
from lrfr.galleries.changes import forget
from lrfr.galleries.gallery import FollowedGallery
from lrfr.serve.server import MOST, create_app
from tests.drawing import jpeg
from tests.serve.releases import group, photo

TOKEN = "the run's token"
PAGE = {"X-Lrfr-Token": TOKEN}
SENDS = PAGE | {"Origin": "http://127.0.0.1:8399", "Content-Type": "application/octet-stream"}
PICTURE = jpeg(group([0, 50, 2]))


@pytest.fixture
def client(model, gallery):
    app = create_app(model, FollowedGallery(gallery, model), TOKEN)
    return TestClient(app, base_url="http://127.0.0.1:8399", raise_server_exceptions=False)


def ask(client, picture=PICTURE, fpir="0.05", **headers):
    return client.post(f"/api/identify?fpir={fpir}", content=picture, headers=SENDS | headers)


def test_every_face_has_its_box_and_the_nearest_with_their_pictures(client):
    told = ask(client).json()
    assert (told["width"], told["height"]) == (300, 100)
    assert [face["name"] for face in told["faces"]] == ["anna", None, "carl"]
    for face in told["faces"]:
        left, top, width, height = face["box"]
        shown = decode(b64decode(face["picture"].partition(",")[2]))
        np.testing.assert_array_equal(shown, decode(PICTURE)[top : top + height, left : left + width])
        assert len(face["nearest"]) == 3
        for near in face["nearest"]:
            assert near["picture"].startswith("data:image/png;base64,")
    assert told["threshold"]["people"] == 3


def test_it_says_what_it_is_and_which_rates_there_are(client, model):
    told = client.get("/api/about", headers=PAGE).json()
    assert (told["release"], told["people"], told["photos"], told["quality"]) == ("pixels@v1.0.0", 3, 3, None)
    assert told["rates"] == [0.02, 0.05, 0.1, 0.2] and told["usual"] == 0.02
    assert ask(client, fpir=told["usual"]).status_code == 200


def test_the_gallery_is_the_one_of_now(client, model, gallery):
    forget(gallery, model.origin, "anna")
    assert [face["name"] for face in ask(client).json()["faces"]] == [None, None, "carl"]
    for name in ("bob", "carl"):
        forget(gallery, model.origin, name)
    assert ask(client).status_code == 422 and "nobody is enrolled" in ask(client).json()["message"]


@pytest.mark.parametrize(
    ("picture", "fpir", "what"),
    [(b"nonsense", "0.05", "no known format"), (b"", "0.05", "empty"), (PICTURE[:500], "0.05", "damaged"),
     (PICTURE, "0.0001", "not resolved"), (PICTURE, "0", "fpir"), (PICTURE, "0.6", "fpir"), (PICTURE, "much", "fpir")],
)  # fmt: skip
def test_what_cannot_be_answered_is_told(client, picture, fpir, what):
    answer = ask(client, picture, fpir)
    assert answer.status_code == 422 and what in answer.json()["message"]


@pytest.mark.parametrize(
    ("headers", "status"),
    [({"X-Lrfr-Token": "another"}, 401), ({"X-Lrfr-Token": ""}, 401), ({"Host": "evil.example"}, 403),
     ({"Origin": "http://evil.example"}, 403), ({"Sec-Fetch-Site": "cross-site"}, 403),
     ({"Content-Type": "text/plain"}, 415), ({"Content-Type": "application/json"}, 415),
     ({"Content-Length": str(MOST + 1)}, 413), ({"Content-Length": "x"}, 413), ({"Transfer-Encoding": "chunked"}, 411)],
)  # fmt: skip
def test_nobody_else_is_answered(client, headers, status):
    answer = ask(client, **headers)
    assert answer.status_code == status and set(answer.json()) == {"message"}


def test_the_page_is_given_to_anybody_here_and_allows_nothing_else(client):
    for path in ("/", "/page.js", "/page.css", "/server.js"):
        answer = client.get(path)
        assert answer.status_code == 200
        assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")
        assert answer.headers["Cache-Control"] == "no-store"
        assert "http" not in answer.text.replace("http://www.w3.org", "")
    assert client.get("/docs", headers=PAGE).status_code == 404
    assert client.get("/api/about").status_code == 401


def test_a_picture_of_nobody(client):
    assert ask(client, jpeg(np.zeros((80, 80, 3), np.uint8))).json()["faces"] == []
    assert ask(client, jpeg(photo(1, 3))).json()["faces"][0]["name"] == "bob"
