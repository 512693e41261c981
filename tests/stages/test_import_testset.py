from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pytest

from lrfr import paths
from lrfr.config import Section
from lrfr.errors import ParameterError, SourceError
from lrfr.faces import (
    ENROLMENT_SCHEMA,
    EXCLUDED_SCHEMA,
    FACE_SCHEMA,
    PAIR_SCHEMA,
    read_table,
)
from lrfr.files import read_json
from lrfr.sources.acquired import Acquired
from lrfr.stages import import_testset
from tests.face_tables import face, whole, write_params

ROWS = [
    face(np.random.default_rng(0), f"p{number}", 20, attributes=[("name", f"{number}.png"), ("template", f"t{number}")])
    for number in range(3)
]
LEFT, RIGHT = ROWS[0]["face_id"], ROWS[1]["face_id"]


class Settings(Section):
    size: int = 3


def acquired(rows=ROWS, pairs=((LEFT, RIGHT),), enrolled=("t0",), excluded=()):
    pair_rows = [{"left": left, "right": right, "same": True, "fold": 0} for left, right in pairs]
    enrolment = [{"template": template, "identity": "ann", "role": "G1"} for template in enrolled]
    aside = [{"where": where, "reason": "corrupt"} for where in excluded]
    return Acquired(
        faces=pa.Table.from_pylist(list(rows), FACE_SCHEMA),
        pairs=pa.Table.from_pylist(pair_rows, PAIR_SCHEMA),
        enrolment=pa.Table.from_pylist(enrolment, ENROLMENT_SCHEMA),
        excluded=pa.Table.from_pylist(aside, EXCLUDED_SCHEMA),
    )


@pytest.fixture(autouse=True)
def source(tmp_path, monkeypatch):
    """A source of ours; what it brings is its attribute ``brings``, what it was asked for is ``asked``."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "raw").mkdir()
    fake = SimpleNamespace(Settings=Settings, PROTOCOL="survface", LAYOUT="a folder of faces", brings=acquired())

    def acquire(root, options, seed):
        fake.asked = (str(root), options, seed)
        return fake.brings

    fake.acquire = acquire
    monkeypatch.setattr("lrfr.sources.component", lambda kind, package, name: fake)
    write(source="fake", root="raw", settings={"size": 5})
    return fake


def write(**chosen):
    write_params(evaluation_sets={"people": chosen})


def test_all_four_tables_are_written_as_they_came(source, capsys):
    source.brings = acquired(excluded=("x.png", "y.png"))
    import_testset.run("people")
    assert source.asked == ("raw", Settings(size=5), 7)
    assert whole(paths.test_set("people")).equals(source.brings.faces)
    for name, schema in (("pairs", PAIR_SCHEMA), ("enrolment", ENROLMENT_SCHEMA), ("excluded", EXCLUDED_SCHEMA)):
        assert read_table(paths.test_set("people", name), schema).equals(getattr(source.brings, name))
    assert read_json(paths.test_set_facts("people")) == {"source": "fake", "protocol": "survface"}
    said = capsys.readouterr().out
    assert "3 faces of 0 identities, 1 pairs, 1 enrolled templates" in said
    assert "excluded: corrupt 2" in said


def test_the_same_bytes_again():
    import_testset.run("people")
    first = {path: path.read_bytes() for path in paths.test_set("people").parent.iterdir()}
    import_testset.run("people")
    assert len(first) == 5
    assert {path: path.read_bytes() for path in first} == first


def test_a_missing_face_keeps_its_row_and_its_bytes(source, capsys):
    missing = ROWS[2] | {"attributes": [("name", "2.png"), ("missing", "unreadable")], "image": b"not an image"}
    source.brings = acquired(rows=[*ROWS[:2], missing])
    import_testset.run("people")
    assert whole(paths.test_set("people"))["image"].to_pylist()[2] == b"not an image"
    assert "missing: unreadable 1" in capsys.readouterr().out


def test_pairs_may_name_templates(source):
    source.brings = acquired(pairs=[("t0", "t1"), ("t2", "t2")])
    import_testset.run("people")
    assert read_table(paths.test_set("people", "pairs"), PAIR_SCHEMA).num_rows == 2


@pytest.mark.parametrize(
    ("brings", "complaint"),
    [
        (acquired(rows=[], pairs=[], enrolled=[]), "the test set has no face"),
        (acquired(rows=[row | {"width": 0, "height": 0} for row in ROWS]), "none of the 3 faces can be read"),
        (acquired(rows=[*ROWS, ROWS[1]]), r"1 faces stand more than once, such as 1\.png"),
        (acquired(pairs=[(LEFT, "nobody")]), "a pair names 'nobody'"),
        (acquired(pairs=[("t9", "t1"), ("t9", "t1")]), r"a pair names 't9', of which there is no image \(2 such"),
        (acquired(enrolled=["t0", "t7"]), "the enrolment names 't7'"),
        (acquired(enrolled=[LEFT]), f"the enrolment names '{LEFT}'"),
    ],
)
def test_tables_that_do_not_belong_together_are_refused(source, brings, complaint):
    source.brings = brings
    with pytest.raises(SourceError, match=complaint) as error:
        import_testset.run("people")
    assert "evaluation_sets.people: raw" in str(error.value)
    assert not paths.test_set("people").parent.exists()


def test_a_missing_root_is_one_error_that_names_the_set_the_root_and_the_layout():
    write(source="fake", root="raw/none")
    with pytest.raises(SourceError, match="there is no dataset at raw/none") as error:
        import_testset.run("people")
    assert "evaluation_sets.people" in str(error.value)
    assert "a folder of faces" in str(error.value)


def test_a_source_without_a_protocol_is_refused_with_those_that_have_one(source):
    del source.PROTOCOL
    with pytest.raises(ParameterError, match="the source 'fake' brings no test set") as error:
        import_testset.run("people")
    assert "generated_distractors" in str(error.value)


def test_unknown_names_list_the_known_ones():
    with pytest.raises(ParameterError, match=r"unknown evaluation set 'peopel'(.|\n)*did you mean 'people'"):
        import_testset.run("peopel")
    write(source="fake", root="raw", settings={"sise": 5})
    with pytest.raises(ParameterError, match=r"evaluation_sets\.people\.settings(.|\n)*did you mean 'size'"):
        import_testset.run("people")
