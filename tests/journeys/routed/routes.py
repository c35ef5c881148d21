"""The routes every app has, in the order they are registered: the more specific first, as a first match wants it.

Each answers with itself and the values of its parameters, in a header, so that a HEAD is answered as well.
"""

import json
from urllib.parse import quote

ROUTES = (
    "GET /",
    "GET /datasets",
    "POST /datasets",
    "GET /datasets/mine",
    "GET /datasets/{dataset_id}",
    # These two cross: /datasets/mine/sample is both.
    "GET /datasets/mine/{part}",
    "GET /datasets/{dataset_id}/sample",
    "GET /jobs/",
    "GET /jobs/{job_id}/",
    "GET /orgs/{org}/users/{user}",
    "GET /orgs/{org}/{rest*}",
    "GET /files/{path*}",
    "GET /subs/id={sub_id}",
    "GET /subs/{name}",
    "GET /versions/{major}.{minor}",
    "GET /ranges/{start}-{end}",
    "GET /models/@cf",
    "GET /models/{model}",
    "GET /v2/a-b_c.d~e",
    "GET /v2/{anything}",
    "GET /café/{item}",
)


def header(operation: str, values: dict[str, str]) -> tuple[str, str]:
    """The header that says which route was reached, and with which values."""
    return "X-Routed", quote(json.dumps({"operation": operation, "values": values}))
