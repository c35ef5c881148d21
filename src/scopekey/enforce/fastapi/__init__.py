"""Guards a FastAPI application with what its routes themselves declare.

``requires`` and ``public`` stand at a route, ``protect`` reads them off all routes and puts the
middleware in front, ``rules_of`` gives the same table to whoever applies it.
"""

from scopekey.enforce.fastapi.declare import public, requires
from scopekey.enforce.fastapi.protect import protect, rules_of
from scopekey.enforce.routes.table import RulesError

__all__ = ["RulesError", "protect", "public", "requires", "rules_of"]
