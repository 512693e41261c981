"""acquire: sources become photos, the tags of the people in them, the truth where known, and faces cut already."""

from collections import Counter
from pathlib import Path
from textwrap import fill
from types import ModuleType

from lrfr import paths
from lrfr.config import Source, read_params, settings
from lrfr.errors import SourceError
from lrfr.faces import EXCLUDED_SCHEMA, PHOTO_SCHEMA, TAG_SCHEMA, TRUTH_SCHEMA, write_faces, write_table
from lrfr.sources import BENCHMARK, benchmark_source, source, sources
from lrfr.sources.acquired import Acquired, check_not_empty, merged, part


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
    lines.append(f"  in params.yaml under: {places.get(protocol, 'evaluation_sets')}")
    return "\n".join(fill(line, 100, subsequent_indent="    ", break_on_hyphens=False) for line in lines)


def _read(module: ModuleType, choice: Source, seed: int, place: str) -> Acquired:
    """What the module of a source brings; ``place`` is where params.yaml names it."""
    options = settings(choice.settings, module.Settings, f"{paths.PARAMS}: {place}.settings")
    root = Path(choice.root)
    if not root.exists():
        raise SourceError("there is no dataset here", where=root, remedy=f"expected: {module.LAYOUT}")
    return module.acquire(root, options, seed)


def _summary(acquired: Acquired) -> str:
    """How much came, of how many people, and what is excluded."""
    people = {*acquired.tags["identity"].to_pylist(), *acquired.faces["identity"].to_pylist()} - {None}
    came = f"{acquired.photos.num_rows} photos and {acquired.faces.num_rows} cut faces of {len(people)} named people"
    reasons = sorted(Counter(acquired.excluded["reason"].to_pylist()).items())
    listed = ", ".join(f"{reason} {count}" for reason, count in reasons)
    return f"{came}; excluded: {listed or 'nothing'}"
