"""`protect` does what every adapter does."""

from flask import Flask, Response, request

from scopekey.enforce import flask as adapter
from scopekey.enforce.flask import current_event, protect
from scopekey.enforce.wsgi import ScopekeyWSGIMiddleware
from tests.contract.door import OK, WsgiContract
from tests.contract.door_exchange import declarations
from tests.contract.routes import RoutesContract


def table(app, upstream):
    """The API of the suite, as Flask declares it."""

    def answer(**values):
        upstream.reached(request.method, request.path, current_event(), request.get_data())
        return Response(OK, headers=dict(upstream.headers))

    def stream():
        upstream.reached(request.method, request.path, current_event())
        return Response(upstream.chunks())

    for method, path, needed in declarations(adapter):
        own = method == "HEAD"
        app.add_url_rule(
            path.replace("{id}", "<id>"),
            f"{method} {path}",
            needed(answer),
            methods=[method],
            provide_automatic_options=False if own else None,
        )
    app.add_url_rule("/stream", view_func=adapter.requires("datasets:read")(stream))


class TestFlask(WsgiContract):
    def application(self, keys, upstream, *, cors_preflight=False):
        app = Flask("contract", static_folder=None)
        table(app, upstream)
        protect(app, keys, applied=False, cors_preflight=cors_preflight)
        return app


class TestRoutes(RoutesContract):
    adapter = adapter

    def application(self, *routes):
        app = Flask("contract", static_folder=None)
        for number, (method, path, declared) in enumerate(routes):
            app.add_url_rule(path, f"r{number}", declaring(declared), methods=[method])
        return app

    def behind(self, app, keys, rules):
        app.wsgi_app = ScopekeyWSGIMiddleware(app.wsgi_app, keys, rules)
        return app

    def change_method(self, app, method):
        inner = app.wsgi_app
        app.wsgi_app = lambda environ, start: inner(environ | {"REQUEST_METHOD": method}, start)

    def ask(self, app, method, path, headers):
        answer = app.test_client().open(path, method=method, headers=headers)
        return answer.status_code, answer.headers, answer.text


def declaring(declared):
    """A view with these declarations."""

    def view():
        return OK

    for one in declared:
        view = one(view)
    return view
