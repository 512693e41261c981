"""Files of arrays as a stranger would hand them over, and the command line that scores them."""

import json
from pathlib import Path

import numpy as np
from typer.testing import CliRunner

from lrfr.cli import app

WIDTH = 16


def score(*arguments):
    return CliRunner().invoke(app, ["score", *(str(argument) for argument in arguments)])


def scored(*arguments):
    """The JSON of a run that succeeds."""
    result = score(*arguments, "--json", "-")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def without_intervals(told):
    """Figures alone: which draw takes whom depends on the order of the names."""
    if not isinstance(told, dict):
        return told
    return {name: without_intervals(of) for name, of in told.items() if not name.endswith("_interval")}


def refused(*arguments):
    """The message of a run that fails as a user's mistake should."""
    result = score(*arguments)
    assert result.exit_code == 1, result.output
    assert result.stdout == ""
    assert result.stderr.startswith("error: ")
    assert "Traceback" not in result.stderr
    return result.stderr


def store(path: Path, **arrays) -> Path:
    np.savez(path, **arrays)
    return path


def faces(who, seed=0, noise=1.0):
    """(N, 16) float32: embeddings of these people, each image of them a bit off."""
    rng = np.random.default_rng(seed)
    people = np.random.default_rng(99).normal(size=(200, WIDTH))
    return (people[np.asarray(who)] + noise * rng.normal(size=(len(who), WIDTH))).astype(np.float32)


def closed_files(folder: Path, **replaced) -> dict[str, Path]:
    """Probe and gallery of 20 people, and 30 distractors; ``replaced`` are arrays named as in the dict below."""
    identity = np.repeat(np.arange(20), 2)
    arrays = {
        "probe_embedding": faces(identity, 1),
        "probe_identity": identity,
        "gallery_embedding": faces(np.r_[identity, np.arange(100, 130)], 2),
        "gallery_identity": np.r_[identity, np.full(30, -1)],
        **replaced,
    }
    return _stored(folder, arrays, ("probe", "gallery"))


def open_files(folder: Path, **replaced) -> dict[str, Path]:
    """Gallery and mated probes of 20 people, and 50 unmated probes."""
    identity = np.repeat(np.arange(20), 2)
    arrays = {
        "gallery_embedding": faces(identity, 3),
        "gallery_identity": identity,
        "mated_embedding": faces(identity, 4),
        "mated_identity": identity,
        "unmated_embedding": faces(np.arange(100, 150), 5),
        **replaced,
    }
    return _stored(folder, arrays, ("gallery", "mated", "unmated"))


def _stored(folder: Path, arrays: dict, sides) -> dict[str, Path]:
    paths = {}
    for side in sides:
        own = {name.removeprefix(f"{side}_"): of for name, of in arrays.items() if name.startswith(side)}
        paths[f"--{side}"] = store(folder / f"{side}.npz", **{name: of for name, of in own.items() if of is not None})
    return paths


def scored_pairs(folder: Path, **replaced) -> Path:
    """500 pairs with qualities; the genuine ones of low quality score low."""
    rng = np.random.default_rng(6)
    same = np.arange(500) % 5 == 0
    quality = rng.random((2, 500))
    value = rng.normal(size=500) + 3 * same - 3 * (same & (quality.min(axis=0) < 0.3))
    arrays = {"score": value, "same": same, "quality_left": quality[0], "quality_right": quality[1], **replaced}
    return store(folder / "scores.npz", **{name: of for name, of in arrays.items() if of is not None})


def flat(options: dict) -> list:
    return [part for pair in options.items() for part in pair]
