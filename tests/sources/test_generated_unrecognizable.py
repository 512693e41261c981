"""Generated faces that nobody recognises: a collection of their own, of nobody who is anywhere else."""

from pathlib import Path

import numpy as np
import pytest

from lrfr import parallel
from lrfr.config import settings
from lrfr.faces import FACE_SCHEMA, decode
from lrfr.sources import collections_of, generated_unrecognizable
from lrfr.sources.acquired import part
from lrfr.sources.reading import flaws
from lrfr.sources.rendering.capture import Stream


def made(faces=9, seed=7):
    chosen = settings({"faces": faces}, generated_unrecognizable.Settings, "here")
    return generated_unrecognizable.acquire(Path("unused"), chosen, seed)


@pytest.fixture(autouse=True)
def one_core(monkeypatch):
    monkeypatch.setattr(parallel, "cores", lambda: 1)


def test_they_are_faces_without_a_name_or_a_place_in_a_split():
    acquired = made()
    assert acquired.faces.schema.equals(FACE_SCHEMA) and 7 <= len(acquired.faces) <= 9
    for row in acquired.faces.to_pylist():
        assert row["identity"] is None and row["split"] is None
        assert dict(row["attributes"])["collection"] == "unrecognizable"
        assert decode(row["image"]).shape == (row["height"], row["width"], 3)
        assert row["landmarks"] is not None and 0 < row["score"] <= 1
    assert collections_of(generated_unrecognizable, generated_unrecognizable.Settings(faces=1)) == ("unrecognizable",)
    assert len(part(acquired, "generated_unrecognizable", "unrecognizable").faces) == len(acquired.faces)


def test_each_has_a_flaw_that_shows():
    rows = made(18).faces.to_pylist()
    by_flaw = {}
    for row in rows:
        by_flaw.setdefault(dict(row["attributes"])["flaw"], []).append(row)
    assert set(by_flaw) == set(flaws.FLAWS)
    assert all(row["height"] <= 10 for row in by_flaw["distance"])
    assert all(decode(row["image"]).mean() < 60 for row in by_flaw["dark"])
    change = {flaw: np.mean([np.abs(np.diff(decode(row["image"]).astype(float), axis=0)).mean() for row in some])
              for flaw, some in by_flaw.items()}  # fmt: skip
    assert change["motion"] < change["distance"]


def test_the_seed_alone_decides_them_and_more_change_none():
    first, again, more = made(3), made(3), made(5)
    assert first.faces.equals(again.faces)
    assert more.faces.slice(0, len(first.faces)).equals(first.faces)
    assert not made(3, seed=8).faces.equals(first.faces)
    assert len(set(Stream)) == len(Stream)
