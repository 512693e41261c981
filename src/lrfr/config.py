"""params.yaml as frozen, typed sections. An unknown key is an error that lists the known ones.

Settings stand beside the code that reads them: a stage, a source, a synthesiser and a method each declare a section of
their own. Here is only what all of them share, and no default that decides a result.
"""

import re
import reprlib
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from lrfr import paths
from lrfr.errors import ParameterError, unknown_name
from lrfr.yaml_file import parse_yaml, read_text


class Section(BaseModel):
    """A part of params.yaml: frozen, no unknown key, no silent conversion of types, numbers finite."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False, protected_namespaces=())


SectionType = TypeVar("SectionType", bound=Section)
Settings = dict[str, Any]


DEVICES = re.compile("con|prn|aux|nul|com[0-9]|lpt[0-9]")  # to some systems, in every folder


def _can_be_a_file(name: str) -> str:
    if DEVICES.fullmatch(name):
        raise ValueError(f"'{name}' cannot be the name of a file: on some systems it is a device's; choose another")
    if not re.fullmatch("[a-z0-9][a-z0-9_-]{0,62}", name):
        use = "use small letters, digits, _ and -, 63 at most, a letter or a digit first"
        raise ValueError(f"'{name}' cannot be the name of a file: {use}")
    return name


FileName = Annotated[str, AfterValidator(_can_be_a_file)]
"""A name of the user's that becomes a file's or a folder's: it can leave no folder, and means nothing to a shell."""

Fusion = Literal["none", "mirror_sum", "mirror_concat"]  # of an image's embedding with its mirror image's

# Every number in params.yaml has both bounds: what nobody can mean is a slip of the pen
Pixels = Annotated[int, Field(gt=0, le=10_000)]  # a side, px
Count = Annotated[int, Field(gt=0, le=10**9)]  # of faces, people, images or draws
Weight = Annotated[float, Field(ge=0, le=1e6)]  # of a term of a loss
Positive = Annotated[float, Field(gt=0, le=1e6)]


def ascending(ends: list) -> list:
    """Both ends of a range, the lower one first.

    Raises:
        ValueError: the other way round.
    """
    if ends[0] > ends[1]:
        raise ValueError("a range starts with its lower end")
    return ends


def _without_home(place: str) -> str:
    if place.startswith("~"):
        raise ValueError("write the home folder's path out: '~' is the shell's, and neither DVC nor lrfr knows it")
    return place


Place = Annotated[str, Field(min_length=1), AfterValidator(_without_home)]  # the path of a file or a folder


class Source(Section):
    """A source, where its files lie, and the settings that it alone understands."""

    source: str
    root: Place
    settings: Settings = {}

    @property
    def is_generated(self) -> bool:
        """Whether a renderer draws its people, as the names of all such sources say."""
        return self.source.startswith("generated")


class Acquire(Source):
    """Which source feeds the pipeline, and which others bring what it has not: HR faces, unrecognizable ones."""

    auxiliary: Source | None = None
    unrecognizable: Source | None = None

    def others(self) -> dict[str, Source]:
        """The sources of a collection each, by the collection."""
        named = {"auxiliary": self.auxiliary, "unrecognizable": self.unrecognizable}
        return {collection: chosen for collection, chosen in named.items() if chosen is not None}

    @property
    def sources(self) -> str:
        """The names of its sources, each once."""
        return ", ".join(dict.fromkeys(chosen.source for chosen in (self, *self.others().values())))

    @property
    def shows_nobody(self) -> bool:
        """Whether all people in its photos and faces are generated."""
        return all(chosen.is_generated for chosen in (self, *self.others().values()))


BENCHMARK = "benchmark"
RESERVED = (BENCHMARK, "synlr")  # test sets of the pipeline's own making


class Params(Section):
    """The whole of params.yaml. ``threads`` are torch's on a processor; ``methods`` are the runs that are trained and
    tested, and ``backbones`` what they start from. Synthesisers that learn stand apart, as DVC trains each of them."""

    seed: int = Field(ge=0, lt=2**32)
    threads: int = Field(gt=0, le=1024)
    acquire: Acquire
    detect: Settings
    curate: Settings
    split: Settings
    validate_: Settings = Field(alias="validate")
    synthesizers: dict[FileName, Settings]
    learned_synthesizers: dict[FileName, Settings] = {}
    drift: Settings
    landmarks: Settings
    super_resolution: dict[FileName, Settings]  # DVC makes a stage of each
    backbones: dict[FileName, Settings] = Field(min_length=1)
    methods: dict[FileName, Settings] = Field(min_length=1)
    evaluation_sets: dict[FileName, Source] = Field(min_length=1)  # DVC wants to find something in data/test_sets
    synlr: Settings
    evaluate: Settings
    card: Settings
    model_card: Settings
    release: Settings
    retrain: Settings

    def read(self, name: str, section: type[SectionType]) -> SectionType:
        """A section by its name, checked by whoever reads it.

        Raises:
            ParameterError: as :func:`settings`.
        """
        values = getattr(self, "validate_" if name == "validate" else name)
        return settings(values, section, f"{paths.PARAMS}: {name}")

    @property
    def all_synthesizers(self) -> dict[str, Settings]:
        """The synthesisers whose faces there are in data/synthetic, the learned ones last."""
        return self.synthesizers | self.learned_synthesizers

    @model_validator(mode="after")
    def _no_synthesizer_twice(self) -> Self:
        for name in self.learned_synthesizers:
            if name in self.synthesizers:
                raise ValueError(f"'{name}' stands under synthesizers and under learned_synthesizers")
        return self

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
        ParameterError: the file is missing, is no YAML mapping as DVC reads it, has an unknown key or a wrong value.
    """
    if not path.is_file():
        raise ParameterError("there is no parameter file", where=path.absolute(), remedy="run from the project's root")
    values = parse_yaml(read_text(path, "write it as UTF-8"), path)
    if not isinstance(values, dict):
        raise ParameterError(
            "the parameter file holds no mapping", where=path, remedy="take it back: git checkout params.yaml"
        )
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
    keys = [str(part) for part in first["loc"] if part != "[key]"]  # pydantic's word for a key that is wrong itself
    place = ": ".join([where, ".".join(keys)]) if keys else where
    if first["type"] == "union_tag_invalid":
        raise unknown_name(keys[-1], first["ctx"]["tag"], re.findall("'(.+?)'", first["ctx"]["expected_tags"]), place)
    if first["type"] == "union_tag_not_found":
        raise ParameterError("parameter 'name' is missing", where=place)
    if first["type"] == "extra_forbidden":
        raise unknown_name("parameter", keys[-1], _known_keys(section, keys[:-1]), place)
    if first["type"] == "missing":
        raise ParameterError(f"parameter '{keys[-1]}' is missing", where=place)
    given = f" (it is {reprlib.repr(first['input'])})" if not isinstance(first["input"], dict) else ""
    is_unquoted = first["type"] == "string_type" and first["input"] is not None  # such as a date
    remedy = "put it in quotes" if is_unquoted else "correct the value"
    said = first["msg"].removeprefix("Value error, ")  # pydantic's mark of what our own checks say
    raise ParameterError(f"{said}{given}", where=place, remedy=remedy)


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
