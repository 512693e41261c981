"""release: one method's model, packaged with its card, its results and a sign-off."""

from pathlib import Path
from typing import Any

from lrfr import paths
from lrfr.config import Params, read_params
from lrfr.errors import unknown_name
from lrfr.files import read_json, write_json, write_text
from lrfr.methods import FLOOR
from lrfr.nn.compute import make_deterministic
from lrfr.nn.model_file import provenance, read_model, write_model
from lrfr.nn.onnx_file import export_onnx
from lrfr.pages import render

ONNX_TOLERANCE = 1e-4


def run() -> None:
    """Writes releases/<name>: model.safetensors, model.onnx, model_card.md and release.json."""
    params = read_params()
    if params.release.method not in params.methods:
        raise unknown_name("method", params.release.method, params.methods, "params.yaml: release.method")
    folder = paths.RELEASES / params.release.name
    make_deterministic(params.seed, params.threads)
    embedder, _ = read_model(paths.model(params.release.method))
    results = read_json(paths.metrics(params.release.method))
    floor = read_json(paths.metrics(FLOOR))
    write_model(folder, embedder)
    origin = _origin(params)
    difference = export_onnx(embedder, folder / "model.onnx", origin)
    facts = {
        "release": params.release.model_dump(),
        "architecture": embedder.architecture.model_dump(),
        "size": embedder.architecture.size,
        "source": params.acquire.source,
        "seed": params.seed,
        "started_from": origin["started_from"],
        "metric": results["metric"],
        "results": _by_gallery(results),
        "floor": _by_gallery(floor),
        "sign_off": _sign_off(results["tinyface"], floor["tinyface"], difference),
    }
    facts["approved"] = all(gate["passed"] for gate in facts["sign_off"])
    write_json(folder / "release.json", facts)
    write_text(folder / "model_card.md", _card(facts))
    _announce(params, folder, facts["approved"])


def _by_gallery(results: dict[str, Any]) -> dict[str, Any]:
    """The figures of the faces as they are, by gallery."""
    return {name: figures for name, figures in results["tinyface"].items() if name != "conditions"}


def _origin(params: Params) -> dict[str, Any]:
    """Where the weights come from. Those that training started from have a licence of their own."""
    start = params.pretrain.get("start")
    return {
        **params.release.model_dump(),
        "source": params.acquire.source,
        "seed": params.seed,
        "started_from": provenance(Path(start["model"])) if start else None,
    }


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


def _card(facts: dict[str, Any]) -> str:
    return render("model_card.md.j2", **facts, figure=_figure)


def _figure(result: dict[str, Any], name: str) -> str:
    low, high = result[f"{name}_interval"]
    return f"{result[name]:.3f} ({low:.3f} to {high:.3f})"


def _announce(params: Params, folder: Path, approved: bool) -> None:
    release = params.release
    if approved:
        print(f"{folder} is approved; to register it: gto register {release.name} --version {release.version}")
    else:
        print(f"{folder} is packaged but NOT approved: read {folder / 'model_card.md'}")
