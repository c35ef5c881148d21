"""Another wall clock for every process that finds this on its path: the true one, and what the file SKEW says.

The file holds seconds, which are added; `still` and a moment of the monotonic clock let the clock stand from then
on. With SKEW_ALL the clock of the boot is told the same, which no administrator can do: a control.
"""

import os
import time

_true, _true_ns, _true_gettime = time.time, time.time_ns, time.clock_gettime_ns


def _skew():
    try:
        with open(os.environ["SKEW"]) as file:  # noqa: PTH123 - asked at every look at the clock
            kind, number = file.read().split()
    except (KeyError, OSError, ValueError):
        return 0
    return -int(1e9 * (time.monotonic() - float(number))) if kind == "still" else int(1e9 * float(number))


time.time_ns = lambda: _true_ns() + _skew()
time.time = lambda: _true() + _skew() / 1e9
if "SKEW_ALL" in os.environ:
    time.clock_gettime_ns = lambda clock: _true_gettime(clock) + _skew()
