"""The setting ``SCOPEKEY`` of a Django project. Names that mean nothing are refused."""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string

from scopekey.enforce.django.declare import Declared
from scopekey.enforce.keys import Keys
from scopekey.enforce.respond import REALM


class Options(msgspec.Struct, frozen=True):
    """What the setting says, under its names in lower case; `keys` is None where it names none."""

    keys: Any = None
    trusted_proxies: Iterable[str] = ()
    missing_permission_status: int | None = None
    realm: str = REALM
    applied: bool = True
    cors_preflight: bool = False
    mounts: Mapping[str, Declared] = {}

    @classmethod
    def read(cls) -> "Options":
        """Read the setting. Raises ImproperlyConfigured for a name that means nothing, and for a mount undeclared."""
        given: Any = getattr(settings, "SCOPEKEY", {})
        if not isinstance(given, Mapping):
            raise ImproperlyConfigured(f"SCOPEKEY is a dictionary, not {type(given).__name__}")
        names = [field.upper() for field in cls.__struct_fields__]
        unknown = sorted(str(name) for name in given if name not in names)
        if unknown:
            raise ImproperlyConfigured(
                f"SCOPEKEY has {', '.join(unknown)}, which means nothing: there are {', '.join(names)}"
            )
        options = cls(**{name.lower(): value for name, value in given.items()})
        for path, declared in options.mounts.items():
            if not isinstance(declared, Declared):
                raise ImproperlyConfigured(f"SCOPEKEY['MOUNTS'][{path!r}] must be requires(…) or public()")
        return options

    def opened_keys(self) -> Keys:
        """The keys, imported where their dotted path is given. Raises ImproperlyConfigured where there are none."""
        keys = import_string(self.keys) if isinstance(self.keys, str) else self.keys
        if keys is None:
            raise ImproperlyConfigured(
                "SCOPEKEY['KEYS'] must be what has the keys, or the dotted path of it: Scopekey.open() gives those of "
                "this machine"
            )
        return keys  # type: ignore[no-any-return] # a setting is of any type
