"""Why there is nothing to judge, in words, and what would change that."""

from lrfr import paths
from lrfr.config import read_params
from lrfr.curation import Curate
from lrfr.faces import read_faces
from lrfr.review.sheets import left_out


def nothing_to_judge(adjudicate: bool, copies: bool) -> str:
    """What ``lrfr review`` says where no face, or pair, awaits a verdict."""
    if adjudicate and copies:
        return (
            f"Nothing to adjudicate: in {paths.PAIR_VERDICTS} nobody is unsure of a pair and no two labellers disagree."
        )
    if adjudicate:
        where = f"in {paths.VERDICTS} and {paths.NAMES}"
        return f"Nothing to adjudicate: {where} nobody is unsure of a face and no two labellers disagree."
    if copies:
        what = f"{paths.FINDINGS} has no pair of faces that show nearly the same picture."
        return f"Nothing to verify: {what} Raise curate.near_copies in {paths.PARAMS} to see more of them."
    return nothing_to_verify()


def nothing_to_verify() -> str:
    """Why no detected face awaits a verdict."""
    detected = len(read_faces(paths.DETECTED_NATIVE, ["face_id"]))
    if not detected:
        what = f"{paths.DETECTED_NATIVE} has no face: none was detected"
        return f"Nothing to verify: {what}. Lower detect.thresholds or detect.min_face_native in {paths.PARAMS}."
    side = read_params().read("curate", Curate).max_side
    reasons = left_out(side)
    told = [
        (reasons.pop("too_large", 0), f"are larger than curate.max_side ({side} px); raise it in {paths.PARAMS}"),
        (reasons.pop("too_small", 0), "are too small to show anything"),
        (reasons.pop("published", 0), "have a place in a published partition, whose publisher verified them"),
        (sum(reasons.values()), f"were excluded by curate: {_listed(reasons)}; {paths.EXCLUDED} has them"),
    ]
    listed = "\n".join(f"  {count:,} {why}" for count, why in told if count)
    what = f"a verdict could bring none of the {detected:,} detected faces into the benchmark."
    return f"Nothing to verify: {what}\n{listed}"


def _listed(reasons: dict[str, int]) -> str:
    return ", ".join(f"{reason} {count:,}" for reason, count in sorted(reasons.items()))
