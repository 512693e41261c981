"""acquire: sources become photos, the tags of the people in them, the truth where known, and faces cut already."""

from collections.abc import Iterable
from pathlib import Path
from textwrap import fill
from types import ModuleType, NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import pyarrow.compute as pc
from pydantic.fields import FieldInfo

from lrfr import paths
from lrfr.config import Section, Source, read_params, settings
from lrfr.errors import SourceError
from lrfr.faces import EXCLUDED_SCHEMA, PHOTO_SCHEMA, TAG_SCHEMA, TRUTH_SCHEMA, write_faces, write_table
from lrfr.sources import BENCHMARK, benchmark_source, source, sources
from lrfr.sources.acquired import Acquired, check_not_empty, left_out, merged, of_collection, part

COLLECTIONS = ("native", "auxiliary", "unrecognizable")
WORDS = {"ge": "at least", "gt": "above", "le": "at most", "lt": "below"}  # of pydantic's limits


def run(list_sources: bool = False) -> None:
    """Reads the sources that params.yaml names; writes photos, tags, truth, cut faces and what is excluded.

    Args:
        list_sources: print which sources there are instead.

    Raises:
        ParameterError: an unknown source, one that no benchmark can be made from, or a setting that it does not know.
        SourceError: a source is not there or not in its layout, brings nothing, or not the collection it is named for.
    """
    if list_sources:
        print("\n\n".join(_described(name, module) for name, module in sources().items()))
        return
    params = read_params()
    first = benchmark_source(params.acquire.source, f"{paths.PARAMS}: acquire.source")
    parts = [_read(first, params.acquire, params.seed, "acquire")]
    for collection, choice in params.acquire.others().items():
        acquired = _read(source(choice.source), choice, params.seed, f"acquire.{collection}")
        parts.append(part(acquired, choice.source, collection))
    acquired = merged(parts)
    write_table(acquired.photos, paths.PHOTOS, PHOTO_SCHEMA)
    write_table(acquired.tags, paths.TAGS, TAG_SCHEMA)
    write_table(acquired.truth, paths.TRUTH, TRUTH_SCHEMA)
    write_faces(acquired.faces, paths.CUT_FACES)
    write_table(acquired.excluded, paths.UNUSED, EXCLUDED_SCHEMA)
    print(_summary(acquired))
    check_not_empty(parts[0], params.acquire.source)  # now that what is excluded can be looked up


def _described(name: str, module: ModuleType) -> str:
    """What a source is, the layout that it expects, the protocol that it is evaluated by, and where it is named."""
    about = " ".join((module.__doc__ or "").partition("\n\n")[0].split())
    protocol = getattr(module, "PROTOCOL", None)
    places = {None: "acquire", BENCHMARK: "acquire or evaluation_sets"}
    lines = [f"{name}: {about}", f"  layout: {module.LAYOUT}", f"  protocol: {protocol or 'none'}"]
    lines += [*_settings(module.Settings), f"  in params.yaml under: {places.get(protocol, 'evaluation_sets')}"]
    return "\n".join(fill(line, 100, subsequent_indent="    ", break_on_hyphens=False) for line in lines)


def _settings(section: type[Section]) -> list[str]:
    """The settings of a source, each with what it takes and its default; and what they mean."""
    if not section.model_fields:
        return ["  settings: none"]
    described = [kind.__doc__ or "" for kind in section.__mro__ if issubclass(kind, Section) and kind is not Section]
    fields = [f"    {name}: {_taken(field)}" for name, field in section.model_fields.items()]
    return ["  settings:", *fields, f"    {' '.join(' '.join(described).replace('``', '').split())}"]


def _taken(field: FieldInfo) -> str:
    """What a setting takes, and its default."""
    default = "required" if field.is_required() else f"default {_in_yaml(field.default)}"
    return ", ".join([_kind(field.annotation), *_limits(field.metadata), default])


def _kind(annotation: Any) -> str:
    """A type in words, with its limits: ``int, above 0 or null``."""
    parts = get_args(annotation)
    match get_origin(annotation):
        case None:
            return "null" if annotation is NoneType else annotation.__name__
        case origin if origin is Annotated:
            marks = [mark for part in parts[1:] for mark in (part.metadata if isinstance(part, FieldInfo) else [part])]
            return ", ".join([_kind(parts[0]), *_limits(marks)])
        case origin if origin is Literal:
            return " or ".join(map(str, parts))
        case origin if origin in (Union, UnionType):
            return " or ".join(map(_kind, parts))
        case _:
            return f"list of {_kind(parts[0])}"


def _limits(marks: Iterable[Any]) -> list[str]:
    return [f"{WORDS[name]} {getattr(mark, name)}" for mark in marks for name in WORDS
            if getattr(mark, name, None) is not None]  # fmt: skip


def _in_yaml(value: object) -> str:
    return "null" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def _read(module: ModuleType, choice: Source, seed: int, place: str) -> Acquired:
    """What the module of a source brings; ``place`` is where params.yaml names it."""
    options = settings(choice.settings, module.Settings, f"{paths.PARAMS}: {place}.settings")
    root = Path(choice.root)
    if not root.exists():
        raise SourceError("there is no dataset here", where=root, remedy=f"expected: {module.LAYOUT}")
    return module.acquire(root, options, seed)


def _summary(acquired: Acquired) -> str:
    """How much came for each collection, of how many people, and what is excluded."""
    came = [line for collection in COLLECTIONS if (line := _brought(acquired, collection))]
    if not acquired.excluded.num_rows:
        return "\n".join([*came, "excluded: nothing"])
    return "\n".join([*came, f"excluded: {left_out(acquired.excluded)}; {paths.UNUSED} names each"])


def _brought(acquired: Acquired, collection: str) -> str | None:
    """How much came for a collection; None where nothing did."""
    photos = acquired.photos.filter(pc.field("collection") == collection)
    tags = acquired.tags.filter(pc.field("photo_id").isin(photos["photo_id"].unique()))
    faces = of_collection(acquired.faces, collection)
    if not photos.num_rows + faces.num_rows:
        return None
    people = {*tags["identity"].to_pylist(), *faces["identity"].to_pylist()} - {None}
    return f"{collection}: {len(photos):,} photos and {len(faces):,} cut faces of {len(people):,} named people"
