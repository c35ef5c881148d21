"""A permission: one access level on one resource, written ``datasets:read``."""

import re

import msgspec

RESOURCE_NAME = re.compile(r"[a-z0-9][a-z0-9_.-]{0,63}")
LEVEL_NAME = re.compile(r"[a-z][a-z0-9_]{0,31}")


class InvalidPermissionError(ValueError):
    """The text is not `resource:level`; says what is wrong with it."""


class Permission(msgspec.Struct, frozen=True, order=True):
    """One access level on one resource. Whether both exist is the catalog's to say."""

    resource: str
    level: str

    @classmethod
    def parse(cls, text: str) -> "Permission":
        """Read `resource:level`. A third part is reserved and refused.

        Raises InvalidPermissionError.
        """
        parts = text.split(":")
        if len(parts) == 3:
            raise InvalidPermissionError(
                f"{text!r} has three parts; a third part is reserved: write resource:level, as in datasets:read"
            )
        if len(parts) != 2 or not RESOURCE_NAME.fullmatch(parts[0]) or not LEVEL_NAME.fullmatch(parts[1]):
            raise InvalidPermissionError(f"{text!r} is not a permission: write resource:level, as in datasets:read")
        return cls(parts[0], parts[1])

    def __str__(self) -> str:
        return f"{self.resource}:{self.level}"
