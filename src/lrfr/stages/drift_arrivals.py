"""lrfr drift --reference A --current B: whether the faces of one table are unlike those of another."""

from pathlib import Path
from typing import Any

from lrfr.files import write_json
from lrfr.offline import stay_offline
from lrfr.quality.arrivals import compare_faces

SEED = 0


def run(reference: Path, current: Path, model: Path | None, sample: int, json: Path | None) -> bool:
    """Says what differs, and writes all figures to ``json``; see :func:`lrfr.quality.arrivals.compare_faces`.

    Returns:
        Whether the faces have drifted.
    """
    stay_offline()
    found = compare_faces(reference, current, model=model, sample=sample, seed=SEED)
    if json is not None:
        write_json(json, found)
    for line in lines(found, model):
        print(line)
    return found["drifted"]


def lines(found: dict[str, Any], model: Path | None) -> list[str]:
    """The result in words, the verdict last."""
    mark = {True: "drifted", False: ""}
    told = [f"{'':22}{'reference':>12}{'current':>12}{'distance':>10}{'p':>10}"]
    for name, of in found["columns"].items():
        means = f"{of['reference_mean']:12.4g}{of['current_mean']:12.4g}"
        told.append(f"{name:22}{means}{of['distance']:10.3f}{of['p_value']:10.2g}  {mark[of['drifted']]}".rstrip())
    if of := found["embeddings"]:
        low, high = of["auc_interval"]
        told.append(f"{'embeddings':44}{of['mmd']:10.4f}{of['p_value']:10.2g}  {mark[of['drifted']]}".rstrip())
        told.append(f"  a classifier tells them apart with an AUC of {of['auc']:.3f} ({low:.3f} to {high:.3f})")
    if of := found["below_quality"]:
        shares = f"{of['reference']:12.1%}{of['current']:12.1%}"
        told.append(f"{'below the quality':22}{shares}{'':10}{of['p_value']:10.2g}  {mark[of['drifted']]}".rstrip())
    elif model is not None:
        told.append(f"{model} predicts no quality, so no share below a threshold is compared")
    faces = f"{found['faces']['reference']:,} and {found['faces']['current']:,} faces"
    verdict = "DRIFTED" if found["drifted"] else "no drift"
    told.append(f"{verdict}: {faces}, {found['tests']} parts, together at the {found['level']:.0%} level")
    return told
