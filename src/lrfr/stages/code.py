"""code: which code params.yaml names for each run, backbone, source, test set and synthesiser, by its hash.

DVC cannot let a stage depend on a module that params.yaml may name or not. So this stage, which takes a second, writes
down what is named, with all that it imports; the others depend on their own part of that, and a new source or
synthesiser runs none of them again. Nor can a stage depend on the results of networks of which there may be none: their
folders have a list of them.
"""

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

from lrfr import paths
from lrfr.closest import CLOSEST
from lrfr.code import PACKAGE, closure
from lrfr.config import Params, Settings, read_params
from lrfr.files import write_json


def run() -> None:
    """Writes data/code/KIND/NAME.json, the SHA-256 of each file by its place in the package; and SR networks' names.

    Raises:
        ParameterError: params.yaml cannot be read. A name that does not exist is for the stage that uses it to refuse.
    """
    params = read_params()
    for (kind, name), modules in _named(params).items():
        files = closure(*modules)
        told = {f.relative_to(PACKAGE).as_posix(): hashlib.sha256(f.read_bytes()).hexdigest() for f in files}
        write_json(paths.code(kind, name), told)
    for place in paths.SUPER_RESOLUTION_NETWORKS:
        write_json(place, sorted(params.super_resolution))


def _named(params: Params) -> dict[tuple[str, str], list[str]]:
    """The modules that params.yaml names, by kind and name of what needs them."""
    acquire = [params.acquire, *params.acquire.others().values()]
    named = {("sources", "acquire"): [f"lrfr.sources.{chosen.source}" for chosen in acquire]}
    for name, chosen in params.evaluation_sets.items():
        named["test_sets", name] = [f"lrfr.sources.{chosen.source}"]
    for name in params.all_synthesizers:
        named["synthesizers", name] = [f"lrfr.synthesis.{name}"]
    for name, values in params.backbones.items():
        named["backbones", name] = _synthesizers(values, params)
    for name, values in params.methods.items():
        named["runs", name] = [f"lrfr.methods.{values.get('method')}", *_synthesizers(values, params)]
    return named


def _synthesizers(values: Settings, params: Params) -> list[str]:
    """The synthesisers that make faces small on the fly in any training of a section; of all of them where it is to be
    the closest."""
    found = [_at(training, "low_resolution", "synthesizer") for training in _mappings(values.values())]
    names = {name for name in found if name}
    if CLOSEST in names:
        names = names - {CLOSEST} | set(params.all_synthesizers)
    return sorted(f"lrfr.synthesis.{name}" for name in names)


def _mappings(values: Iterable[Any]) -> list[Mapping[str, Any]]:
    return [value for value in values if isinstance(value, Mapping)]


def _at(section: Mapping[str, Any], *keys: str) -> Any:
    value: Any = section
    for key in keys:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value
