"""Every setting that params.yaml may hold has a sensible range: an absurd number is told before anything runs."""

from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import TypeAdapter

from lrfr.config import Params, Section
from lrfr.nn.landmarks.settings import Landmarks
from lrfr.nn.pretraining import Pretraining
from lrfr.nn.super_resolution.settings_alone import SuperResolutionAlone
from lrfr.protocols.options import Evaluate
from lrfr.registry import components
from lrfr.release.settings import Release
from lrfr.stages.check import SECTIONS
from lrfr.test_sets import SynLR

OF_MODULES = {
    f"{package}.{name}": module.Settings
    for package in ("methods", "sources", "synthesis")
    for name, module in components(f"lrfr.{package}").items()
}
OTHERS = [Params, Landmarks, Pretraining, SuperResolutionAlone, Evaluate, Release, SynLR]
ALL: dict[str, type[Section]] = SECTIONS | OF_MODULES | {section.__name__: section for section in OTHERS}


def numbers(schema: dict[str, Any], place: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every number in a JSON schema, with where it stands."""
    if schema.get("type") in ("integer", "number"):
        yield place, schema
    for key, part in schema.items():
        if isinstance(part, dict) and key != "default":
            yield from numbers(part, f"{place}.{key}")
        elif isinstance(part, list) and key not in ("required", "enum"):
            for item in part:
                if isinstance(item, dict):
                    yield from numbers(item, f"{place}.{key}")


@pytest.mark.parametrize("name", ALL)
def test_every_number_has_both_bounds(name):
    schema = TypeAdapter(ALL[name]).json_schema()
    open_ended = [
        place
        for place, number in numbers(schema, name)
        if ".betas." not in place  # a validator of its own says the range
        and not ({"minimum", "exclusiveMinimum"} & number.keys() and {"maximum", "exclusiveMaximum"} & number.keys())
    ]
    assert not open_ended
