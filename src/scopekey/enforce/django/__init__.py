"""Guards a Django project with what its views themselves declare, under WSGI and under ASGI.

``requires`` and ``public`` stand at views, ``ScopekeyMiddleware`` reads them off the URLconf, ``rules_of`` gives the
same table to whoever applies it. The app ``scopekey.enforce.django`` adds them to ``manage.py check``.
"""

from scopekey.enforce.django.declare import public, requires
from scopekey.enforce.django.middleware import ScopekeyMiddleware
from scopekey.enforce.django.rules import rules_of
from scopekey.enforce.routes.table import RulesError

__all__ = ["RulesError", "ScopekeyMiddleware", "public", "requires", "rules_of"]
