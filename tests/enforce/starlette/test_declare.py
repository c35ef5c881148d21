"""What can be decorated: functions, endpoint classes and their methods, ASGI applications."""

import functools
import inspect

import pytest
from starlette.applications import Starlette
from starlette.endpoints import HTTPEndpoint, WebSocketEndpoint
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient

from scopekey.enforce.starlette import RulesError, protect, public, requires, rules_of
from scopekey.testing import Keys

READ, WRITE = requires("datasets:read"), requires("datasets:write")
ALL = ["DELETE", "GET", "OPTIONS", "PATCH", "POST", "PUT"]


@pytest.fixture
def keys():
    return Keys("datasets:read", "datasets:write")


def answer(self_or_request, *_):
    """Says that it was served."""
    return PlainTextResponse("served")


def needs(route):
    """What each method of a route needs."""
    return {
        rule.operation.method: None if rule.requirement is None else str(rule.requirement)
        for rule in rules_of(Starlette(routes=[route])).rules
    }


def asked(keys, route, method="GET", *held):
    """The status of a request for a guarded route, with a key that holds these permissions."""
    app = Starlette(routes=[route])
    protect(app, keys, applied=False)
    return TestClient(app).request(method, "/x", headers={"X-API-Key": keys.add(*held)} if held else {}).status_code


@pytest.mark.parametrize("is_async", [True, False])
def test_a_decorated_function_stays_what_it_was(keys, is_async):
    async def answer_async(request):
        """Says that it was served."""
        return answer(request)

    plain = answer_async if is_async else answer
    function = READ(plain)
    assert (plain.__name__, "Says that it was served.", plain) == (
        function.__name__,
        function.__doc__,
        function.__wrapped__,
    )
    assert is_async is inspect.iscoroutinefunction(function)
    assert not hasattr(plain, "__scopekey__")
    assert [200, 401] == [asked(keys, Route("/x", function), "GET", *held) for held in (["datasets:read"], [])]


def test_a_decorated_function_is_not_run_for_a_request_that_nobody_decided():
    with pytest.raises(HTTPException) as refused:
        READ(answer)(Request({"type": "http", "method": "GET", "path": "/x", "headers": []}))
    assert 500 == refused.value.status_code
    with pytest.raises(TypeError, match="without a request"):
        READ(answer)()


def test_somebody_elses_decorator_above_keeps_the_declaration(keys):
    @functools.wraps(answer)
    def inner(request):
        return answer(request)

    declared = READ(inner)

    @functools.wraps(declared)
    def outer(request):
        return declared(request)

    assert {"GET": "datasets:read"} == needs(Route("/x", outer))
    assert 200 == asked(keys, Route("/x", outer), "GET", "datasets:read")


def test_somebody_elses_decorator_that_forgets_the_declaration_stops_the_start():
    declared = READ(answer)

    def outer(request):
        return declared(request)

    with pytest.raises(RulesError, match=r"GET /x .*declares nothing"):
        rules_of(Starlette(routes=[Route("/x", outer)]))


def test_a_partial_keeps_what_its_function_declares_whatever_the_order(keys):
    def serve(word, request):
        return PlainTextResponse(word)

    for endpoint in (functools.partial(READ(WRITE(serve)), "w"), READ(functools.partial(WRITE(serve), "w"))):
        assert {"GET": "datasets:write, datasets:read"} == needs(Route("/x", endpoint))
        held = "datasets:read", "datasets:write"
        assert [200, 401] == [asked(keys, Route("/x", endpoint), "GET", *some) for some in (held, held[:1])]


def test_a_method_of_an_object_can_be_an_endpoint(keys):
    class Handlers:
        @READ
        async def inside(self, request):
            return answer(request)

        async def outside(self, request):
            return answer(request)

    for endpoint in (Handlers().inside, READ(Handlers().outside)):
        assert [200, 401] == [asked(keys, Route("/x", endpoint), "GET", *held) for held in (["datasets:read"], [])]


def test_the_methods_of_an_endpoint_class_declare_each_for_itself(keys):
    class Rows(HTTPEndpoint):
        get = READ(answer)

        @WRITE
        async def delete(self, request):
            return answer(request)

    assert {"GET": "datasets:read", "DELETE": "datasets:write"} == needs(Route("/x", Rows))
    assert [200, 200, 401, 401] == [
        asked(keys, Route("/x", Rows), method, "datasets:read") for method in ("GET", "HEAD", "DELETE", "POST")
    ]
    assert 200 == asked(keys, Route("/x", Rows), "DELETE", "datasets:write")


def test_what_an_endpoint_class_declares_is_needed_for_all_of_its_methods(keys):
    @READ
    class Rows(HTTPEndpoint):
        get = answer
        post = WRITE(answer)

    assert {"GET": "datasets:read", "POST": "datasets:read, datasets:write"} == needs(Route("/x", Rows))
    assert [200, 401] == [asked(keys, Route("/x", Rows), method, "datasets:read") for method in ("GET", "POST")]
    assert {"POST": "datasets:read, datasets:write"} == needs(Route("/x", Rows, methods=["POST"]))


def test_a_subclass_needs_what_its_base_needs_and_more():
    @READ
    class Base(HTTPEndpoint):
        get = answer

    @WRITE
    class Derived(Base):
        pass

    assert ["datasets:read", "datasets:read, datasets:write"] == [
        needs(Route("/x", endpoint))["GET"] for endpoint in (Base, Derived)
    ]


def test_a_method_that_declares_nothing_stops_the_start():
    class Rows(HTTPEndpoint):
        get = READ(answer)
        post = answer

    with pytest.raises(RulesError, match=r"POST /x .*declares nothing") as raised:
        rules_of(Starlette(routes=[Route("/x", Rows)]))
    assert 1 == len(raised.value.faults)


def test_an_endpoint_class_may_need_something_else_for_head(keys):
    class Rows(HTTPEndpoint):
        get = READ(answer)
        head = WRITE(answer)

    assert {"GET": "datasets:read", "HEAD": "datasets:write"} == needs(Route("/x", Rows))
    assert [401, 200] == [asked(keys, Route("/x", Rows), "HEAD", f"datasets:{level}") for level in ("read", "write")]


def test_a_later_route_for_a_method_that_an_endpoint_class_lacks_is_hidden_by_it(keys):
    class Rows(HTTPEndpoint):
        get = READ(answer)

    post = Route("/{y}", READ(answer), methods=["POST"])
    with pytest.raises(RulesError, match=r"POST /{y} .*is hidden by POST /{x} .*which has none"):
        rules_of(Starlette(routes=[Route("/{x}", Rows), post]))
    beside = Starlette(routes=[Route("/x", Rows), post])
    protect(beside, keys)
    client = TestClient(beside)
    headers = {"X-API-Key": keys.add("datasets:read")}
    assert [401, 200] == [client.post(path, headers=headers).status_code for path in ("/x", "/else")]


def test_an_endpoint_class_is_not_run_for_what_nobody_decided():
    for endpoint in (READ(type("Class", (HTTPEndpoint,), {"get": answer})), public()(Application())):
        assert 500 == TestClient(Starlette(routes=[Route("/x", endpoint)])).get("/x").status_code


@READ
class Feed(WebSocketEndpoint):
    async def on_connect(self, websocket):
        await websocket.accept()
        await websocket.send_text("hello")


def test_a_websocket_class_declares_for_its_handshake(keys):
    app = Starlette(routes=[WebSocketRoute("/x", Feed)])
    protect(app, keys, applied=False)
    headers = {"X-API-Key": keys.add("datasets:read")}
    with TestClient(app).websocket_connect("/x", headers=headers) as websocket:
        assert "hello" == websocket.receive_text()
    assert {"GET": "datasets:read"} == needs(WebSocketRoute("/x", Feed))


class Application:
    """An ASGI application."""

    async def __call__(self, scope, receive, send):
        await PlainTextResponse("served")(scope, receive, send)


def test_an_asgi_application_as_an_endpoint_answers_every_method(keys):
    declared = READ(type("Declared", (Application,), {}))
    for endpoint in (READ(Application()), declared(), READ(declared())):
        assert ALL == sorted(needs(Route("/x", endpoint)))
        route = Route("/x", endpoint, methods=["POST"])
        assert [200, 401] == [asked(keys, route, "POST", *held) for held in (["datasets:read"], [])]
    assert {"GET": "datasets:write, datasets:read"} == needs(Route("/x", READ(WRITE(Application())), methods=["GET"]))


def test_an_asgi_application_that_declares_nothing_is_named():
    with pytest.raises(RulesError, match=r"GET /x \(.*Application\) declares nothing"):
        rules_of(Starlette(routes=[Route("/x", Application())]))


@pytest.mark.parametrize("thing", [None, "served", int])
def test_what_is_no_endpoint_cannot_be_decorated(thing):
    with pytest.raises(TypeError):
        READ(thing)
