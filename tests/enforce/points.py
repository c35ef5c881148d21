"""Every point at which a piece of code can fail, found by watching it run, and a fault put at one of them."""

import sys
from collections import Counter
from contextlib import contextmanager
from inspect import CO_GENERATOR
from pathlib import Path

import scopekey

HOME = str(Path(scopekey.__file__).parent)
_OFTEN = 3
"""The same call at the same place is tried this many times: more of them are turns of a loop."""

_NEVER_FAIL = {"__exit__", "release"}
"""To give a lock back cannot go wrong; if it did not happen, everything would wait for ever."""


def _name(frame, kind, called):
    """The place of a call that Scopekey makes, or that is made to it, and what is called; None for anything else."""
    if kind == "c_call":
        if called.__name__ in _NEVER_FAIL:
            return None
        caller, what = frame, called.__qualname__
    elif kind == "call":
        if frame.f_lasti > 0 and frame.f_code.co_flags & CO_GENERATOR:
            # A generator that is let go of is resumed too: nobody would hear what it raises then.
            return None
        caller, what = frame.f_back, frame.f_code.co_qualname
        if caller is None or not caller.f_code.co_filename.startswith(HOME):
            # The first call from outside is none of Scopekey's: what it calls is.
            return None
    else:
        return None
    file = caller.f_code.co_filename
    if not file.startswith(HOME):
        return None
    return f"{file[len(HOME) + 1 :]}:{caller.f_lineno} {what}"


class Watch:
    """Watches this thread while a block runs, and raises `fault` at one `point`: (name, which time)."""

    def __init__(self, point=None, fault=None):
        self.point = point
        self.fault = fault
        self.fired = False
        self.paused = False
        self.over = False
        self._seen = Counter()

    @property
    def points(self):
        return [(name, time) for name, times in self._seen.items() for time in range(1, min(times, _OFTEN) + 1)]

    def _saw(self, frame, kind, called):
        if self.paused or self.over or kind not in {"call", "c_call"}:
            return
        name = _name(frame, kind, called)
        if name is None:
            return
        self._seen[name] += 1
        if (name, self._seen[name]) == self.point:
            self.fired = self.over = True
            raise self.fault

    @contextmanager
    def watching(self):
        previous = sys.getprofile()
        sys.setprofile(self._saw)
        try:
            yield self
        finally:
            self.over = True
            sys.setprofile(previous)
