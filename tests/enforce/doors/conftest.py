"""The doors are tried on a real deployment."""

from tests.server.conftest import admin, api, begun, deployment, operator, place, tenant, url

__all__ = ["admin", "api", "begun", "deployment", "operator", "place", "tenant", "url"]
