"""Guards a Starlette application with what its endpoints themselves declare.

``requires`` and ``public`` decorate an endpoint, ``protect`` reads them off all routes and puts the
middleware in front, ``rules_of`` gives the same table to whoever applies it.
"""

from scopekey.enforce.routes.table import RulesError
from scopekey.enforce.starlette.declare import public, requires
from scopekey.enforce.starlette.protect import protect, rules_of

__all__ = ["RulesError", "protect", "public", "requires", "rules_of"]
