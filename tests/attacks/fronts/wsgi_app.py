"""The plain WSGI middleware."""

from scopekey.enforce.wsgi import ScopekeyWSGIMiddleware
from tests.attacks.fronts.traced import PLANE
from tests.attacks.fronts.wsgi_routes import Traced, routed

app = ScopekeyWSGIMiddleware(Traced(routed()), PLANE)
