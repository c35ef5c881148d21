"""The routes on Flask."""

import re

from flask import Flask, Response

from tests.journeys.routed.routes import ROUTES, header

app = Flask(__name__, static_folder=None)


def add(operation: str) -> None:
    def reached(**values: str) -> Response:
        return Response("routed", headers=[header(operation, values)])

    method, template = operation.split(" ")
    path = re.sub(r"\{(\w+)\*\}", r"<path:\1>", template)
    app.add_url_rule(re.sub(r"\{(\w+)\}", r"<\1>", path), operation, reached, methods=[method])


for one in ROUTES:
    add(one)
