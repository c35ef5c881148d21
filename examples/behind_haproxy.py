"""An API that knows nothing of keys, behind HAProxy, which asks Scopekey about each request and says who calls.

Run: python behind_haproxy.py --port 8000
"""

import sys
import tempfile
from pathlib import Path
from typing import Annotated

from fastapi import FastAPI, Header
from processes import start, together, write

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


def main(port: str):
    # 0700: nobody else gets in, so there is no way to the API but through HAProxy.
    with tempfile.TemporaryDirectory() as name, together() as started:
        folder = Path(name)
        api, check = folder / "api.sock", folder / "check.sock"
        write(folder, "haproxy", "haproxy.cfg", "scopekey.lua", port=port)
        started.append(start("scopekey", "serve", "--port", "0", "--socket", str(check), socket=check))
        started.append(start("uvicorn", "behind_haproxy:app", "--http", "h11", "--uds", str(api), socket=api))
        started.append(start("haproxy", "-db", "-f", f"{folder}/haproxy.cfg"))


if __name__ == "__main__":
    main(sys.argv[2])
