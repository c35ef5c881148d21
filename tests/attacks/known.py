"""What real servers and proxies do with some cases beside the law: not Scopekey's to mend, each with its reason.

A test holds that each of them still happens: what was mended is taken out here.
"""

from fnmatch import fnmatchcase

import msgspec


class Known(msgspec.Struct, frozen=True):
    """A breach that is known: on which fronts, in which cases, what is found, and why.

    `seldom`: whether it happens is a matter of moments, so nothing holds that it still does.
    """

    fronts: tuple[str, ...]
    cases: str
    found: str
    why: str
    seldom: bool = False

    def covers(self, front: str, case: str, breach: str) -> bool:
        """Whether a breach is this one."""
        there = any(fnmatchcase(front, pattern) for pattern in self.fronts)
        return there and fnmatchcase(case, self.cases) and fnmatchcase(breach, self.found)


KNOWN = (
    Known(
        ("*, gunicorn*",),
        "request_line/bare_cr",
        "there is a secret in an answer",
        "gunicorn 27 quotes the request line that it cannot read to whoever sent it, and in its own log. Where a bare "
        "CR ends every line, that is the whole request, the caller's own key included",
    ),
    Known(
        ("wsgi, gunicorn*", "flask, gunicorn*"),
        "framing/chunk_*",
        "it was answered with 500",
        "gunicorn 27 reads a body when the application does, and raises an exception of its own there for chunks that "
        "it cannot read; Flask answers that with 500. The check was over by then",
    ),
    Known(
        ("*, gunicorn believing",),
        "underscores/script_name_*",
        "it was answered with 500",
        "gunicorn 27 takes SCRIPT_NAME from a peer that it trusts, and answers 500 by itself where that is no prefix "
        "of the path. Nothing is asked, and nothing is served",
    ),
    Known(
        ("django, gunicorn asgi",),
        "*",
        "it was answered with 500",
        "gunicorn 27 takes a websocket handshake for a websocket, of which Django 5.2 wants to know nothing. Nothing "
        "is asked, and nothing is served",
    ),
    Known(
        ("caddy, *",),
        "framing/*",
        "it was answered with 502",
        "Caddy 2.6 hands a body on while it reads it, and says 502 for chunks that it cannot read, though they are the "
        "client's",
    ),
    Known(
        ("caddy, uvicorn h11",),
        "size/*",
        "it was answered with 502",
        "Caddy 2.6 says 502 where the API closes before it has read all of a long request, and uvicorn with h11 may",
        seldom=True,
    ),
    Known(
        ("haproxy, uvicorn httptools",),
        "framing/chunk_trailer_*",
        "*, where it was decided *",
        "HAProxy 2.6 hands trailers on, and uvicorn with httptools adds them to the header fields of the request: an "
        "identity in a trailer stands beside the true one. An API on uvicorn behind HAProxy runs with --http h11",
    ),
)


def unknown(front: str, case: str, breaches: list[str]) -> list[str]:
    """The breaches of a case that nobody knows of."""
    return [breach for breach in breaches if not any(known.covers(front, case, breach) for known in KNOWN)]
