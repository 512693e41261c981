"""What every source hands over; and several sources as one, of which each brings a collection that others lack."""

from collections import Counter
from dataclasses import dataclass, field, fields
from pathlib import PurePosixPath

import pyarrow as pa
import pyarrow.compute as pc

from lrfr.errors import SourceError
from lrfr.faces import (
    ENROLMENT_SCHEMA,
    EXCLUDED_SCHEMA,
    FACE_SCHEMA,
    PAIR_SCHEMA,
    PHOTO_SCHEMA,
    TAG_SCHEMA,
    TRUTH_SCHEMA,
)

NAMED = ("hidden", "not_image")  # reasons of which is said what was left out: a user may not know that it lies there
MOST_NAMED = 5


@dataclass(frozen=True)
class Acquired:
    """The tables of one source, in the schemas of :mod:`lrfr.faces`; what a source does not have stays empty.

    Attributes:
        photos: pictures in which faces are still to be detected.
        tags: who is where in the photos, as far as somebody said.
        truth: who is where for certain; only a renderer knows.
        faces: crops that the source brings already cut; a published partition stands in ``split``.
        pairs: a published list of verification pairs, of faces or of templates.
        enrolment: the galleries and probes of a published identification protocol over templates.
        excluded: what could not be used, with the reason.
    """

    photos: pa.Table = field(default_factory=PHOTO_SCHEMA.empty_table)
    tags: pa.Table = field(default_factory=TAG_SCHEMA.empty_table)
    truth: pa.Table = field(default_factory=TRUTH_SCHEMA.empty_table)
    faces: pa.Table = field(default_factory=FACE_SCHEMA.empty_table)
    pairs: pa.Table = field(default_factory=PAIR_SCHEMA.empty_table)
    enrolment: pa.Table = field(default_factory=ENROLMENT_SCHEMA.empty_table)
    excluded: pa.Table = field(default_factory=EXCLUDED_SCHEMA.empty_table)


def left_out(excluded: pa.Table) -> str:
    """What a source could not use, in words: each reason with its count, endings and hidden names among them."""
    by_reason: dict[str, list[str]] = {}
    for row in excluded.to_pylist():
        by_reason.setdefault(row["reason"], []).append(PurePosixPath(row["where"]).name)
    told = []
    for reason, names in sorted(by_reason.items()):
        shown = names if reason == "hidden" else [PurePosixPath(name).suffix.lower() or name for name in names]
        counts = Counter(shown).most_common() if reason in NAMED else []
        listed = [f"{name} {count}" if count > 1 else name for name, count in counts[:MOST_NAMED]]
        listed += ["..."] if len(counts) > MOST_NAMED else []
        told.append(f"{reason} {len(names)}" + (f" ({', '.join(listed)})" if listed else ""))
    return ", ".join(told)


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
        check_not_empty(acquired, source)
        where = f"params.yaml: acquire.{collection}"
        remedy = f"name a source that does (lrfr acquire --list), or set its collection to {collection}"
        raise SourceError(f"the source {source} brings nothing {collection}", where=where, remedy=remedy)
    return Acquired(
        photos=prefixed(photos, source, "photo_id"),
        tags=prefixed(acquired.tags.filter(in_them), source, "photo_id", "identity"),
        truth=prefixed(acquired.truth.filter(in_them), source, "photo_id", "identity"),
        faces=prefixed(faces, source, "photo_id", "identity"),
        excluded=prefixed(acquired.excluded, source, "where"),
    )


def check_not_empty(acquired: Acquired, source: str) -> None:
    """Raises where a source brings neither a photo nor a face; the error says what became of the first one there."""
    if acquired.photos.num_rows + acquired.faces.num_rows:
        return
    excluded = acquired.excluded.to_pylist()
    reasons = sorted(Counter(row["reason"] for row in excluded).items())
    told = ": all is excluded: " + ", ".join(f"{reason} {count}" for reason, count in reasons) if reasons else ""
    # what lies there and is asked for tells more than what nobody asked for
    first = min(excluded, key=lambda row: row["reason"] in ("not_image", "unlisted"), default=None)
    where = "nothing lies there" if first is None else f"{first['where']} ({first['reason']})"
    remedy = "correct the root, or the list; lrfr acquire --list has the layouts"
    raise SourceError(f"the source {source} brings no face and no photo{told}", where=where, remedy=remedy)


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


def prefixed(table: pa.Table, prefix: str, *columns: str) -> pa.Table:
    """A table with ``prefix/`` before every name in some columns; null stays null."""
    for column in columns:
        names = pc.call_function("binary_join_element_wise", [pa.scalar(prefix), table[column], pa.scalar("/")])
        table = table.set_column(table.schema.get_field_index(column), table.schema.field(column), names)
    return table
