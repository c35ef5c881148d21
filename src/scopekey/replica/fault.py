"""How a fault gets into a log: where it broke and what kind it was, whoever formats the log.

Never an exception's own words nor any value, which could hold a key; thus no `exc_info`.
"""

import logging
import traceback


def log_fault(
    log: logging.Logger, error: BaseException, said: str, *arguments: object, request_id: str | None = None
) -> None:
    """Log an error: `said` with its arguments, then the kind of the exception and its frames."""
    frames = "".join(traceback.format_tb(error.__traceback__))
    extra = {"traceback": frames} | ({} if request_id is None else {"request_id": request_id})
    log.error(said + " (%s)\n%s", *arguments, type(error).__name__, frames, extra=extra)  # noqa: G003 - `said` is ours
