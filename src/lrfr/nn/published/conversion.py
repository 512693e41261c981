"""Published tensors as an embedder of ours: each one used once, and fed as its publisher feeds it."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch.nn.modules.batchnorm import _BatchNorm

from lrfr.errors import CheckpointError, ParameterError
from lrfr.nn.embedder import Architecture, Embedder, Preprocessing
from lrfr.nn.model_file import Metric
from lrfr.nn.networks import NETWORKS
from lrfr.nn.published import dlib_resnet, iresnet, irse, se_resnet
from lrfr.nn.published.publication import EPSILON, Layout, Publication
from lrfr.nn.published.reading import Tensors

PUBLICATIONS: dict[str, Publication] = {
    **iresnet.PUBLICATIONS,
    **irse.PUBLICATIONS,
    **se_resnet.PUBLICATIONS,
    **dlib_resnet.PUBLICATIONS,
}
SHARED_PREFIXES = ("", "module.")  # torch.save's and DataParallel's, which tell nothing
MOST_OF_A_HEAD = 4  # tensors: class centres, their bias, and what a head counts
NOBODYS = (
    f"give a backbone of {', '.join(PUBLICATIONS)}; or, for one of timm's, its --architecture NAME; a model of lrfr's "
    "own is named in params.yaml as it is, start: {model: FOLDER, sha256: ...}; see docs/checkpoints.md"
)
COUNTERS = ".num_batches_tracked"  # of BN, which torch has only since 0.4.1


@dataclass(frozen=True)
class Asked:
    """What the user says of a file; None where it should be found out.

    Attributes:
        format: a key of :data:`PUBLICATIONS`, or ``timm``.
        architecture: one of our networks, or timm's.
        colour: RGB or BGR.
        mean: of each channel in that order, on values 0..1.
        std: likewise.
        embedding_dim: D, of timm's networks.
        input_size: side of the square, px, of timm's networks.
    """

    format: str | None = None
    architecture: str | None = None
    colour: str | None = None
    mean: list[float] | None = None
    std: list[float] | None = None
    embedding_dim: int | None = None
    input_size: int | None = None


@dataclass(frozen=True)
class Converted:
    """A published network as ours.

    Attributes:
        embedder: in evaluation mode.
        format: who published it.
        source: where the publisher says how it is fed.
        left_out: the tensors that are neither the backbone's nor the kept classifier's.
        presentation: how its faces are presented.
        metric: by which its embeddings are compared.
        classifier: weight (C, D) and bias (C,) of a published plain softmax, where it is kept.
    """

    embedder: Embedder
    format: str
    source: str
    left_out: list[str]
    presentation: str
    metric: Metric = "cosine"
    classifier: tuple[torch.Tensor, torch.Tensor | None] | None = None


def convert(tensors: Tensors, asked: Asked) -> Converted:
    """One of :data:`PUBLICATIONS` as an embedder.

    Raises:
        CheckpointError: nobody's layout, an unknown depth, tensors that are missing, too many, or of a wrong shape.
        ParameterError: what is asked contradicts what the publisher fixes, or leaves open what it does not fix.
    """
    format, layout, prefix = _recognise(tensors, asked.format)
    publication = PUBLICATIONS[format]
    network = _without(prefix, tensors)
    backbone = layout.backbone(network)
    if backbone is None:
        raise CheckpointError(f"the layout is {format}'s, but of a depth that lrfr does not know")
    if asked.architecture not in (None, backbone):
        raise CheckpointError(
            f"the file holds '{backbone}', not '{asked.architecture}'", remedy="leave --architecture out"
        )
    if asked.embedding_dim or asked.input_size:
        raise ParameterError(
            f"{format}'s networks fix the size of images and embeddings",
            remedy="leave --embedding-dim and --input-size out: they are for timm's",
        )
    published = NETWORKS[backbone].published
    architecture = Architecture(
        backbone=backbone,
        embedding_dim=published.embedding_dim,
        input_size=published.size[0],
        dropout=published.dropout,
        preprocessing=preprocessing(publication, asked),
    )
    embedder, left_out = loaded(architecture, network, lambda ours: layout.name(ours, backbone), publication.beside)
    for module in embedder.modules():
        if isinstance(module, _BatchNorm) and module.running_var is not None:
            module.running_var += publication.epsilon - EPSILON
    classifier = _classifier(network, publication.classifier, architecture)
    left_out = [name for name in left_out if classifier is None or name.rpartition(".")[0] != publication.classifier]
    told = (publication.source, left_out, publication.presentation, publication.metric)
    return Converted(embedder, format, *told, classifier)


def _classifier(
    tensors: Tensors, name: str | None, architecture: Architecture
) -> tuple[torch.Tensor, torch.Tensor | None] | None:
    """The weight (C, D) and the bias (C,) of the classifier of that name, where the file has one.

    Raises:
        CheckpointError: they are not of that shape, or not finite.
    """
    weight, bias = tensors.get(f"{name}.weight"), tensors.get(f"{name}.bias")
    if weight is None:
        return None
    weight = weight.flatten(1).float()  # some are convolutions of 1 x 1
    fits = weight.shape[1] == architecture.embedding_dim and (bias is None or bias.shape == weight.shape[:1])
    _refuse("tensors have another shape", [] if fits else [f"{name}.weight"], architecture)
    given = [weight] if bias is None else [weight, bias]
    _refuse("tensors are not finite", [] if all(map(_finite, given)) else [f"{name}.weight"], architecture)
    return weight, None if bias is None else bias.float()


def _recognise(tensors: Tensors, format: str | None) -> tuple[str, Layout, str]:
    """The publisher, its layout and the prefix, by the names of the tensors, or as the user says.

    Raises:
        CheckpointError: the names are nobody's, another publisher's than the user says, or those of several.
    """
    fitting = list(_fitting(tensors))
    formats = list(dict.fromkeys(fit.format for fit in fitting))
    is_certain = len(formats) == 1
    chosen = [fit for fit in fitting if (is_certain if format is None else fit.format == format)]
    if chosen:
        return chosen[0].format, chosen[0].layout, chosen[0].prefix
    names = f"{', '.join(list(tensors)[:5])}{', ...' if len(tensors) > 5 else ''}"
    whose = f"say whose it is by --format {' or --format '.join(formats)}"
    if not formats:
        not_theirs = "nobody's layout that lrfr knows" if format is None else f"these are not {format}'s names"
        raise CheckpointError(f"{not_theirs}: {names}\n  it is: {_described(tensors)}", remedy=NOBODYS)
    if format is not None:
        what = f"these are not {format}'s names: {names}; they are those of {' or '.join(formats)}"
        raise CheckpointError(what, remedy=whose)
    fed = "; ".join(f"{name}: {_fed(PUBLICATIONS[name])}" for name in formats)
    what = f"several publishers have these names: {names}; each feeds its networks in its own way: {fed}"
    raise CheckpointError(what, remedy=whose)


@dataclass(frozen=True)
class _Fit:
    """A publisher whose names a file has."""

    format: str
    layout: Layout
    prefix: str


def _fitting(tensors: Tensors) -> Iterator[_Fit]:
    for name, publication in PUBLICATIONS.items():
        for prefix in (*publication.prefixes, *SHARED_PREFIXES):
            if any(tensor.startswith(prefix) for tensor in tensors):
                network = _without(prefix, tensors)
                yield from (_Fit(name, layout, prefix) for layout in publication.layouts if layout.knows(network))


def _fed(publication: Publication) -> str:
    colour = publication.colour or "RGB or BGR"
    return f"{colour}, (v - {_text(publication.mean or [])}) / {_text(publication.std or [])} of values v in 0..1"


def _described(tensors: Tensors) -> str:
    """What tensors are that belong to no network that lrfr knows."""
    matrices = [tuple(value.shape) for value in tensors.values() if value.ndim == 2]
    if matrices and len(tensors) <= MOST_OF_A_HEAD and all(value.ndim <= 2 for value in tensors.values()):
        sizes = " and ".join(f"{rows} x {columns}" for rows, columns in matrices)
        return f"a head, or another single layer ({sizes}), not a backbone"
    if all(name == "head" or name.startswith("embedder.") for name in tensors):
        return "a model of lrfr's own, which needs no import"
    return f"a network that lrfr does not know, of {len(tensors)} tensors"


def _without(prefix: str, tensors: Tensors) -> Tensors:
    """Tensors by the names that they have without ``prefix``; those that do not begin with it, or whose name without
    it is another's, keep theirs."""
    return {
        name if name.removeprefix(prefix) in tensors else name.removeprefix(prefix): value
        for name, value in tensors.items()
    }


def preprocessing(publication: Publication, asked: Asked) -> Preprocessing:
    """What the network is fed with: what the publisher fixes, else what the user says; never a guess.

    Raises:
        ParameterError: the user contradicts the publisher, or neither says one of the three.
    """
    chosen: dict[str, str | list[float]] = {}
    for name in ("colour", "mean", "std"):
        fixed, said = getattr(publication, name), getattr(asked, name)
        value = said if fixed is None else fixed
        if value is None:
            raise ParameterError(
                f"--{name} is needed: the publisher does not fix it",
                where=publication.source,
                remedy="--colour RGB or --colour BGR; --mean and --std as three numbers, such as 0.5,0.5,0.5",
            )
        if said is not None and not _same(value, said):
            raise ParameterError(
                f"--{name} {_text(said)} contradicts the publisher's {_text(value)}",
                where=publication.source,
                remedy=f"leave --{name} out",
            )
        chosen[name] = value
    return Preprocessing.model_validate(chosen)


def three_numbers(option: str, text: str | None) -> list[float] | None:
    """``0.5,0.5,0.5``, as the user gives ``--mean`` and ``--std``, as three numbers.

    Raises:
        ParameterError: it is something else.
    """
    if text is None:
        return None
    try:
        numbers = [float(number) for number in text.split(",")]
    except ValueError:
        numbers = []
    if len(numbers) != 3 or not all(0 <= number <= 1 for number in numbers) or (option == "std" and 0 in numbers):
        raise ParameterError(
            f"--{option} {text}: three numbers 0..1 are expected, such as 0.5,0.5,0.5",
            remedy="if they are of values 0..255, divide them by 255",
        )
    return numbers


def _same(fixed: str | list[float], said: str | list[float]) -> bool:
    if isinstance(fixed, str) or isinstance(said, str):
        return fixed == said
    return all(abs(one - other) < 1e-3 for one, other in zip(fixed, said, strict=True))


def _text(value: str | list[float]) -> str:
    return value if isinstance(value, str) else ",".join(f"{number:.4f}" for number in value)


def loaded(
    architecture: Architecture, tensors: Tensors, published_name: Callable[[str], str], beside: re.Pattern[str]
) -> tuple[Embedder, list[str]]:
    """The embedder of an architecture with tensors that a publisher names, and the names that were left out.

    Raises:
        CheckpointError: a tensor is missing, is nobody's, has another shape, or is not finite.
    """
    embedder = Embedder(architecture).eval()
    ours = embedder.backbone.state_dict()
    theirs = {published_name(name): name for name in ours}
    missing = [name for name in theirs if name not in tensors and not name.endswith(COUNTERS)]
    left_out = [name for name in tensors if name not in theirs]
    strange = [name for name in left_out if not beside.fullmatch(name) and not name.endswith(COUNTERS)]
    _refuse("tensors are missing", missing, architecture)
    _refuse("tensors have no place", strange, architecture)
    state = {name: tensors[published] for published, name in theirs.items() if published in tensors}
    shapes = [_shapes(name, state[name], ours[name]) for name in state if state[name].shape != ours[name].shape]
    _refuse("tensors have another shape", shapes, architecture)
    whole = [name for name in state if ours[name].is_floating_point() and not state[name].is_floating_point()]
    _refuse("tensors are of whole numbers", whole, architecture)
    _refuse("tensors are not finite", [name for name, value in state.items() if not _finite(value)], architecture)
    below = [name for name, value in state.items() if name.endswith("running_var") and bool((value < 0).any())]
    _refuse("variances are negative", below, architecture)
    embedder.backbone.load_state_dict({**ours, **state})
    return embedder, sorted(name for name in left_out if not name.endswith(COUNTERS))


def _refuse(what: str, names: list[str], architecture: Architecture) -> None:
    if names:
        more = f" and {len(names) - 3} more" if len(names) > 3 else ""
        raise CheckpointError(f"not the weights of '{architecture.backbone}': {what}: {', '.join(names[:3])}{more}")


def _shapes(name: str, given: torch.Tensor, wanted: torch.Tensor) -> str:
    return f"{name} is {tuple(given.shape)}, not {tuple(wanted.shape)}"


def _finite(value: torch.Tensor) -> bool:
    return bool(torch.isfinite(value).all())
