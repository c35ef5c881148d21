"""The page of problem codes, from the closed list in `core/problem`."""

from scopekey.core.decision import DenialReason
from scopekey.core.problem import PROBLEMS, Problem
from tools.docs_text import page, table

ABOUT = """Every refusal is a problem document ([RFC 9457](https://www.rfc-editor.org/rfc/rfc9457)),
`application/problem+json`, with `type`, `title`, `status`, `detail`, `code` and `request_id`. Codes are public and
never reused. A caller with a live key is also told `key_id`, `operation`, `required` (a list of alternatives, each
a list of permissions) and `missing` (the shortest way to satisfy it); a revoked or expired key, where its secret
matched, only its `key_id`; anybody else nothing.

A check refuses with one of the first twelve codes: when several apply, with the first of them. The management API
answers with any."""

SETTING = "SCOPEKEY_MISSING_PERMISSION_STATUS"


def pages() -> dict[str, str]:
    """The page: a table of all, then a heading for each."""
    rows = [(f"[`{p.code}`](#{p.code})", str(p.status), _where(p)) for p in PROBLEMS.values()]
    text = page(
        "Problem codes",
        "`src/scopekey/core/problem.py`",
        ABOUT,
        table(("code", "status", "told by"), rows),
        *map(_problem, PROBLEMS.values()),
    )
    return {"docs/reference/problems.md": text}


def _where(problem: Problem) -> str:
    return "a check" if problem.code in list(DenialReason) else "the management API"


def _problem(problem: Problem) -> str:
    return (
        f"## {problem.code}\n\n**{problem.title}**, status {_status(problem)}. {problem.meaning}\n\n"
        f"What to do: {problem.action}\n\n{_challenge(problem)}"
    )


def _status(problem: Problem) -> str:
    if problem.code == DenialReason.MISSING_PERMISSION:
        return f"{problem.status}, or 403 where [{SETTING}](settings.md#{SETTING.lower()}) says so"
    return str(problem.status)


def _challenge(problem: Problem) -> str:
    if not problem.challenge:
        return ""
    scope = ', scope="…"' if problem.code == DenialReason.MISSING_PERMISSION else ""
    error = f', error="{problem.error}"' if problem.error else ""
    return f'`WWW-Authenticate: Bearer realm="…"{error}{scope}`'
