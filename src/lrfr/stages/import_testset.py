"""import-testset: a test set, as it was published, becomes the tables that are embedded and evaluated."""

from collections import Counter
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from lrfr import paths
from lrfr.config import read_params, settings
from lrfr.errors import SourceError, unknown_name
from lrfr.faces import ENROLMENT_SCHEMA, EXCLUDED_SCHEMA, PAIR_SCHEMA, write_faces, write_table
from lrfr.files import write_json
from lrfr.sources import test_set_source
from lrfr.sources.acquired import Acquired, left_out


def run(name: str) -> None:
    """Writes data/test_sets/NAME: faces, pairs, enrolment, what the source excluded, and its protocol.

    A face that nobody could read or find stays, with the attribute ``missing``: it scores as a miss.

    Raises:
        ParameterError: no such evaluation set or source, one without a protocol, or settings that it does not know.
        SourceError: the source is not there or not in its layout, a face stands twice, or a published list names a
            face or a template that the layout does not have.
    """
    params = read_params()
    if name not in params.evaluation_sets:
        raise unknown_name("evaluation set", name, params.evaluation_sets, f"{paths.PARAMS}: evaluation_sets")
    chosen, where = params.evaluation_sets[name], f"{paths.PARAMS}: evaluation_sets.{name}"
    module = test_set_source(chosen.source, Path(chosen.root), where)
    options = settings(chosen.settings, module.Settings, f"{where}.settings")
    acquired = module.acquire(Path(chosen.root), options, params.seed)
    _check(acquired, f"{where}: {chosen.root}")
    write_faces(acquired.faces, paths.test_set(name))
    write_table(acquired.pairs, paths.test_set(name, "pairs"), PAIR_SCHEMA)
    write_table(acquired.enrolment, paths.test_set(name, "enrolment"), ENROLMENT_SCHEMA)
    write_table(acquired.excluded, paths.test_set(name, "excluded"), EXCLUDED_SCHEMA)
    write_json(paths.test_set_facts(name), {"source": chosen.source, "protocol": module.PROTOCOL})
    _report(name, acquired)


def _check(acquired: Acquired, where: str) -> None:
    """Raises where the tables of a test set do not belong together."""
    faces = acquired.faces
    if not faces.num_rows:
        raise SourceError("the test set has no face", where=where, remedy="check the root against the source's layout")
    if not pc.max(faces["width"]).as_py():
        remedy = "put the pictures where the source's layout has them: lrfr acquire --list"
        raise SourceError(f"none of the {faces.num_rows} faces can be read", where=where, remedy=remedy)
    templates = pc.map_lookup(faces["attributes"], "template", "first").drop_null()
    counts = pc.value_counts(faces["face_id"])
    twice = counts.filter(pc.greater(pc.struct_field(counts, "counts"), 1))
    if len(twice):
        names = pc.map_lookup(faces["attributes"], "name", "first")
        first = names.filter(pc.equal(faces["face_id"], twice[0]["values"]))[0].as_py()
        what = f"{len(twice)} faces stand more than once, such as {first or twice[0]['values'].as_py()}"
        raise SourceError(what, where=where, remedy="take the second record out of the published list")
    known = pa.chunked_array([*faces["face_id"].chunks, *templates.chunks])
    for what, named, among in (
        ("a pair names", acquired.pairs["left"], known),
        ("a pair names", acquired.pairs["right"], known),
        ("the enrolment names", acquired.enrolment["template"], templates),
    ):
        strange = named.filter(pc.invert(pc.is_in(named, among)))
        if len(strange):
            remedy = "get the lists and the images of one and the same copy"
            what = f"{what} '{strange[0].as_py()}', of which there is no image ({len(strange)} such entries)"
            raise SourceError(what, where=where, remedy=remedy)


def _report(name: str, acquired: Acquired) -> None:
    """Says what there is, and what is missing of it."""
    faces = acquired.faces
    missing = pc.map_lookup(faces["attributes"], "missing", "first").drop_null().to_pylist()
    print(
        f"{name}: {faces.num_rows} faces of {len(faces['identity'].drop_null().unique())} identities, "
        f"{acquired.pairs.num_rows} pairs, {len(acquired.enrolment['template'].unique())} enrolled templates"
    )
    if missing:
        listed = ", ".join(f"{reason} {count}" for reason, count in sorted(Counter(missing).items()))
        print(f"{name}: missing: {listed}")
    if acquired.excluded.num_rows:
        print(f"{name}: excluded: {left_out(acquired.excluded)}; {paths.test_set(name, 'excluded')} names each")
