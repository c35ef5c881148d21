"""Adapters: in the application's own process, over ASGI and over WSGI, with or without websockets."""

import json

import pytest

from tests.contract.door_all import DoorContract
from tests.contract.door_drivers import handshake, over_asgi, over_wsgi
from tests.contract.door_exchange import Seen, request
from tests.contract.door_position import AnswersAtOnce, Waits


class AdapterContract(DoorContract):
    """An adapter stands in the application's own process, and hands its answer on."""

    reads_bodies_first = False
    """True where the framework has read the body before any of its middlewares is called."""

    def application(self, keys, upstream, *, cors_preflight=False):
        """The guarded application."""
        raise NotImplementedError

    def test_the_answer_is_the_applications_own(self, upstream, door, secret):
        upstream.headers = [("X-Own", "kept"), ("X-Request-ID", "theirs")]
        answer = door(request(secret=secret))
        assert (200, b"ok", "kept", "theirs") == (
            answer.status,
            answer.body,
            answer.field("x-own"),
            answer.field("x-request-id"),
        )

    def test_a_body_reaches_the_application_whole(self, keys, door):
        secret, body = keys.add("datasets:write"), b"a" * 5 + b"b" * 6
        key = keys.key(secret)
        expected = Seen("POST", "/datasets", key.id, key.organization, "live", "datasets:write", body)
        assert expected == door(request("POST", b"/datasets", secret, body=body)).seen

    def test_the_body_of_a_refused_request_is_not_read(self, upstream, door, secret):
        assert 401 == door(request("POST", b"/datasets", secret, body=b"body")).status
        assert self.reads_bodies_first or "read" not in upstream.log

    def test_the_refusal_of_a_head_has_no_body(self, door):
        answer = door(request("HEAD", b"/datasets/7"))
        assert (401, b"", "no_credential") == (answer.status, answer.body, answer.field("scopekey-code"))
        assert int(answer.field("content-length")) > 0

    def test_each_chunk_of_an_answer_leaves_before_the_next_is_made(self, upstream, door, secret):
        answer = door(request(target=b"/stream", secret=secret))
        assert (200, b"onetwothree", "datasets:read") == (
            answer.status,
            answer.body,
            answer.field("scopekey-requires"),
        )
        expected = [f"{what} {chunk}" for chunk in ("one", "two", "three") for what in ("made", "left")]
        assert expected == [happened for happened in upstream.log if happened != "read"]


class AsgiContract(Waits, AdapterContract):
    """An adapter whose guarded application is an ASGI one."""

    def serve(self, keys, upstream, *, cors_preflight=False):
        return over_asgi(self.application(keys, upstream, cors_preflight=cors_preflight), upstream)


class WsgiContract(AnswersAtOnce, AdapterContract):
    """An adapter whose guarded application is a WSGI one."""

    def serve(self, keys, upstream, *, cors_preflight=False):
        return over_wsgi(self.application(keys, upstream, cors_preflight=cors_preflight), upstream)


class WebsocketContract:
    """An adapter of a framework that has websockets: `GET /feed` accepts, and tells the upstream of it."""

    @pytest.fixture
    def app(self, keys, upstream):
        return self.application(keys, upstream)

    def test_a_websocket_handshake_is_decided_as_get(self, keys, upstream, app, secret):
        accepted, *_ = handshake(app, request(target=b"/feed", secret=secret))
        assert "websocket.accept" == accepted["type"]
        assert b"datasets:read" == dict(accepted["headers"])[b"scopekey-requires"]
        assert [keys.key(secret).id] == [seen.key_id for seen in upstream.seen]
        assert ["GET /feed"] == [event.operation for event in keys.events]

    def test_a_refused_handshake_is_answered_where_the_server_can(self, keys, upstream, app):
        start, body = handshake(app, request(target=b"/feed"), extensions={"websocket.http.response": {}})
        assert ("websocket.http.response.start", 401) == (start["type"], start["status"])
        assert "no_credential" == json.loads(body["body"])["code"]
        assert ([], 1) == (upstream.seen, len(keys.events))

    def test_a_refused_handshake_is_closed_where_the_server_cannot(self, keys, upstream, app):
        [closed] = handshake(app, request(target=b"/feed", secret=keys.add("jobs:write")))
        assert ("websocket.close", 1008, []) == (closed["type"], closed["code"], upstream.seen)
