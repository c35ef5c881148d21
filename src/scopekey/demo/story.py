"""The transcript of the demo: each request, the key it was made with, the answer and its reason.

A step says what it expects; another answer ends the demo as a failure. So the story is true, or not told.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import httpx
from rich.console import Console
from rich.text import Text

WIDTH = 110


class UnexpectedAnswerError(RuntimeError):
    """The platform answered otherwise than the story says."""


class Actor:
    """Somebody in the story: a name, what their key is for in words, and the key itself."""

    def __init__(self, name: str, purpose: str, secret: str, key_id: str) -> None:
        self.name = name
        self.purpose = purpose
        self.secret = secret
        self.key_id = key_id

    def __repr__(self) -> str:
        return f"Actor({self.name}, {self.key_id})"


class Story:
    """Plays requests and tells what happened."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._http = httpx.Client(timeout=30.0)
        self.steps: int = 0

    def chapter(self, title: str) -> None:
        """Begin a part of the story."""
        self._console.print()
        self._console.print(Text(title, style="bold underline"))

    def tell(self, text: str) -> None:
        """Say something between requests."""
        self._console.print(Text(text, style="italic"))

    def check(self, command: str, found: str, *, good: bool = True) -> None:
        """Tell what a command of ours finds: that something is well, or that it is not."""
        self._console.print()
        self._console.print(Text(f"$ scopekey {command}", style="bold"))
        mark, style = ("✓", "green") if good else ("✗", "red")
        self._console.print(Text(f"  {mark} {found}", style=style))

    def call(
        self,
        actor: Actor,
        method: str,
        url: str,
        expected: int,
        *,
        body: Any = None,
        content: tuple[str, bytes] | None = None,
        show: Sequence[str] = (),
        secret: str | None = None,
    ) -> Any:
        """Make a request as somebody, tell it, and give the answer's JSON.

        `show` names the members of the answer worth telling. Raises UnexpectedAnswerError.
        """
        headers = {"Authorization": f"Bearer {secret or actor.secret}"}
        if content is not None:
            headers["Content-Type"] = content[0]
        payload: dict[str, Any] = {"json": body} if body is not None else {"content": content[1] if content else None}
        response = self._http.request(method, url, headers=headers, **payload)
        self.steps += 1
        answer = _json(response)
        self._request(actor, method, url, body if body is not None else content and f"<{content[0]}>")
        self._answer(response, answer, show)
        if response.status_code != expected:
            raise UnexpectedAnswerError(
                f"{method} {url}: expected {expected}, got {response.status_code}: {response.text}"
            )
        return answer

    def quiet(self, actor: Actor, method: str, url: str, body: Any) -> Any:
        """Make a request that must succeed, and tell nothing."""
        response = self._http.request(method, url, headers={"Authorization": f"Bearer {actor.secret}"}, json=body)
        if not response.is_success:
            raise UnexpectedAnswerError(f"{method} {url}: {response.status_code}: {response.text}")
        return response.json()

    def look(self, actor: Actor, url: str) -> Any:
        """Read something, and tell nothing."""
        return self.quiet(actor, "GET", url, None)

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def _request(self, actor: Actor, method: str, url: str, body: Any) -> None:
        self._console.print()
        path = "/" + url.split("/", 3)[3]
        self._console.print(
            Text(f"{method} {path}", style="bold"), Text(f"   as {actor.name}: {actor.purpose}", style="dim")
        )
        if body is not None:
            self._line("  > ", body if isinstance(body, str) else json.dumps(_told(body), ensure_ascii=False), "dim")

    def _answer(self, response: httpx.Response, answer: Any, show: Sequence[str]) -> None:
        good = response.is_success
        mark, style = ("  ✓ ", "green") if good else ("  ✗ ", "red")
        self._console.print(Text(f"{mark}{response.status_code} {response.reason_phrase}", style=style))
        if not isinstance(answer, Mapping):
            return
        if not good:
            self._console.print(Text(f"    {answer.get('detail', '')}", style=style))
            if answer.get("missing"):
                self._console.print(Text(f"    missing: {', '.join(answer['missing'])}", style=style))
            return
        for name in show:
            value = answer.get(name)
            self._line(f"    {name}: ", value if isinstance(value, str) else json.dumps(value, ensure_ascii=False), "")

    def _line(self, start: str, text: str, style: str) -> None:
        shown = text if len(text) <= WIDTH else text[: WIDTH - 1] + "…"
        self._console.print(Text(start + shown, style=style))


def _told(body: Any) -> Any:
    """A body without its credential."""
    return body | {"credential": "…"} if isinstance(body, dict) and "credential" in body else body


def _json(response: httpx.Response) -> Any:
    try:
        return response.json()
    except ValueError:
        return None
