"""Where the story is played: the platform, the management API beside it, and the operator who issues keys."""

from typing import Any

from scopekey.demo.story import Actor, Story


class Stage:
    """Issues keys and makes calls, each of them told."""

    def __init__(self, story: Story, platform: str, management: str, operator: Actor) -> None:
        self.story = story
        self.operator = operator
        self._platform = platform
        self._management = management

    def issue(self, name: str, permissions: list[str], *, purpose: str = "", expires_in: str = "1d") -> Actor:
        """Issue a key as the operator."""
        body = {"name": name, "permissions": permissions, "expires_in": expires_in}
        answer = self.story.quiet(self.operator, "POST", f"{self._management}/v1/keys", body)
        key = answer["key"]
        actor = Actor(name, purpose or key["purpose"], answer["secret"], key["id"])
        self.story.tell(f"The operator issues the key {name!r} ({key['id']}). Purpose: {actor.purpose}")
        return actor

    def call(self, actor: Actor, method: str, path: str, expected: int, **more: Any) -> Any:
        """Call the platform."""
        return self.story.call(actor, method, self._platform + path, expected, **more)

    def look(self, actor: Actor, path: str) -> Any:
        """Read something of the platform, and tell nothing."""
        return self.story.look(actor, self._platform + path)

    def manage(self, actor: Actor, method: str, path: str, expected: int, **more: Any) -> Any:
        """Call the management API."""
        return self.story.call(actor, method, self._management + path, expected, **more)
