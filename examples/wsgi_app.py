"""Any WSGI application, here a bare one: the middleware in front of it decides by the applied rules (rules.toml).

Run: gunicorn wsgi_app:app --bind 127.0.0.1:8000
"""

import json
from wsgiref.types import StartResponse, WSGIEnvironment

from scopekey import Scopekey
from scopekey.enforce.wsgi import ScopekeyWSGIMiddleware


def datasets(environ: WSGIEnvironment, start_response: StartResponse):
    dataset_id = environ["PATH_INFO"].removeprefix("/datasets/")
    if environ["PATH_INFO"] == "/healthz":
        answer = {"ok": True}
    elif environ["REQUEST_METHOD"] == "DELETE":
        answer = {"deleted": int(dataset_id)}
    else:
        answer = {"id": int(dataset_id), "asked_by": environ["scopekey.event"].decision.key_id}
    start_response("200 OK", [("Content-Type", "application/json")])
    return [json.dumps(answer).encode()]


app = ScopekeyWSGIMiddleware(datasets, Scopekey.open())  # the home folder of this machine
