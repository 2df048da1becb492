"""Tells how far long work has come: one line that is written over on a terminal, a row every ten seconds elsewhere."""
from __future__ import annotations

import sys
import time
from typing import Callable, Iterable, Iterator, Sequence, TextIO, TypeVar

Item = TypeVar("Item")
SECONDS_BETWEEN_ROWS = 10.0
SECONDS_BEFORE_LINE = 0.5  # what is done sooner needs no line


class Progress:
    """`with Progress(total, "frames") as progress: ... progress.advance("frame 3")`. Writes to standard error, so results stay alone."""

    def __init__(self, total: int, what: str, out: TextIO | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self.total, self.what, self.done = total, what, 0
        self.out = sys.stderr if out is None else out
        self.clock = clock
        self.began = self.said = clock()
        self.width = 0

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *_: object) -> None:
        if self.width:
            self.out.write("\r" + " " * self.width + "\r")
            self.out.flush()

    def advance(self, label: str = "") -> None:
        """One more of the total is done."""
        self.done += 1
        now = self.clock()
        left = (now - self.began) / self.done * (self.total - self.done)
        line = f"{self.what} {self.done}/{self.total}, {left:.0f} s left" + (f": {label}" if label else "")
        if self.out.isatty():
            if now - self.began < SECONDS_BEFORE_LINE:
                return
            self.out.write("\r" + line.ljust(self.width))
            self.width = max(self.width, len(line))
        elif now - self.said >= SECONDS_BETWEEN_ROWS:
            self.out.write(line + "\n")
            self.said = now
        self.out.flush()


def tracked(items: Sequence[Item] | Iterable[Item], what: str) -> Iterator[Item]:
    """The items one by one, with progress."""
    known = list(items)
    with Progress(len(known), what) as progress:
        for item in known:
            yield item
            progress.advance()
