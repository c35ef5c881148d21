"""Flask with `protect`: every view says what it needs."""

from flask import Flask

from scopekey.enforce.flask import protect, public, requires
from tests.attacks.cases import FILE
from tests.attacks.fronts.traced import PLANE
from tests.attacks.fronts.wsgi_routes import Traced, add

app = Flask(__name__, static_folder=None)
for rule in FILE["rules"]:
    add(
        app,
        rule["operation"],
        public() if rule.get("public") else requires(any_of=rule["any_of"], object=rule.get("object")),
    )
app.wsgi_app = Traced(app.wsgi_app)
protect(app, PLANE)
