"""A control for the journey of several nodes: the same server, but nobody follows the database."""

from scopekey.server.app import create_app as create_real_app
from scopekey.server.node import Node


def create_app():
    Node.follow = lambda self: None
    return create_real_app()
