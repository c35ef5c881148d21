"""A control for the revocation journey: the same server, but what it commits is not applied to the replica."""

from scopekey.replica.lmdb_writer import LmdbWriter
from scopekey.server.app import create_app as create_real_app


def create_app():
    LmdbWriter.apply = lambda self, changes: None
    return create_real_app()
