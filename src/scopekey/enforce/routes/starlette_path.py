"""A Starlette path, which FastAPI's are too, as a template."""

import re
from urllib.parse import quote

from starlette.convertors import CONVERTOR_TYPES
from starlette.routing import PARAM_REGEX

from scopekey.enforce.routes.table import Path

_WHOLE_SEGMENT = frozenset({"str", "path"})
_PATH_SAFE = "/~.@:+=$,!*'()&_-"


def path_of(path: str) -> Path:
    """Write a Starlette path as a template, with the patterns of convertors that take less than a segment.

    `{x:path}` becomes `{x*}`, every other parameter `{x}`.
    """
    text, at = "", 0
    narrow: dict[str, re.Pattern[str]] = {}
    for match in PARAM_REGEX.finditer(path):
        kind = match[2].lstrip(":") if match[2] else "str"
        text += quote(path[at : match.start()], safe=_PATH_SAFE)
        text += "{" + match[1] + ("*}" if kind == "path" else "}")
        if kind not in _WHOLE_SEGMENT:
            narrow[match[1]] = re.compile(CONVERTOR_TYPES[kind].regex)
        at = match.end()
    return Path(text + quote(path[at:], safe=_PATH_SAFE), narrow)
