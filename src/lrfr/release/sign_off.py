"""What must hold before anyone should use a model; each gate with what was observed."""

from typing import Any

from lrfr import paths
from lrfr.files import read_json

ONNX_TOLERANCE = 1e-4  # of embeddings
POINT_TOLERANCE = 1e-2  # px of 64: a hundredth of a pixel of a tiny face moves nothing


def sign_off(
    results: dict[str, Any], floor: dict[str, Any], difference: float, point_difference: float | None
) -> list[dict[str, Any]]:
    """The gates.

    Args:
        results: of the run, by gallery.
        floor: of untrained weights, by gallery.
        difference: between ONNX Runtime's and torch's embeddings, at most.
        point_difference: between their landmarks, px; None for a model that takes faces as they are cropped.
    """
    checked = paths.VALIDATION_RESULT, paths.SYNLR_VALIDATION, paths.SYNTHETIC_VALIDATION
    low, high = results["distractors"]["rank1_interval"][0], floor["distractors"]["rank1_interval"][1]
    gates = [
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
    if point_difference is not None:
        gates.append(
            {
                "gate": f"the ONNX landmark network gives the same points to {POINT_TOLERANCE:g} px",
                "passed": point_difference <= POINT_TOLERANCE,
                "observed": f"at most {point_difference:.0e} px apart, by ONNX Runtime on random images",
            }
        )
    return gates
