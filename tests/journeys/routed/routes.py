"""The routes that every app has, in the order they are registered: the more specific first."""

import json
import os
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
    "GET /models/@cf",
    "GET /models/{model}",
    "GET /café/{item}",
    "GET /v2/{anything}",
    "GET /v2/a-b_c.d~e",
)
# The last one is more specific than the one before, and stays behind it: see `in_order`.


def in_order() -> tuple[str, ...]:
    """The routes with literals before parameters, as an app must register them where the first match wins."""
    return (*ROUTES[:-2], ROUTES[-1], ROUTES[-2])
