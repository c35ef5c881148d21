"""Any ASGI application, here a bare one: the middleware in front of it decides by the applied rules (rules.toml).

Run: uvicorn asgi_app:app --port 8000
"""

import json

from scopekey import Scopekey
from scopekey.enforce.asgi import Receive, Scope, ScopekeyMiddleware, Send


async def datasets(scope: Scope, _receive: Receive, send: Send):
    if scope["type"] != "http":
        raise NotImplementedError(scope["type"])
    dataset_id = scope["path"].removeprefix("/datasets/")
    if scope["path"] == "/healthz":
        answer = {"ok": True}
    elif scope["method"] == "DELETE":
        answer = {"deleted": int(dataset_id)}
    else:
        answer = {"id": int(dataset_id), "asked_by": scope["scopekey"].decision.key_id}
    headers = [(b"content-type", b"application/json")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": json.dumps(answer).encode()})


app = ScopekeyMiddleware(datasets, Scopekey.open())  # the home folder of this machine
