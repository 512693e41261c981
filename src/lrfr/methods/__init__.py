"""One file per method of a paper; its variants are settings. A *run* in params.yaml is a trained and tested method.

Each module has ``Settings`` (what the method understands), and:

- ``steps(settings)``: what it is trained in, one step after the other. A step is named as the field of ``Settings``
  that holds its :class:`lrfr.nn.training.settings.Training`, and says from which collections it learns: native,
  auxiliary and synthetic faces, one or several; an epoch is one pass over the first. What is never trained has none.
- ``build(settings, backbone, num_classes)``: makes a :class:`lrfr.nn.training.task.Task` from the model that the run
  starts from, and the number of identities in each collection.
- ``unrecognizable(settings)``, where it compares with faces that nobody recognises: how many of them. The task then has
  them as its ``unrecognizable``.
- ``METRIC``, where the paper compares embeddings otherwise than the backbone's.
"""

from dataclasses import dataclass
from types import ModuleType
from typing import Any

from lrfr.closest import CLOSEST
from lrfr.config import BENCHMARK, RESERVED, Params, Section, settings
from lrfr.core.alignment import check_presentation
from lrfr.errors import ParameterError, unknown_name
from lrfr.nn.trained import All, Trained
from lrfr.registry import component

FLOOR = "random"  # the method that every other has to beat
OF_EVERY_RUN = ("method", "backbone", "presentation", "trained", "native", "synthesizer")


@dataclass(frozen=True)
class Run:
    """A run as params.yaml has it.

    Attributes:
        name: the user's, of the run.
        method: the module of its method.
        backbone: the name of the backbone that it starts from.
        presentation: how faces are presented to it; None: as to the backbone.
        trained: which of the backbone's weights are trained.
        native: the test set whose training faces are its native ones.
        synthesizer: whose faces in data/synthetic are its synthetic ones; None: those that its training makes small.
            Who reads the faces has put the winner in the place of ``closest`` (:mod:`lrfr.closest`).
        settings: of the method.
    """

    name: str
    method: ModuleType
    backbone: str
    presentation: str | None
    trained: Trained
    native: str
    synthesizer: str | None
    settings: Any

    @property
    def steps(self) -> dict[str, tuple[str, ...]]:
        """The collections that each step of its training learns from."""
        return self.method.steps(self.settings)

    @property
    def unrecognizable(self) -> int:
        """How many unrecognizable faces it compares with."""
        wanted = getattr(self.method, "unrecognizable", None)
        return 0 if wanted is None else wanted(self.settings)

    @property
    def collections(self) -> tuple[str, ...]:
        """The collections that it learns from in any step, in the order in which they first appear."""
        return tuple(dict.fromkeys(collection for step in self.steps.values() for collection in step))


class _OfEveryRun(Section):
    method: str
    backbone: str
    presentation: str | None = None
    trained: Trained = All(name="all")
    native: str = BENCHMARK
    synthesizer: str | None = None


def read_run(name: str, params: Params) -> Run:
    """The run of that name.

    Raises:
        ParameterError: there is no such run, method, backbone, presentation or test set, or a setting that does not
            go with the method.
    """
    if name not in params.methods:
        raise unknown_name("run", name, params.methods, "params.yaml: methods")
    where = f"params.yaml: methods.{name}"
    values = dict(params.methods[name])
    known = settings({key: values.pop(key) for key in OF_EVERY_RUN if key in values}, _OfEveryRun, where)
    module = component("method", __name__, known.method)
    if known.backbone not in params.backbones:
        raise unknown_name("backbone", known.backbone, params.backbones, f"{where}.backbone")
    if known.presentation is not None:
        try:
            check_presentation(known.presentation)
        except ValueError as error:
            raise ParameterError(str(error), where=f"{where}.presentation") from error
    chosen = settings(values, module.Settings, where)
    run = Run(name, module, known.backbone, known.presentation, known.trained, known.native, known.synthesizer, chosen)
    if not run.steps and not isinstance(known.trained, All):
        what = f"the method '{known.method}' trains nothing, so there is no part of the backbone to choose"
        raise ParameterError(what, where=f"{where}.trained", remedy="leave `trained` out")
    if known.native not in (*RESERVED, *params.evaluation_sets):
        raise unknown_name("test set", known.native, [*RESERVED, *params.evaluation_sets], f"{where}.native")
    if known.native != BENCHMARK and "native" not in run.collections:
        what = f"the method '{known.method}' does not learn from native faces, of whatever test set"
        raise ParameterError(what, where=f"{where}.native", remedy="leave `native` out")
    _check_synthetic(run, params, where)
    return run


def _check_synthetic(run: Run, params: Params, where: str) -> None:
    """Checks that somebody makes the run's synthetic faces, once.

    Raises:
        ParameterError: nobody does, or two do, or it learns from none; or there is no such synthesiser.
    """
    if run.synthesizer is not None:
        known = [*params.all_synthesizers, CLOSEST]
        if run.synthesizer not in known:
            raise unknown_name("synthesizer", run.synthesizer, known, f"{where}.synthesizer")
        if "synthetic" not in run.collections:
            what = "the run does not learn from synthetic faces, of whatever synthesizer"
            raise ParameterError(what, where=f"{where}.synthesizer", remedy="leave `synthesizer` out")
    for step, collections in run.steps.items():
        if "synthetic" in collections:
            made_small = getattr(run.settings, step).low_resolution is not None
            if made_small == (run.synthesizer is not None):
                what = "twice: by the run's synthesizer and by low_resolution" if made_small else "by nobody"
                remedy = f"set either `synthesizer` of the run, or {step}.low_resolution"
                raise ParameterError(f"its synthetic faces are made {what}", where=f"{where}.{step}", remedy=remedy)


def floor(params: Params) -> str | None:
    """The first run of the untrained floor, if there is one."""
    return next((name for name, values in params.methods.items() if values.get("method") == FLOOR), None)
