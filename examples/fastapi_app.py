"""FastAPI: every route says what it needs, and `protect` reads it off the routes.

Run: uvicorn fastapi_app:app --port 8000
"""

from fastapi import FastAPI, Request

from scopekey import Scopekey
from scopekey.enforce.fastapi import protect, public, requires

app = FastAPI()
keys = Scopekey.open()  # the home folder of this machine


@app.get("/datasets/{dataset_id}", dependencies=[requires("datasets:read", object="dataset_id")])
def show(dataset_id: int, request: Request):
    return {"id": dataset_id, "asked_by": request.scope["scopekey"].decision.key_id}


@app.delete("/datasets/{dataset_id}", dependencies=[requires("datasets:write", object="dataset_id")])
def delete(dataset_id: int):
    return {"deleted": dataset_id}


@app.get("/healthz", dependencies=[public()])
def healthz():
    return {"ok": True}


protect(app, keys)
