"""The management API's OpenAPI document as a file: what clients in other languages make their types from."""

import json
from typing import cast

from scopekey.server.app import management_api
from scopekey.server.node import Node
from tools.docs_http import NoNode

PATH = "spec/openapi.json"


def pages() -> dict[str, str]:
    """The document that a server with the settings' defaults serves at `/openapi.json`."""
    document = management_api(cast("Node", NoNode()), close=False).openapi()
    return {PATH: json.dumps(document, indent=1, ensure_ascii=True) + "\n"}
