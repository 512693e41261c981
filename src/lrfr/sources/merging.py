"""Several sources as one: the first brings the benchmark, the others a collection each that it lacks."""

from dataclasses import fields

import pyarrow as pa
import pyarrow.compute as pc

from lrfr.errors import SourceError
from lrfr.sources.acquired import Acquired


def part(acquired: Acquired, source: str, collection: str) -> Acquired:
    """One collection of what a source brings.

    The source's name goes before the names of its photos and people: ``0001`` may be somebody else in another source.

    Raises:
        SourceError: the source brings nothing for this collection.
    """
    photos = acquired.photos.filter(pc.field("collection") == collection)
    in_them = pc.field("photo_id").isin(photos["photo_id"].unique())
    faces = of_collection(acquired.faces, collection)
    if not photos.num_rows + faces.num_rows:
        where = f"params.yaml: acquire.{collection}"
        remedy = f"name a source that does (lrfr acquire --list), or set its collection to {collection}"
        raise SourceError(f"the source {source} brings nothing {collection}", where=where, remedy=remedy)
    return Acquired(
        photos=_prefixed(photos, source, "photo_id"),
        tags=_prefixed(acquired.tags.filter(in_them), source, "photo_id", "identity"),
        truth=_prefixed(acquired.truth.filter(in_them), source, "photo_id", "identity"),
        faces=_prefixed(faces, source, "photo_id", "identity"),
        set_aside=_prefixed(acquired.set_aside, source, "where"),
    )


def merged(parts: list[Acquired]) -> Acquired:
    """All tables of several sources, one below the other.

    Raises:
        SourceError: a face comes twice.
    """
    tables = {field.name: pa.concat_tables([getattr(part, field.name) for part in parts]) for field in fields(Acquired)}
    face_ids = tables["faces"]["face_id"]
    twice = len(face_ids) - len(face_ids.unique())
    if twice:
        remedy = "give each collection a root of its own: nobody may train on what is tested"
        raise SourceError(f"{twice} faces come twice", where="params.yaml: acquire", remedy=remedy)
    return Acquired(**tables)


def of_collection(faces: pa.Table, collection: str) -> pa.Table:
    """The rows of a face table whose attribute ``collection`` is this one."""
    options = pc.MapLookupOptions(pa.scalar("collection"), "first")
    collections = pc.call_function("map_lookup", [faces["attributes"]], options)
    return faces.filter(pc.call_function("equal", [collections, pa.scalar(collection)]))


def _prefixed(table: pa.Table, prefix: str, *columns: str) -> pa.Table:
    """A table with ``prefix/`` before every name in some columns; null stays null."""
    for column in columns:
        names = pc.call_function("binary_join_element_wise", [pa.scalar(prefix), table[column], pa.scalar("/")])
        table = table.set_column(table.schema.get_field_index(column), table.schema.field(column), names)
    return table
