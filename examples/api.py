"""An API that knows nothing of keys, for the examples behind a proxy: who calls stands in a header field.

Run by behind_nginx.py, behind_caddy.py and behind_haproxy.py, on a Unix socket that only the proxy can open.
"""

from typing import Annotated

from fastapi import FastAPI, Header

app = FastAPI()


@app.get("/datasets/{dataset_id}")
def show(dataset_id: int, scopekey_key_id: Annotated[str, Header()]):
    return {"id": dataset_id, "asked_by": scopekey_key_id}


@app.delete("/datasets/{dataset_id}")
def delete(dataset_id: int):
    return {"deleted": dataset_id}


@app.get("/healthz")
def healthz():
    return {"ok": True}
