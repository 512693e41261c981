"""``synthesizer: closest``: a run trains by the synthesiser whose faces lie closest to native ones, on its table or on
faces made on the way.

DVC cannot let a training depend on drift only where it asks for the winner. So the stage rank-synthesizers writes down
for each run what it has of the ranking: the winner where the run asks for it, and nothing elsewhere. The training
depends on its own part, so another winner trains only those runs again that take it.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from lrfr import paths
from lrfr.config import Params, Settings
from lrfr.errors import ParameterError, ResultError
from lrfr.files import read_json

CLOSEST = "closest"
REMEDY = "run the stage that ranks the synthesizers: lrfr rank-synthesizers"


def asks_for_closest(values: Any) -> bool:
    """Whether a section of the parameters, or any within it, has ``synthesizer: closest``."""
    if not isinstance(values, Mapping):
        return False
    return values.get("synthesizer") == CLOSEST or any(asks_for_closest(part) for part in values.values())


def resolved(values: Settings, name: str, chosen: Settings, where: str) -> Settings:
    """A section with the winner in the place of ``closest``.

    Args:
        values: a section of the parameters; it is left as it is.
        name: the winner.
        chosen: its settings; they go where a face is made small on the fly, in ``low_resolution``. One that learns
            has none there.
        where: names the section in errors.

    Raises:
        ParameterError: ``closest`` was given settings of its own.
    """
    if values.get("synthesizer") == CLOSEST and values.get("settings"):
        what = "the closest synthesizer has the settings under which it was found the closest, and takes no others"
        raise ParameterError(what, where=f"{where}.settings", remedy="leave `settings` out")
    parts = {
        key: resolved(part, name, chosen, f"{where}.{key}") if isinstance(part, dict) else part
        for key, part in values.items()
    }
    for key, part in values.items():
        if key == "low_resolution" and isinstance(part, dict) and part.get("synthesizer") == CLOSEST:
            parts[key]["settings"] = chosen
    return parts | ({"synthesizer": name} if values.get("synthesizer") == CLOSEST else {})


def winner(name: str, params: Params) -> Settings:
    """What a run has to know of the winner of that name: it, and the settings with which it makes faces on the fly."""
    return {"synthesizer": name, "settings": params.synthesizers.get(name, {})}


def with_closest(params: Params, run: str) -> Params:
    """The parameters with the winner in one run, where it asks for it.

    Raises:
        ResultError: the ranking is missing.
        ParameterError: as :func:`resolved`.
    """
    if not asks_for_closest(params.methods.get(run)):
        return params
    found = read_json(paths.closest(run), REMEDY)
    if set(found) != {"synthesizer", "settings"}:
        raise ResultError("it does not say which synthesizer is the closest", where=paths.closest(run), remedy=REMEDY)
    return _with(params, run, found)


def with_each(params: Params, run: str) -> Iterator[tuple[str, Params]]:
    """Every synthesiser that may win, and the parameters with it in one run that asks for the closest.

    Raises:
        ParameterError: as :func:`resolved`.
    """
    for name in params.all_synthesizers:
        yield name, _with(params, run, winner(name, params))


def _with(params: Params, run: str, found: Settings) -> Params:
    values = params.methods[run]
    changed = resolved(values, found["synthesizer"], found["settings"], f"{paths.PARAMS}: methods.{run}")
    return params.model_copy(update={"methods": params.methods | {run: changed}})
