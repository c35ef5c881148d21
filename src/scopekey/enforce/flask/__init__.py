"""Guards a Flask application with what its routes themselves declare.

``requires`` and ``public`` stand at a view, ``protect`` (or ``Protection``, where an application is made by a
function) reads them off all routes and wraps the application, ``rules_of`` gives the same table to whoever
applies it, ``current_event`` tells a view who called.
"""

from scopekey.enforce.flask.declare import current_event, public, requires
from scopekey.enforce.flask.protect import Protection, protect, rules_of
from scopekey.enforce.routes.table import RulesError

__all__ = ["Protection", "RulesError", "current_event", "protect", "public", "requires", "rules_of"]
