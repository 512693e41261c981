"""check: the whole of params.yaml, before anything runs for minutes.

A stage reads its own part alone, and a source, a synthesiser and a method each know settings that nobody else does; a
slip in the last one should not come to light after the first ones have run.
"""

from pathlib import Path

from lrfr import paths
from lrfr.config import SectionType, Settings, read_params, settings
from lrfr.degradation import degradation
from lrfr.errors import ParameterError, unknown_name
from lrfr.methods import FLOOR, method
from lrfr.nn.networks import NETWORKS
from lrfr.nn.pretraining import Pretraining
from lrfr.nn.start import read_start
from lrfr.nn.training.settings import Training
from lrfr.sources import benchmark_source, mountable_source, source
from lrfr.synthesis import synthesizer


def run() -> None:
    """Reads every section as its owner does.

    Raises:
        ParameterError: the first thing that is wrong.
        SourceError: nothing lies at the root of a test set.
    """
    params = read_params()
    benchmark = benchmark_source(params.acquire.source, f"{paths.PARAMS}: acquire.source")
    _check("acquire.settings", params.acquire.settings, benchmark.Settings)
    for collection, chosen in params.acquire.others().items():
        _check(f"acquire.{collection}.settings", chosen.settings, source(chosen.source).Settings)
    for name, values in params.synthesizers.items():
        _check(f"synthesizers.{name}", values, synthesizer(name).Settings)
    for name, chosen in params.evaluation_sets.items():
        place = f"evaluation_sets.{name}"
        module = mountable_source(chosen.source, Path(chosen.root), f"{paths.PARAMS}: {place}")
        _check(f"{place}.settings", chosen.settings, module.Settings)
    if params.twin.faces not in params.evaluation_sets:
        raise unknown_name("evaluation set", params.twin.faces, params.evaluation_sets, f"{paths.PARAMS}: twin.faces")
    _check_pretraining(_check("pretrain", params.pretrain, Pretraining))
    for name, values in params.methods.items():
        chosen = _check(f"methods.{name}", values, method(name).Settings)
        if method(name).TRAINS_ON:
            _check_synthesis(f"methods.{name}", chosen.training)
    if params.release.method not in params.methods:
        raise unknown_name("method", params.release.method, params.methods, f"{paths.PARAMS}: release.method")
    if FLOOR not in params.methods:
        what = f"the method '{FLOOR}' is missing; the report and the release compare every other with it"
        raise ParameterError(what, where=f"{paths.PARAMS}: methods", remedy=f"add under methods: '{FLOOR}: {{}}'")
    print(f"{paths.PARAMS}: every section and every name in it is right")


def _check(place: str, values: Settings, section: type[SectionType]) -> SectionType:
    return settings(values, section, f"{paths.PARAMS}: {place}")


def _check_pretraining(chosen: Pretraining) -> None:
    _check_synthesis("pretrain", chosen.training)
    if chosen.start:
        read_start(chosen.start)
    if chosen.architecture:
        _check_backbone(chosen.architecture.backbone)


def _check_synthesis(place: str, training: Training) -> None:
    degradation(training.low_resolution, f"{paths.PARAMS}: {place}.training.low_resolution")


def _check_backbone(name: str) -> None:
    if name in NETWORKS:
        return
    import timm  # 5 s: only for those who ask for one of its models

    if not timm.is_model(name):
        raise unknown_name("backbone", name, [*NETWORKS, *timm.list_models(f"*{name[:5]}*")[:10]], paths.PARAMS)
