import numpy as np
import pytest

from lrfr.errors import BenchmarkError
from lrfr.protocols import scface
from tests.protocols.benchmarks import OPTIONS, benchmark, cosines, embed, row
from tests.protocols.small_sets import mugshots


def test_the_splits_are_the_published_ones():
    faces = mugshots(130, 1)
    names = sorted(set(faces.faces["identity"].to_pylist()))
    first = {split: names[number] for split, number in scface.splits(faces).items()}
    assert first == {"all": "001", "dcr": "051", "tc": "088"}
    assert scface.splits(mugshots(13, 1)) == {"all": 0, "dcr": 5, "tc": 9}


def test_rank1_by_distance_is_that_of_a_plain_search_among_the_splits_mugshots():
    faces = mugshots(13)
    embeddings = embed(faces, noise=1.0)
    outcome = scface.evaluate(faces, embeddings, OPTIONS, 0)
    score, identity = cosines(embeddings), faces.identity
    for split, first in scface.splits(faces).items():
        gallery = [row for row in faces.rows("part", "mugshot") if identity[row] >= first]
        rates = []
        for distance in scface.DISTANCES:
            probes = [row for row in faces.rows("part", distance) if identity[row] >= first]
            found = [identity[gallery[int(np.argmax(score[probe, gallery]))]] == identity[probe] for probe in probes]
            assert outcome.figures[split][distance]["rank1"] == pytest.approx(np.mean(found), abs=1e-6)
            rates.append(np.mean(found))
        assert outcome.figures[split]["mean_rank1"] == pytest.approx(np.mean(rates), abs=1e-6)
        low, high = outcome.figures[split]["mean_rank1_interval"]
        assert low <= outcome.figures[split]["mean_rank1"] <= high
        assert outcome.figures[split]["n_identity"] == len(gallery)
    assert outcome.curves["cmc"].columns["rank"].tolist() == list(range(1, 14))


def test_a_set_that_was_imported_in_a_partition_is_reported_in_that_one_alone():
    faces, embeddings = mugshots(13), embed(mugshots(13), noise=1.0)
    whole = scface.evaluate(faces, embeddings, OPTIONS, 0).figures["dcr"]
    rows = np.flatnonzero(faces.identity >= 5)
    told = [{**line, "attributes": [*line["attributes"], ("partition", "dcr")]} for line in faces.faces.to_pylist()]
    tested = benchmark([{**told[row], "image": b""} for row in rows])
    outcome = scface.evaluate(tested, embeddings.take(rows), OPTIONS, 0)
    assert outcome.figures == {"dcr": whole}
    assert outcome.curves["cmc"].columns["rank"].tolist() == list(range(1, 9))


def test_a_set_without_a_distance_is_refused():
    faces = benchmark([row("a", "a", part="mugshot"), row("b", "a", part="distance_1")])
    with pytest.raises(BenchmarkError, match="distance_2"):
        scface.evaluate(faces, embed(faces), OPTIONS, 0)
