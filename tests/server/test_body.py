"""The body's limit, as plain ASGI: what a server may do that a well-behaved client never shows."""

import asyncio

import pytest

from scopekey.server.body import LIMIT, MAX_DEPTH, BodyLimit


def passed(messages, *, method="POST", headers=()):
    """Let a body through, piece by piece: what the app read (None where it was not called), and the status sent."""
    left, seen, sent = list(messages), [], []

    async def app(scope, receive, send):
        seen.append(await receive())

    async def receive():
        return left.pop(0)

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "method": method, "headers": list(headers)}
    asyncio.run(BodyLimit(app)(scope, receive, send))
    statuses = [message["status"] for message in sent if "status" in message]
    return seen[0].get("body") if seen else None, statuses


def piece(body, *, more=False):
    return {"type": "http.request", "body": body, "more_body": more}


def test_pieces_become_one_body():
    assert (b"ab", []) == passed([piece(b"a", more=True), piece(b"", more=True), piece(b"b")])


def test_the_limit_itself_is_let_through_and_one_byte_more_is_not():
    assert (b" " * LIMIT, []) == passed([piece(b" " * LIMIT)])
    assert (None, [413]) == passed([piece(b" " * LIMIT, more=True), piece(b" ")])


@pytest.mark.parametrize("length", [b"%d" % (LIMIT + 1), b"9" * 6_000], ids=["one more", "absurd"])
def test_a_length_over_the_limit_is_refused_before_anything_is_read(length):
    assert (None, [413]) == passed([], headers=[(b"content-length", length)])


def test_a_caller_that_leaves_before_the_end_is_not_answered_and_nothing_is_done():
    assert (None, []) == passed([piece(b'{"reason": "other"}', more=True), {"type": "http.disconnect"}])


def test_nesting_is_let_through_up_to_its_limit():
    deepest = b"[" * MAX_DEPTH + b"]" * MAX_DEPTH
    assert (deepest, []) == passed([piece(deepest)])
    assert (None, [422]) == passed([piece(b"[" + deepest + b"]")])
    wide = b"[" + b"[]," * 10_000 + b"[]]"
    assert (wide, []) == passed([piece(wide)])


def test_brackets_in_a_string_are_text():
    for text in (b"[" * 1_000, b'\\"' + b"[" * 1_000, b'\\\\\\"' + b"{" * 1_000):
        assert (b'["%b"]' % text, []) == passed([piece(b'["%b"]' % text)])


@pytest.mark.parametrize("before", [b'["a"', b'["\\\\"', b'["\\""', b'[""', b'["a\\u0022"'])
def test_no_string_hides_the_nesting_after_it(before):
    assert (None, [422]) == passed([piece(before + b"," + b"[" * MAX_DEPTH)])


def test_a_body_of_nothing_but_quotes_is_looked_at_in_no_time():
    for body in (b'\\"' * (LIMIT // 2), b'"' * LIMIT, b'"' + b"\\" * (LIMIT - 1), b"[" * 65 + b'"\\"' * 300_000):
        passed([piece(body)])


def test_calls_without_a_body_are_not_waited_for():
    assert (b"later", []) == passed([piece(b"later")], method="GET")
