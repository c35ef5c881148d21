"""The law of the Flask adapter: the operation that was decided is the route that Flask served."""

from flask import Blueprint, Flask, request
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from werkzeug.routing import BaseConverter

from scopekey.enforce.flask import protect, requires, rules_of
from scopekey.testing import Keys
from tests.contract.routes_law import fitting


class Vowels(BaseConverter):
    """One that Werkzeug does not know, as heavy as a whole number."""

    regex = "[aeiou]+"
    weight = 50


class Deep(BaseConverter):
    """One that takes slashes, but not everything."""

    regex = "[ab7][ab7/]*"
    weight = 150


KINDS = ["", "int:", "vowels:", "any(a,b):", "string(length=2):", "path:", "deep:"]
WHOLE = [f"<{kind}x>" for kind in KINDS]
SEGMENTS = st.sampled_from(["a", "7", "z", *WHOLE, "<path:x>", "a<x>", "a<int:x>", "v<x>.<y>", "v<int:x>.<y>", "<y>"])
ENDS = st.sampled_from(["", "", "", "/"])
PATHS = st.builds(
    lambda parts, end: "/" + "/".join(parts) + end, st.lists(SEGMENTS, min_size=1, max_size=3), ENDS
).filter(lambda path: path.count("x>") < 2 and path.count("y>") < 2)
METHODS = st.sampled_from([["GET"], ["GET"], ["GET"], ["POST"], ["GET", "POST"], ["HEAD"], ["OPTIONS"]])
HOMES = st.sampled_from([None, None, "/p", "/a", "/<t>"])
OPTIONS = st.fixed_dictionaries({"strict_slashes": st.sampled_from([True, True, False])})
ROUTES = st.lists(st.tuples(METHODS, PATHS, HOMES, OPTIONS), min_size=3, max_size=8)
TARGETS = st.lists(
    st.sampled_from(["a", "b", "7", "ab", "a7", "v1.2", "v1.2.3", "zb", "e", "%61", ""]), min_size=1, max_size=4
)
ASKED = st.sampled_from(["GET", "GET", "POST", "HEAD", "OPTIONS"])


def build(routes):
    """An application whose routes answer with their own name, spread over blueprints."""
    app = Flask("law", static_folder=None)
    app.url_map.converters |= {"vowels": Vowels, "deep": Deep}
    for number, (methods, path, prefix, options) in enumerate(routes):
        view = requires("datasets:read")(make(f"r{number}"))
        if prefix is None:
            app.add_url_rule(path, f"r{number}", view, methods=methods, **options)
            continue
        blueprint = Blueprint(f"b{number}", "law")
        blueprint.add_url_rule(path, f"r{number}", view, methods=methods, **options)
        app.register_blueprint(blueprint, url_prefix=prefix)
    return app


def make(name):
    def serve(**values):
        return {"served": request.url_rule.rule, "decided": request.environ["scopekey.event"].operation}

    serve.__name__ = name
    return serve


def samples(path):
    """Paths of which each converter takes some and declines others."""
    for x in ("b", "7", "a", "z", "ab", "a/b", ""):
        text = path.replace("<t>", "p").replace("<y>", "2")
        for kind in KINDS:
            text = text.replace(f"<{kind}x>", x)
        yield text


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(ROUTES, st.lists(st.tuples(ASKED, TARGETS), min_size=1, max_size=8))
def test_the_operation_decided_is_the_route_served(routes, targets):
    kept, app = fitting(routes, build, rules_of)
    keys = Keys("datasets:read")
    protect(app, keys, applied=False)
    client = app.test_client()
    headers = {"X-API-Key": keys.add("datasets:read")}
    asked = [(method, "/" + "/".join(segments)) for method, segments in targets]
    for methods, path, prefix, _ in kept:
        whole = (prefix or "") + path
        asked += [(method, target) for method in (*methods, "HEAD") for target in samples(whole)]
    for method, target in asked:
        answer = client.open(target, method=method, headers=headers)
        # A route that was reached and is not the one decided answers 500.
        assert answer.status_code in {200, 308, 400, 401, 404, 405}, (method, target, answer.text)
        if answer.status_code == 200 and method != "HEAD" and answer.is_json:
            event("served")
