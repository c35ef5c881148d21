"""``manage.py runserver`` with the raw target of each request, which Django's development server keeps to itself."""

from typing import TYPE_CHECKING, Any

from django.apps import apps
from django.core.servers.basehttp import WSGIRequestHandler, WSGIServer
from django.utils.module_loading import import_string

if TYPE_CHECKING:
    from django.core.management.commands.runserver import Command as _Runserver
else:
    _STATICFILES = "django.contrib.staticfiles"
    # Static files have a runserver of their own, which this one takes the place of.
    _PLACE = _STATICFILES if apps.is_installed(_STATICFILES) else "django.core"
    _Runserver = import_string(f"{_PLACE}.management.commands.runserver.Command")


class RawTargetHandler(WSGIRequestHandler):  # type: ignore[misc] # Django has no types
    """Tells the target as it came, where WSGI servers tell it."""

    def get_environ(self) -> dict[str, Any]:
        """The environ of one request."""
        return {**super().get_environ(), "RAW_URI": self.path}


class RawTargetServer(WSGIServer):  # type: ignore[misc] # Django has no types
    """The development server, with that handler."""

    def __init__(self, address: Any, _: Any, **options: Any) -> None:
        super().__init__(address, RawTargetHandler, **options)


class Command(_Runserver):  # type: ignore[misc] # Django has no types
    """Django's own command, but for its server."""

    server_cls: type[Any] = RawTargetServer
