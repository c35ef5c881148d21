"""How `serve`, `gateway` and their processes log: one line for each event on standard error, for people or as JSON.

Whatever stands in a message, it stays one line. Of an exception its type and where it broke are told, and never its
message: what a caller sent could stand there.
"""

import json
import logging
import sys
import threading
import traceback
from collections.abc import Callable
from datetime import UTC, datetime
from types import TracebackType
from typing import Literal

from scopekey.cli.output import warn

Form = Literal["text", "json"]
_FRAMES = 50
_log = logging.getLogger(__name__)


def configure_logs(form: Form) -> None:
    """Log in this form from now on, whoever logs: Scopekey, the server under it, warnings, and what nobody caught."""
    handler = logging.StreamHandler()
    handler.setFormatter(Lines(as_json if form == "json" else as_text))
    # Of others what somebody should know; of Scopekey also that it began.
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger("scopekey").setLevel(logging.INFO)
    logging.captureWarnings(capture=True)
    sys.excepthook = _uncaught
    threading.excepthook = _uncaught_in_thread


def announce(text: str, form: Form, level: int = logging.INFO) -> None:
    """Say something to whoever started a server: as words on a terminal, or as one more line of JSON."""
    if form == "json":
        _log.log(level, "%s", text)
    else:
        warn(text)


class Lines(logging.Formatter):
    """Writes each record as one line. `write` gives its form."""

    def __init__(self, write: Callable[[dict[str, str | int]], str]) -> None:
        super().__init__()
        self._write = write

    def format(self, record: logging.LogRecord) -> str:
        """The line of a record, without its end."""
        return self._write(fields_of(record))


def fields_of(record: logging.LogRecord) -> dict[str, str | int]:
    """What is told of a record, by its name and in the order of the line."""
    told: dict[str, str | int] = {
        "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "level": record.levelname.lower(),
        "logger": record.name,
        "process": record.processName or "",
        "pid": record.process or 0,
        "event": "",
    }
    # Given with `extra`: the name of the request, and frames that the message ends in for those who log otherwise.
    request_id, frames = (getattr(record, name, None) for name in ("request_id", "traceback"))
    error = record.exc_info[1] if record.exc_info else None
    event = _message(record)
    if isinstance(frames, str):
        event = event.removesuffix(frames)
    if isinstance(request_id, str):
        told["request_id"] = request_id
    if error is not None:
        told["exception"] = _kind(error)
        frames = where(error)
    if isinstance(frames, str):
        told["traceback"] = frames.strip()
    told["event"] = event.strip()
    return told


def as_json(told: dict[str, str | int]) -> str:
    """One object. All but ASCII is escaped, so that nobody takes a character for the end of a line."""
    # Half of a surrogate pair is no text: most readers of JSON refuse the whole line.
    whole = {name: _text(value) if isinstance(value, str) else value for name, value in told.items()}
    return json.dumps(whole, ensure_ascii=True, separators=(",", ":")).replace("\x7f", "\\u007f")


def as_text(told: dict[str, str | int]) -> str:
    """Words for people: when, how bad, where, what; then what else is known, each with its name."""
    head = f"{told['time']} {str(told['level']).upper():8} {told['logger']} [{told['process']} {told['pid']}]"
    more = {name: told[name] for name in ("request_id", "exception", "traceback") if name in told}
    tail = "".join(f" {name}={' '.join(str(value).split())}" for name, value in more.items())
    return one_line(f"{head} {told['event']}{tail}")


def one_line(text: str) -> str:
    """The text with everything escaped that does not print as itself: ends of lines, control, what turns a line."""
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode("ascii") for one in text)


def where(error: BaseException) -> str:
    """The frames in which an exception was raised, and those of what it was raised for; no messages, no values."""
    parts, seen = [], set[int]()
    reason: BaseException | None = error
    while reason is not None and id(reason) not in seen:
        seen.add(id(reason))
        parts.append("".join(traceback.format_tb(reason.__traceback__, -_FRAMES)) + _kind(reason))
        reason = reason.__cause__ or (None if reason.__suppress_context__ else reason.__context__)
    return "\nwhile handling\n".join(parts)


def _message(record: logging.LogRecord) -> str:
    try:
        message = record.getMessage()
    except Exception:  # noqa: BLE001 - what was to be said is said all the same, without its values
        return str(record.msg)
    # asyncio goes on with the exception's own words.
    return message.partition("\n")[0] if record.name == "asyncio" else message


def _kind(error: BaseException) -> str:
    kind = type(error)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def _text(value: str) -> str:
    return value.encode("utf-8", "backslashreplace").decode("utf-8")


def _uncaught(kind: type[BaseException], error: BaseException, frames: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, frames)
    else:
        _log.critical("the process ends", exc_info=error)


def _uncaught_in_thread(given: threading.ExceptHookArgs) -> None:
    if given.exc_value is not None:
        name = given.thread.name if given.thread else "?"
        _log.critical("the thread %s ends", name, exc_info=given.exc_value)
