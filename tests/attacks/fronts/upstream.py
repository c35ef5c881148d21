"""The platform behind a proxy: no check of its own, the caller is what the identity headers say."""

from tests.attacks.fronts.asgi_routes import application, of_headers

app = application(of_headers)
