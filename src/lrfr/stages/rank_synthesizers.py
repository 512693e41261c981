"""rank-synthesizers: which synthesiser's faces lie closest to native ones, or stop here if none lies near enough."""

from lrfr import paths
from lrfr.closest import asks_for_closest, winner
from lrfr.config import read_params
from lrfr.errors import ValidationFailedError
from lrfr.files import read_json, write_json
from lrfr.quality.limits import Drift
from lrfr.quality.scoreboard import scoreboard, verdict


def run() -> None:
    """Writes metrics/synthesizers.json, and data/closest/RUN.json for each run: the winner where the run takes it.

    Raises:
        ResultError: drift has not looked at a synthesiser.
        ValidationFailedError: the closest one lies farther than ``drift.stop_above``; all is written before.
    """
    params = read_params()
    chosen = params.read("drift", Drift)
    found = {name: read_json(paths.drift_result(name), "lrfr drift") for name in params.all_synthesizers}
    embeddings = {name: result["summary"]["embeddings"] for name, result in found.items()}
    board = scoreboard(embeddings)
    auc = embeddings[board["closest"]]["auc"]
    gate = verdict(auc, chosen.warn_above, chosen.stop_above)
    write_json(paths.SCOREBOARD, board | {"gate": gate, "backbone": chosen.backbone, "embeddings": embeddings})
    taken = winner(board["closest"], params)
    for name, values in params.methods.items():
        write_json(paths.closest(name), taken if asks_for_closest(values) else {})
    told = f"the closest synthesizer, {board['closest']}, is told from native faces with an AUC of {auc:.3f}"
    if gate == "stop":
        remedy = "add a synthesizer that is closer, or raise drift.stop_above in params.yaml; null stops never"
        what = f"{told}, above drift.stop_above ({chosen.stop_above:g})"
        raise ValidationFailedError(what, where=paths.SCOREBOARD, remedy=remedy)
    print(told if gate == "pass" else f"WARNING: {told}, above drift.warn_above ({chosen.warn_above:g})")
