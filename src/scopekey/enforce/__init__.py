"""The adapters: find the credential, ask the verifier, answer. They judge nothing themselves.

``credential`` and ``respond`` are shared by all; ``asgi`` guards any ASGI application, ``fastapi``
reads its rules off the application's own routes.
"""
