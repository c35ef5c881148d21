"""A Starlette path, which FastAPI's are too, as a template."""

import re

from starlette.convertors import CONVERTOR_TYPES
from starlette.routing import PARAM_REGEX

from scopekey.core.target import escaped
from scopekey.enforce.routes.table import Path

_WHOLE_SEGMENT = frozenset({"str", "path"})


def path_of(path: str) -> Path:
    """Write a Starlette path as a template, with the patterns of convertors that take less than a segment.

    `{x:path}` becomes `{x*}`, every other parameter `{x}`.
    """
    text, at = "", 0
    narrow: dict[str, re.Pattern[str]] = {}
    for match in PARAM_REGEX.finditer(path):
        kind = match[2].lstrip(":") if match[2] else "str"
        text += escaped(path[at : match.start()])
        text += "{" + match[1] + ("*}" if kind == "path" else "}")
        if kind not in _WHOLE_SEGMENT:
            narrow[match[1]] = re.compile(CONVERTOR_TYPES[kind].regex)
        at = match.end()
    return Path(text + escaped(path[at:]), narrow)
