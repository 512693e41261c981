"""params.yaml as frozen, typed sections. An unknown key is an error that lists the known ones.

Settings stand beside the code that reads them: a stage, a source, a synthesiser and a method each declare a section of
their own. Here is only what all of them share, and no default that decides a result.
"""

import re
from pathlib import Path
from typing import Any, Literal, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from lrfr import paths
from lrfr.errors import ParameterError, unknown_name


class Section(BaseModel):
    """A part of params.yaml: frozen, no unknown key, no silent conversion of types, numbers finite."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False, protected_namespaces=())


SectionType = TypeVar("SectionType", bound=Section)
Settings = dict[str, Any]

Fusion = Literal["none", "mirror_sum", "mirror_concat"]  # of an image's embedding with its mirror image's


class Source(Section):
    """A source, where its files lie, and the settings that it alone understands."""

    source: str
    root: str
    settings: Settings = {}


class Acquire(Source):
    """Which source feeds the pipeline, and which others bring what it has not: HR faces, unrecognizable ones."""

    auxiliary: Source | None = None
    unrecognizable: Source | None = None

    def others(self) -> dict[str, Source]:
        """The sources of a collection each, by the collection."""
        named = {"auxiliary": self.auxiliary, "unrecognizable": self.unrecognizable}
        return {collection: chosen for collection, chosen in named.items() if chosen is not None}


BENCHMARK = "benchmark"
RESERVED = (BENCHMARK, "synlr")  # test sets of the pipeline's own making
FILE_NAME = "[a-z0-9][a-z0-9_-]*"
BECOME_FILES = ("backbones", "methods", "evaluation_sets", "super_resolution", "synthesizers")


class Params(Section):
    """The whole of params.yaml. ``threads`` are torch's on a processor; ``methods`` are the runs that are trained and
    tested, and ``backbones`` what they start from."""

    seed: int = Field(ge=0, lt=2**32)
    threads: int = Field(gt=0)
    acquire: Acquire
    detect: Settings
    curate: Settings
    split: Settings
    validate_: Settings = Field(alias="validate")
    synthesizers: dict[str, Settings]
    drift: Settings
    landmarks: Settings
    super_resolution: dict[str, Settings] = Field(min_length=1)  # DVC makes a stage of each
    backbones: dict[str, Settings] = Field(min_length=1)
    methods: dict[str, Settings] = Field(min_length=1)
    evaluation_sets: dict[str, Source] = Field(min_length=1)  # DVC wants to find something in data/test_sets
    synlr: Settings
    evaluate: Settings
    card: Settings
    release: Settings

    def read(self, name: str, section: type[SectionType]) -> SectionType:
        """A section by its name, checked by whoever reads it.

        Raises:
            ParameterError: as :func:`settings`.
        """
        values = getattr(self, "validate_" if name == "validate" else name)
        return settings(values, section, f"{paths.PARAMS}: {name}")

    @field_validator(*BECOME_FILES)
    @classmethod
    def _names_can_be_files(cls, named: dict[str, Any]) -> dict[str, Any]:
        for name in named:
            if not re.fullmatch(FILE_NAME, name):
                raise ValueError(f"'{name}' cannot be the name of a file: use small letters, digits, _ and -")
        return named

    @field_validator("evaluation_sets")
    @classmethod
    def _names_are_free(cls, sets: dict[str, Source]) -> dict[str, Source]:
        for name in sets:
            if name in RESERVED:
                raise ValueError(f"'{name}' is the name of a test set that the pipeline makes; choose another")
        return sets


def read_params(path: Path = paths.PARAMS) -> Params:
    """Reads and checks params.yaml.

    Raises:
        ParameterError: the file is missing, is no YAML mapping, has an unknown key or a value of the wrong type.
    """
    if not path.is_file():
        raise ParameterError("there is no parameter file", where=path.resolve(), remedy="run from the project's root")
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise ParameterError(f"not YAML: {error}", where=path) from error
    if not isinstance(values, dict):
        raise ParameterError("the parameter file holds no mapping", where=path)
    return settings(values, Params, str(path))


def settings(values: Settings | None, section: type[SectionType], where: str) -> SectionType:
    """Checks a mapping against a section; ``where`` names it in errors, such as ``methods.tc``.

    Raises:
        ParameterError: an unknown key (known ones are listed), a missing key, or a value of the wrong type.
    """
    try:
        return section.model_validate(values or {})
    except ValidationError as error:
        first = error.errors()[0]
    keys = [str(part) for part in first["loc"]]
    place = ": ".join([where, ".".join(keys)]) if keys else where
    if first["type"] == "union_tag_invalid":
        raise unknown_name(keys[-1], first["ctx"]["tag"], re.findall("'(.+?)'", first["ctx"]["expected_tags"]), place)
    if first["type"] == "union_tag_not_found":
        raise ParameterError("parameter 'name' is missing", where=place)
    if first["type"] == "extra_forbidden":
        raise unknown_name("parameter", keys[-1], _known_keys(section, keys[:-1]), place)
    if first["type"] == "missing":
        raise ParameterError(f"parameter '{keys[-1]}' is missing", where=place)
    given = f" (it is {first['input']!r})" if not isinstance(first["input"], dict) else ""
    raise ParameterError(f"{first['msg']}{given}", where=place, remedy="correct the value")


def _known_keys(section: type[Section], parents: list[str]) -> list[str]:
    """The keys of the section that ``parents`` lead to from ``section``."""
    choices = [section]  # several where a ``name`` chooses one, as a head's does; that name is then the next parent
    for parent in parents:
        chosen = [kind for kind in choices if len(choices) > 1 and _literal_name(kind) == parent]
        fields = {field.alias or name: field for name, field in choices[0].model_fields.items()}
        if chosen:
            choices = chosen
        elif parent in fields:  # else it is a free key, as a labeller's name is
            choices = _sections_in(fields[parent].annotation) or choices
    return [field.alias or name for name, field in choices[0].model_fields.items()]


def _sections_in(annotation: Any) -> list[type[Section]]:
    """The sections that a field's annotation speaks of."""
    if isinstance(annotation, type) and issubclass(annotation, Section):
        return [annotation]
    return [section for part in getattr(annotation, "__args__", ()) for section in _sections_in(part)]


def _literal_name(section: type[Section]) -> str | None:
    """The one name that a section of several kinds goes by."""
    return next(iter(getattr(section.model_fields["name"].annotation, "__args__", ())), None)
