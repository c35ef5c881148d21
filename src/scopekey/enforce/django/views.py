"""Which methods a view answers, and what is declared for each of them."""

from typing import Any

from django.views import View

from scopekey.enforce.django.declare import Declared, declared_by
from scopekey.enforce.routes.table import METHODS

Answers = dict[str, tuple[Declared, ...]]
"""What is declared for each method that a view answers; nothing where nobody declared anything."""


def answers_of(callback: Any) -> Answers:
    """Tell the methods of a view.

    A class answers what it has handlers for, less the OPTIONS of Django's own `View` where nobody speaks of it. A
    function answers every common method, or those that its declarations name.
    """
    whole = declared_by(callback)
    view = getattr(callback, "view_class", None)
    if isinstance(view, type) and issubclass(view, View):
        return _of_class(view, whole, getattr(callback, "view_initkwargs", {}))
    named = {method for declared in whole for method in declared.methods or METHODS} or set(METHODS)
    return {method: _speaking(whole, method) for method in sorted(named)}


def _of_class(view: Any, whole: tuple[Declared, ...], given: dict[str, Any]) -> Answers:
    answers: Answers = {}
    for name in given.get("http_method_names", view.http_method_names):
        handler, method = getattr(view, name, None), name.upper()
        if handler is None:
            continue
        declared = _speaking((*whole, *declared_by(handler)), method)
        its_own = handler is not View.options or any(d.methods for d in declared)
        if method != "OPTIONS" or (declared and its_own):
            answers[method] = declared
    return answers


def _speaking(declared: tuple[Declared, ...], method: str) -> tuple[Declared, ...]:
    return tuple(one for one in declared if one.speaks_of(method))
