"""release: one run's model, packaged with its card, its results and a sign-off."""

from pathlib import Path
from typing import Any

from pydantic import Field

from lrfr import paths
from lrfr.config import FileName, Params, Section, read_params
from lrfr.errors import ParameterError, unknown_name
from lrfr.files import read_json, write_json, write_text
from lrfr.methods import FLOOR, floor
from lrfr.nn.compute import make_deterministic
from lrfr.nn.model_file import read_model, write_model
from lrfr.nn.onnx_file import export_onnx
from lrfr.pages import render

ONNX_TOLERANCE = 1e-4


class Release(Section):
    """What is released: the model of which run, under which name and version."""

    run: str
    name: FileName = Field(pattern="^[a-z0-9-]*$")  # a tag of git's too, as GTO wants it
    version: str = Field(pattern=r"^v\d+\.\d+\.\d+$")


def run() -> None:
    """Writes releases/<name>: the model with what it needs, model.onnx, model_card.md and release.json.

    Raises:
        ParameterError: params.yaml has no such run, or none of untrained weights to compare it with.
    """
    params = read_params()
    release = params.read("release", Release)
    chosen = release.run
    if chosen not in params.methods:
        raise unknown_name("run", chosen, params.methods, "params.yaml: release.run")
    untrained = floor(params)
    if untrained is None:
        what = f"a release is compared with untrained weights, and no run has the method '{FLOOR}'"
        remedy = f"add one: '{FLOOR}: {{method: {FLOOR}, backbone: {params.methods[chosen].get('backbone')}}}'"
        raise ParameterError(what, where="params.yaml: methods", remedy=remedy)
    folder = paths.RELEASES / release.name
    make_deterministic(params.seed, params.threads)
    model = read_model(paths.model(chosen))
    results, untrained_results = read_json(paths.metrics(chosen)), read_json(paths.metrics(untrained))
    write_model(folder, model)
    origin = {**release.model_dump(), "source": params.acquire.sources, "seed": params.seed}
    difference = export_onnx(model, folder / "model.onnx", origin)
    architecture = model.embedder.architecture
    facts: dict[str, Any] = {
        "release": release.model_dump(),
        "architecture": architecture.model_dump(),
        "size": architecture.size,
        "source": params.acquire.sources,
        "seed": params.seed,
        **model.facts.model_dump(),
        "results": _by_gallery(results),
        "floor": _by_gallery(untrained_results),
        "sign_off": _sign_off(_by_gallery(results), _by_gallery(untrained_results), difference),
    }
    facts["approved"] = all(gate["passed"] for gate in facts["sign_off"])
    write_json(folder / "release.json", facts)
    write_text(folder / "model_card.md", _card(facts, _shows_nobody(params, chosen)))
    _announce(release, folder, facts["approved"])


def _by_gallery(results: dict[str, Any]) -> dict[str, Any]:
    """The figures of the benchmark's faces as they are, by gallery."""
    return {gallery: results["sets"]["benchmark"][gallery] for gallery in ("distractors", "no_distractors")}


def _sign_off(results: dict[str, Any], floor: dict[str, Any], difference: float) -> list[dict[str, Any]]:
    """What must hold before anyone should use the model; each gate with what was observed."""
    checked = paths.VALIDATION_RESULT, paths.SYNLR_VALIDATION, paths.SYNTHETIC_VALIDATION
    low, high = results["distractors"]["rank1_interval"][0], floor["distractors"]["rank1_interval"][1]
    return [
        {
            "gate": "the data meets every expectation",
            "passed": all(read_json(path)["success"] for path in checked),
            "observed": ", ".join(path.as_posix() for path in checked),
        },
        {
            "gate": "rank-1 with distractors is above that of untrained weights, intervals apart",
            "passed": low > high,
            "observed": f"at least {low:.3f} against at most {high:.3f}",
        },
        {
            "gate": f"the ONNX model gives the same embeddings to {ONNX_TOLERANCE:g}",
            "passed": difference <= ONNX_TOLERANCE,
            "observed": f"at most {difference:.0e} apart, by ONNX Runtime on random images",
        },
    ]


def _shows_nobody(params: Params, run: str) -> bool:
    """Whether all whom a run was trained and tested on are generated; weights from elsewhere have seen others."""
    backbone = params.backbones[params.methods[run]["backbone"]]
    return params.acquire.shows_nobody and not backbone.get("start")


def _card(facts: dict[str, Any], shows_nobody: bool) -> str:
    return render("model_card.md.j2", **facts, shows_nobody=shows_nobody, figure=_figure)


def _figure(result: dict[str, Any], name: str) -> str:
    low, high = result[f"{name}_interval"]
    return f"{result[name]:.3f} ({low:.3f} to {high:.3f})"


def _announce(release: Release, folder: Path, approved: bool) -> None:
    if approved:
        print(f"{folder} is approved; to register it: gto register {release.name} --version {release.version}")
    else:
        print(f"{folder} is packaged but NOT approved: read {folder / 'model_card.md'}")
