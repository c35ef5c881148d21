"""`protect` does what every adapter does."""

from flask import Flask, Response, request

from scopekey.enforce.flask import current_event, protect, public, requires
from tests.contract.door import OK, WsgiContract


def table(app, upstream):
    """The API of the suite, as Flask declares it."""

    def answer(**values):
        upstream.reached(request.method, request.path, current_event(), request.get_data())
        return Response(OK, headers=dict(upstream.headers))

    def stream():
        upstream.reached(request.method, request.path, current_event())
        return Response(upstream.chunks())

    writes, reads = "datasets:write", "datasets:read"
    for method, path, needed in (
        ("GET", "/datasets/<id>", requires(reads, object="id")),
        ("POST", "/datasets", requires(writes)),
        ("POST", "/runs", requires(any_of=[[reads, writes, "jobs:write"], [writes, "jobs:write"]])),
        ("POST", "/trial", requires(writes, mode="report")),
        ("GET", "/whoami", requires()),
        ("GET", "/nobody", requires(any_of=[])),
        ("GET", "/open", public()),
        # A route for GET answers HEAD and OPTIONS too: those of their own must be first.
        ("HEAD", "/listed", requires("jobs:write")),
        ("OPTIONS", "/listed", requires(writes)),
        ("GET", "/listed", requires(reads)),
    ):
        own = method == "HEAD"
        app.add_url_rule(
            path, f"{method} {path}", needed(answer), methods=[method], provide_automatic_options=False if own else None
        )
    app.add_url_rule("/stream", view_func=requires(reads)(stream))


class TestFlask(WsgiContract):
    def application(self, keys, upstream, *, cors_preflight=False):
        app = Flask("contract", static_folder=None)
        table(app, upstream)
        protect(app, keys, applied=False, cors_preflight=cors_preflight)
        return app
