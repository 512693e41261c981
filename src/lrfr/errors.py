"""Errors that a user can act on: what is wrong, where, and what to do about it.

The command line prints them without a traceback; every other exception is a defect of ours and keeps its traceback.
"""

from collections.abc import Iterable
from difflib import get_close_matches


class LrfrError(Exception):
    """A mistake or a circumstance that the user can mend.

    Args:
        what: one sentence that says what is wrong.
        where: the file, row or key at fault.
        remedy: what to do next.
    """

    def __init__(self, what: str, *, where: object = None, remedy: str | None = None) -> None:
        lines = [what]
        if where is not None:
            lines.append(f"  where: {where}")
        if remedy is not None:
            lines.append(f"  what to do: {remedy}")
        super().__init__("\n".join(lines))


class ParameterError(LrfrError):
    """An unknown key, a wrong type or an impossible value in params.yaml."""


class ImageError(LrfrError):
    """Bytes that are no image, or an image that cannot be used.

    Args:
        what: one sentence that says what is wrong.
        reason: the same as a word: ``empty``, ``not_image``, ``corrupt`` or ``too_big``.
        where: the file, row or key at fault.
        remedy: what to do next.
    """

    def __init__(self, what: str, *, reason: str = "corrupt", where: object = None, remedy: str | None = None) -> None:
        super().__init__(what, where=where, remedy=remedy)
        self.reason = reason


class SourceError(LrfrError):
    """A dataset or folder of photos that does not have the layout that its source expects."""


class FaceTableError(LrfrError):
    """A face table that is missing, misses a column or breaks the schema."""


class LandmarkError(LrfrError):
    """Landmarks that do not say where a face is."""


class VerdictError(LrfrError):
    """A verification manifest with a line that cannot be right."""


class BenchmarkError(LrfrError):
    """A benchmark that cannot be used: empty, or with an identity on both sides of the split."""


class ValidationFailedError(LrfrError):
    """Data that does not meet the expectations."""


class EmbeddingError(LrfrError):
    """Embeddings or scores that a protocol cannot use: not finite, of the wrong shape, without a mate."""


class TrainingError(LrfrError):
    """Training that cannot go on, such as a loss that is not finite."""


class CheckpointError(LrfrError):
    """A published checkpoint that cannot be taken over: damaged, a program, or not of the network that it should be."""


class InterruptedTrainingError(LrfrError):
    """Training that was stopped by the user after its state was saved."""


class ResultError(LrfrError):
    """An earlier stage's result that is missing or cannot be read."""


class ReleaseError(LrfrError):
    """A release that cannot be made, or that nobody should trust: not signed, changed, or not the one asked for."""


class CalibrationError(LrfrError):
    """A threshold that a release's calibration does not resolve, or a calibration that cannot be used."""


class GalleryError(LrfrError):
    """A gallery that cannot be used: damaged, of another model, or without the person who is asked for."""


class ProcessLostError(LrfrError):
    """A process that worked for this one and ended before its time."""


class OccupiedError(LrfrError):
    """Something that one process at a time may do, and that another one is doing."""


class EnvironmentProblemError(LrfrError):
    """Something that lrfr needs beside itself and that is missing, such as the detector's networks, or a server."""


def unknown_name(kind: str, name: str, known: Iterable[str], where: object = None) -> ParameterError:
    """The error for a name that is not in a closed list; it lists the list and guesses what was meant."""
    names = sorted(known)
    close = get_close_matches(name, names, n=1)
    guess = f"did you mean '{close[0]}'? " if close else ""
    return ParameterError(f"unknown {kind} '{name}'", where=where, remedy=f"{guess}known: {', '.join(names)}")
