"""Promise: where Scopekey does not answer, in time and as itself, nothing is let through and the client is told so."""

import threading

import pytest

from tests.journeys.proxies.echo import YES, echoing
from tests.journeys.proxies.fronting import front
from tests.journeys.proxies.raw import send
from tests.journeys.serving import free_port

pytestmark = pytest.mark.journey


def unavailable(answer):
    return (answer.status, answer.one("scopekey-code"), answer.one("retry-after"), answer.document["code"])


UNAVAILABLE = (503, "unavailable", "5", "unavailable")


@pytest.mark.parametrize("over", ["tcp", "a Unix socket"])
def test_a_gateway_that_is_down_lets_nothing_through(proxy, tmp_path, over):
    gateway = f"http://127.0.0.1:{free_port()}" if over == "tcp" else f"unix:{tmp_path}/none.sock"
    with (
        echoing() as (echo, api),
        front(proxy, tmp_path / "proxy", gateway=gateway, api=api) as address,
    ):
        answers = [send(address, "GET /datasets/1", key="whatever"), send(address, "GET /datasets/1")]
    assert [UNAVAILABLE, UNAVAILABLE] == [unavailable(answer) for answer in answers]
    assert ["application/problem+json"] * 2 == [answer.one("content-type") for answer in answers]
    assert [] == echo.seen


def test_a_gateway_that_is_slow_lets_nothing_through(agreed, monkeypatch):
    let_go = threading.Event()
    monkeypatch.setattr(agreed.asked, "held", let_go)
    try:
        answer = send(agreed.address, "GET /a")
    finally:
        let_go.set()
    assert UNAVAILABLE == unavailable(answer)
    assert [] == agreed.served.seen


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"nonsense\r\n\r\n",
        b"HTTP/1.1 200",
        b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 3\r\n\r\nbad",
        b"HTTP/1.1 302 Found\r\nLocation: /login\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"x" * 100_000 + b"\r\nContent-Length: 0\r\n\r\n",
    ],
    ids=["nothing", "nonsense", "half a line", "500", "502", "302", "404", "403", "too much"],
)
def test_an_answer_that_is_not_scopekeys_lets_nothing_through(agreed, monkeypatch, said):
    monkeypatch.setattr(agreed.asked, "answer", said)
    answer = send(agreed.address, "GET /a")
    assert [] == agreed.served.seen
    assert UNAVAILABLE == unavailable(answer)


def test_a_yes_of_somebody_else_is_none(agreed, monkeypatch):
    monkeypatch.setattr(agreed.asked, "answer", b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
    answer = send(agreed.address, "GET /a")
    # nginx has nobody to send it to, and says that in its own words.
    assert (502 == answer.status) if agreed.proxy == "nginx" else (UNAVAILABLE == unavailable(answer))
    assert [] == agreed.served.seen


def test_an_api_that_is_down_is_not_taken_for_scopekey(proxy, tmp_path):
    with (
        echoing() as (asked, gateway),
        front(proxy, tmp_path / "proxy", gateway=gateway, api=f"http://127.0.0.1:{free_port()}") as address,
    ):
        asked.answer = YES
        answer = send(address, "GET /a")
    assert answer.status in {502, 503}
    assert None is answer.one("scopekey-code")
