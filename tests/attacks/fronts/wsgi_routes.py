"""The routes of the platform on Flask, which a plain WSGI middleware stands in front of."""

import re
from typing import Any

from flask import Flask, request

from tests.attacks.cases import FILE
from tests.attacks.fronts.traced import reached, served, who_of


def add(app: Flask, operation: str, *guards: Any) -> None:
    def answer(**values: str) -> dict[str, Any]:
        request.get_data()
        return served(who_of(request.environ.get("scopekey.event")), operation, values)

    method, template = operation.split(" ")
    path = re.sub(r"\{(\w+)\*\}", r"<path:\1>", template)
    view = answer
    for guard in guards:
        view = guard(view)
    app.add_url_rule(re.sub(r"\{(\w+)\}", r"<\1>", path), operation, view, methods=[method])


def routed() -> Flask:
    app = Flask(__name__, static_folder=None)
    for rule in FILE["rules"]:
        add(app, rule["operation"])
    return app


class Traced:
    """Notes every request that gets here, before anything routes it."""

    def __init__(self, app: Any) -> None:
        self._app = app

    def __call__(self, environ: Any, start_response: Any) -> Any:
        # PEP 3333 hands bytes on as text of Latin-1.
        path = environ["PATH_INFO"].encode("latin-1").decode("utf-8", "replace")
        reached(who_of(environ.get("scopekey.event")), environ["REQUEST_METHOD"], path)
        return self._app(environ, start_response)
