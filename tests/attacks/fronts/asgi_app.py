"""The plain ASGI middleware."""

from scopekey.enforce.asgi import ScopekeyMiddleware
from tests.attacks.fronts.asgi_routes import application, of_event
from tests.attacks.fronts.traced import PLANE

app = ScopekeyMiddleware(application(of_event), PLANE)
