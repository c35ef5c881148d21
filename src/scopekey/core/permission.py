"""A permission: one access level on one resource, written ``datasets:read``."""

import re

import msgspec

RESOURCE_NAME = re.compile(r"[a-z0-9][a-z0-9_.-]{0,63}")
LEVEL_NAME = re.compile(r"[a-z][a-z0-9_]{0,31}")
MAX_LENGTH = 64 + 1 + 32


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
        match text.split(":"):
            case [resource, level] if RESOURCE_NAME.fullmatch(resource) and LEVEL_NAME.fullmatch(level):
                return cls(resource, level)
            case [_, _, _]:
                wrong = "has three parts; a third part is reserved"
            case _:
                wrong = "is not a permission"
        raise InvalidPermissionError(f"{text!r} {wrong}: write resource:level, as in datasets:read")

    def __str__(self) -> str:
        return f"{self.resource}:{self.level}"
