"""How fast a labeller works: the time between saved sheets, without the breaks."""

import time
from collections.abc import Callable

BREAK = 120.0  # s; of a longer pause no more than this counts as work
QUICKEST = 0.05  # s a face; a sheet saved sooner was looked at before this run began, as by a window that had to wait
LEAST = 60.0  # s of work before there is anything to tell from


class Pace:
    """Counts the faces that were judged and the time that it took; ``clock`` gives seconds.

    Attributes:
        faces: judged in this run, less those whose verdict was taken back.
        seconds: of work.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.faces = 0
        self.seconds = 0.0
        self._timed = 0  # faces, of which it is known how long they took
        self._clock = clock
        self._last: float | None = None

    def begin(self) -> None:
        """Work begins with the first sheet that is looked at."""
        if self._last is None:
            self._last = self._clock()

    def count(self, faces: int) -> None:
        """Faces were judged just now; fewer than none where verdicts were taken back."""
        now = self._clock()
        passed = min(now - (now if self._last is None else self._last), BREAK)
        self._last = now
        self.seconds += passed
        self.faces += faces
        if passed >= faces * QUICKEST:
            self._timed += faces

    def per_hour(self) -> float | None:
        """Faces judged in an hour of work; None before there is anything to tell from."""
        return self._timed * 3600 / self.seconds if self._timed > 0 and self.seconds >= LEAST else None
