"""A printed key, and how little of it is shown."""

import re

from scopekey.client.errors import ConfigurationError

_SENDABLE = re.compile(r"[\x21-\x7e]+")
_PRINTED = re.compile(r"([a-z0-9]{2,12})_([a-z0-9]+)_([0-9A-Za-z]{12})[0-9A-Za-z]{49}")


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
        parts = _PRINTED.fullmatch(printed)
        self.environment: str | None = parts[2] if parts else None
        self.key_id: str | None = f"key_{parts[3]}" if parts else None
        self.shown: str = f"{parts[1]}_{parts[2]}_{parts[3]}…" if parts else "…"

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
