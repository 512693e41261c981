"""``lrfr release verify``: whether a release is whole and signed, and computes what it computed when packaged."""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from lrfr import paths
from lrfr.config import read_params
from lrfr.errors import CheckpointError, LrfrError, ReleaseError
from lrfr.release.layout import LANDMARKS_ONNX, MODEL_ONNX, VERSION, tag
from lrfr.release.making import known_versions, signed
from lrfr.release.manifest import Manifest
from lrfr.release.sample import TOLERANCE, Trial, embed_sample, relative_difference, try_sample
from lrfr.release.settings import Release
from lrfr.release.sign_off import POINT_TOLERANCE
from lrfr.release.verification import PUBLIC_KEY, verify_files

READ_AGAIN = "get the release again"


def verify(what: str, key: Path | None, say: Callable[[str], object] = print) -> Manifest:
    """Verifies signature and hashes, reads the model, embeds the kept sample again and scores it.

    Args:
        what: the folder of a release, or the version of one of this project.
        key: the public key, or the certificates, PEM; see :func:`lrfr.release.verification.verify_files`.
        say: is told what was found.

    Returns:
        Which release it is.

    Raises:
        ReleaseError: there is no key, no such release, or it is not to be trusted.
    """
    if key is None:
        raise ReleaseError(
            "a release is verified by a key, and there is none", remedy=f"--key release.pub; {PUBLIC_KEY}"
        )
    folder, expected = place_of(what)
    manifest = verify_files(folder, key, expected)
    say(f"{manifest.tag}: signed by {key}; all {len(manifest.files)} files are those that were signed")
    trial = _tried(folder)
    how = "bit for bit" if trial.same_machine else f"to {trial.difference:.1e} of their length, on another machine"
    say(f"the {trial.faces} faces of the sample give the same embeddings {how}")
    say(f"they score rank-1 {trial.figures['rank1']:.3f}, mAP {trial.figures['map']:.3f}, as when they were packaged")
    return manifest


def place_of(what: str) -> tuple[Path, str | None]:
    """The folder that is meant, and which release it must be.

    Raises:
        ReleaseError: no such version is known, or it is not here.
    """
    if not re.fullmatch(VERSION, what):
        return Path(what), None
    name = read_params().read("release", Release).name
    folder = signed(name) / what
    if folder.is_dir():
        return folder, tag(name, what)
    if folder.with_name(f"{what}.dvc").is_file():
        raise ReleaseError(f"{tag(name, what)} is not here", where=folder, remedy=f"dvc pull {folder.as_posix()}.dvc")
    known = known_versions(name)
    remedy = f"known: {', '.join(known)}" if known else "make one: lrfr release make; or give the folder of a release"
    if what in known:
        remedy = f"get it: dvc artifacts get . {name} --rev {what} -o FOLDER; then give the folder"
    raise ReleaseError(f"no release {tag(name, what)} is here", where=paths.SIGNED / name, remedy=remedy)


def _tried(folder: Path) -> Trial:
    """The sample through both files of the model."""
    from lrfr.nn.landmarks.onnx_file import difference
    from lrfr.nn.model_file import read_model
    from lrfr.nn.onnx_recogniser import read_onnx
    from lrfr.nn.published.conversion import Asked

    model = read_model(folder)
    trial = try_sample(folder, model)
    trial.check(folder)
    try:
        graph = read_onnx(folder / MODEL_ONNX, Asked()).model
    except CheckpointError as error:
        raise ReleaseError("the ONNX file cannot be read", where=folder / MODEL_ONNX, remedy=READ_AGAIN) from error
    if model.landmarks is not None and not difference(model.landmarks, folder / LANDMARKS_ONNX) <= POINT_TOLERANCE:
        raise _differs(LANDMARKS_ONNX, folder)
    apart = relative_difference(
        embed_sample(folder, model), embed_sample(folder, replace(graph, landmarks=model.landmarks))
    )
    if not apart <= TOLERANCE:
        raise _differs(MODEL_ONNX, folder)
    return trial


def _differs(file: str, folder: Path) -> LrfrError:
    return ReleaseError(f"{file} does not compute what the weights do", where=folder / file, remedy=READ_AGAIN)
