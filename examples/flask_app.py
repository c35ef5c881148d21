"""Flask: every view says what it needs, and `protect` reads it off the routes.

Run: gunicorn flask_app:app --bind 127.0.0.1:8000
"""

from flask import Flask

from scopekey import Scopekey
from scopekey.enforce.flask import current_event, protect, public, requires

app = Flask(__name__, static_folder=None)
keys = Scopekey.open()  # the home folder of this machine


@app.get("/datasets/<int:dataset_id>")
@requires("datasets:read", object="dataset_id")
def show(dataset_id: int):
    return {"id": dataset_id, "asked_by": current_event().decision.key_id}


@app.delete("/datasets/<int:dataset_id>")
@requires("datasets:write", object="dataset_id")
def delete(dataset_id: int):
    return {"deleted": dataset_id}


@app.get("/healthz")
@public()
def healthz():
    return {"ok": True}


protect(app, keys)
