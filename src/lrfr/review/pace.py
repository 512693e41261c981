"""How fast a labeller works: the time between saved sheets, without the breaks."""

import time
from collections.abc import Callable

BREAK = 120.0  # s; of a longer pause no more than this counts as work


class Pace:
    """Counts the faces that were judged and the time that it took; ``clock`` gives seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.faces = 0
        self.seconds = 0.0
        self._clock = clock
        self._last: float | None = None

    def begin(self) -> None:
        """Work begins with the first sheet that is looked at."""
        if self._last is None:
            self._last = self._clock()

    def count(self, faces: int) -> None:
        """Faces were judged just now."""
        now = self._clock()
        self.seconds += min(now - (now if self._last is None else self._last), BREAK)
        self._last = now
        self.faces += faces

    def per_hour(self) -> float | None:
        """Faces judged in an hour of work; None before there is anything to tell from."""
        return self.faces * 3600 / self.seconds if self.faces and self.seconds > 0 else None
