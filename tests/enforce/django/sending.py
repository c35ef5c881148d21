"""Sends requests to the Django project as it is now, under WSGI and under ASGI."""

from django.core.handlers.asgi import ASGIHandler
from django.core.handlers.wsgi import WSGIHandler

from tests.contract.door_drivers import over_asgi, over_wsgi
from tests.contract.door_exchange import Upstream


def sync(app=None):
    return over_wsgi(app or WSGIHandler(), Upstream())


def on_a_loop(app=None):
    return over_asgi(app or ASGIHandler(), Upstream())
