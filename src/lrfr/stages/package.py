"""package: one run's model with its card, its results, a sign-off, and what others can verify it by."""

from typing import Any

from lrfr import paths
from lrfr.card.settings import Card
from lrfr.config import Params, read_params
from lrfr.detector import Detect
from lrfr.errors import ParameterError, unknown_name
from lrfr.faces import read_faces
from lrfr.files import read_json, write_json, write_text
from lrfr.methods import FLOOR, floor
from lrfr.nn.compute import make_deterministic
from lrfr.nn.landmarks.onnx_file import export_landmarks
from lrfr.nn.model_file import read_model, write_model
from lrfr.nn.onnx_file import export_onnx
from lrfr.release.calibration import Detector, calibrate_run, write_calibration
from lrfr.release.card import model_card
from lrfr.release.contract import contract
from lrfr.release.groups import read_groups
from lrfr.release.layout import CARD, FACTS, LANDMARKS_ONNX, METRICS, MODEL_ONNX, REFERENCE
from lrfr.release.reference import write_reference
from lrfr.release.sample import DRAWS, write_sample
from lrfr.release.settings import ModelCard, Release
from lrfr.release.sign_off import sign_off


def run() -> None:
    """Writes releases/<name>: all of a release but what changes from run to run, which ``lrfr release make`` adds.

    Raises:
        ParameterError: params.yaml has no such run, or none of untrained weights to compare it with.
    """
    params = read_params()
    release, told = params.read("release", Release), params.read("model_card", ModelCard)
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
    metrics, untrained_results = read_json(paths.metrics(chosen)), read_json(paths.metrics(untrained))
    faces = read_faces(paths.BENCHMARK, ["face_id", "width", "height", "attributes"])
    architecture = model.embedder.architecture
    facts: dict[str, Any] = {
        "release": release.model_dump(),
        "architecture": architecture.model_dump(),
        "size": architecture.size,
        "source": params.acquire.sources,
        "seed": params.seed,
        **model.facts.model_dump(),
        "contract": contract(architecture, model.facts),
        "results": _by_gallery(metrics),
        "results_by": read_groups(paths.evaluated(chosen), faces, DRAWS, params.seed),
        "floor": _by_gallery(untrained_results),
    }
    write_model(folder, model)
    origin = {**release.model_dump(), "source": params.acquire.sources, "seed": params.seed}
    difference = export_onnx(model, folder / MODEL_ONNX, origin)
    points = None if model.landmarks is None else export_landmarks(model.landmarks, folder / LANDMARKS_ONNX)
    if points is None:
        (folder / LANDMARKS_ONNX).unlink(missing_ok=True)
    facts["sign_off"] = sign_off(facts["results"], facts["floor"], difference, points)
    facts["approved"] = all(gate["passed"] for gate in facts["sign_off"])
    write_json(folder / METRICS, metrics)
    found = params.read("detect", Detect)
    detector = Detector(min_face=found.min_face_native, thresholds=found.thresholds)
    strangers = calibrate_run(paths.embeddings(chosen, "benchmark"), paths.BENCHMARK, params.seed, detector)
    write_calibration(folder, strangers)
    write_reference(folder / REFERENCE, paths.BENCHMARK, paths.embeddings(chosen, "benchmark"), params.seed)
    write_sample(folder, model, paths.BENCHMARK, params.seed, params.threads)
    write_json(folder / FACTS, facts)
    dataset = params.read("card", Card).name
    write_text(folder / CARD, model_card(facts, told, dataset, _shows_nobody(params, chosen)))
    how = "approved" if facts["approved"] else f"NOT approved: read {folder / CARD}"
    print(f"{folder}: {release.name} {release.version} is packaged and {how}")


def _by_gallery(results: dict[str, Any]) -> dict[str, Any]:
    """The figures of the benchmark's faces as they are, by gallery."""
    return {gallery: results["sets"]["benchmark"][gallery] for gallery in ("distractors", "no_distractors")}


def _shows_nobody(params: Params, run: str) -> bool:
    """Whether all whom a run was trained and tested on are generated; weights from elsewhere have seen others."""
    backbone = params.backbones[params.methods[run]["backbone"]]
    return params.acquire.shows_nobody and not backbone.get("start")
