"""A printed key, and how little of it is shown."""

import re

from scopekey.client.errors import ConfigurationError
from scopekey.core.keyformat import mask_key

_SENDABLE = re.compile(r"[\x21-\x7e]+")


class Secret:
    """Holds a printed key where nothing prints it: only `reveal` gives it.

    `environment` and `key_id` are what it says of itself, None where it has not the form of a key.
    """

    __slots__ = ("_printed", "environment", "key_id", "shown")

    def __init__(self, printed: str) -> None:
        """Raises ConfigurationError where it cannot be a key."""
        if not _SENDABLE.fullmatch(printed or ""):
            raise ConfigurationError(
                "bad_api_key",
                "The key is empty or holds characters that no key has: "
                "give it as it was printed, without blanks or line ends.",
            )
        self._printed = printed
        self.shown: str = mask_key(printed)
        _, *named = self.shown.removesuffix("…").split("_")
        self.environment: str | None = named[0] if named else None
        self.key_id: str | None = f"key_{named[1]}" if named else None

    def reveal(self) -> str:
        """The whole key."""
        return self._printed

    def mask(self, text: str) -> str:
        """A text with the key as it may be shown, wherever it stands in it."""
        return text.replace(self._printed, self.shown)

    def mask_field(self, value: bytes) -> bytes:
        """The same for the value of a header field, in which any byte may stand."""
        return value.replace(self._printed.encode(), self.shown.encode())

    def __repr__(self) -> str:
        return self.shown
