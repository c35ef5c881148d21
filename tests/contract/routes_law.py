"""What the laws of the adapters of frameworks with routes draw from: tables that can stand, and what to ask them."""

from hypothesis import strategies as st

from scopekey.enforce.routes.table import RulesError

SEGMENTS = st.sampled_from(["a", "7", "{x}", "{x:int}", "{x:path}", "a{x}", "v{x}.{y}"])
PATHS = st.lists(SEGMENTS, min_size=1, max_size=2).map(lambda parts: "/" + "/".join(parts))
"""Paths as FastAPI and Starlette write them."""
TARGETS = st.lists(st.sampled_from(["a", "b", "7", "ab", "v1.2", "zb", "%61", ""]), min_size=1, max_size=4)
_VALUES = {"{x:path}": "b/7", "{x:int}": "7", "{x}": "b", "{y}": "2", "{t}": "a", "{t:int}": "7"}


def fitting(routes, build, rules_of, *refused):
    """The routes that can stand beside each other, in their order, and the application that they make.

    `refused` is what a framework itself says to a route that cannot be, beside our own RulesError.
    """
    kept, app = [], build([])
    for route in routes:
        try:
            tried = build([*kept, route])
            rules_of(tried)
        except (RulesError, *refused):
            continue
        kept.append(route)
        app = tried
    return kept, app


def template(path):
    """A path of FastAPI and Starlette in the words of the rules."""
    return path.replace(":int", "").replace("{x:path}", "{x*}")


def sample(path):
    """A path that a route of FastAPI and Starlette serves."""
    for parameter, value in _VALUES.items():
        path = path.replace(parameter, value)
    return path
