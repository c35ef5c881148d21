"""``scopekey check``: explain one decision, step by step."""

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from scopekey.cli.acting import CannotActError, home
from scopekey.cli.output import AsJson, console, one_line
from scopekey.core.catalog import UnknownPermissionError
from scopekey.core.explain import Step, explain_call, explain_key
from scopekey.core.ids import KeyId, is_key_id
from scopekey.core.key import Key, Secret
from scopekey.core.requirement import Need, Requirement, need
from scopekey.core.rules import METHOD
from scopekey.replica.verifier import Verifier

if TYPE_CHECKING:
    from scopekey.server.node import Node

ALLOWED, DENIED = 0, 1


def check(
    key: Annotated[
        str, typer.Argument(metavar="key_…|-", help="A key's id, or - to read a printed key from standard input.")
    ],
    question: Annotated[
        str, typer.Argument(metavar="PERMISSION|CALL", help='`datasets:read`, or a call as in "GET /datasets/1".')
    ],
    address: Annotated[str | None, typer.Option(help="Where the call would come from.")] = None,
    as_json: AsJson = False,
) -> None:
    """Explain one decision: exits 0 when allowed, 1 when denied, 2 when it could not be asked."""
    with home() as node:
        steps = explain(node, key, question, address)
    print_steps(steps, as_json=as_json)
    raise typer.Exit(ALLOWED if steps[-1].passed else DENIED)


def explain(node: "Node", asked: str, question: str, address: str | None) -> tuple[Step, ...]:
    """The steps of a decision; the last one is the verdict."""
    verifier = node.verifier
    needed, steps, decided = _need(verifier, question)
    if decided is not None:
        return (*steps, decided)
    key, secret, denied = _key(verifier, asked)
    if key is None:
        return (*steps, *denied)
    register = verifier.register
    if register is None:
        raise CannotActError("the replica holds no catalog yet; run `scopekey init`")
    return (
        *steps,
        *denied,
        *explain_key(
            key,
            verifier.organization(key.organization),
            needed,
            register=register,
            now=node.authority.clock(),
            address=address,
            secret=secret,
        ),
    )


def _need(verifier: Verifier, question: str) -> tuple[Need | None, tuple[Step, ...], Step | None]:
    """What is needed, the steps so far, and the verdict where the key does not matter any more."""
    method, space, target = question.partition(" ")
    if space:
        if not METHOD.fullmatch(method) or not target.isascii():
            raise CannotActError(f'{question!r} is not a call: write it as in "GET /datasets/1"')
        matcher = verifier.applied.matcher()
        if matcher is None:
            raise CannotActError("the replica holds no rules yet; run `scopekey init`")
        steps, match = explain_call(matcher, method, target.encode("ascii"))
        if match is None:
            code = "unlisted_operation" if steps[0].passed else "unreadable_target"
            return None, steps, Step("decision", f"denied: {code}", passed=False)
        public = Step("decision", "allowed: public", passed=True) if match.need is None else None
        return match.need, steps, public
    register = verifier.register
    if register is None:
        raise CannotActError("the replica holds no catalog yet; run `scopekey init`")
    try:
        permission = register.catalog.permission(question)
    except UnknownPermissionError as error:
        raise CannotActError(f'{error}; a call is written as in "GET /datasets/1"') from error
    step = Step("requires", f"{permission} ({register.catalog.title(permission)})")
    return need(Requirement.all_of(permission), register), (step,), None


def _key(verifier: Verifier, asked: str) -> tuple[Key | None, Secret | None, tuple[Step, ...]]:
    if asked == "-":
        return _presented(verifier, sys.stdin.readline().strip())
    if not is_key_id(asked):
        raise CannotActError(
            "name the key by its id (key_…), or give - and the printed key on standard input: "
            "a secret is never taken as an argument, where other people of this machine could read it"
        )
    found = verifier.index.key(KeyId(asked))
    if found is None:
        unknown = (
            Step("key", "there is no such key", passed=False),
            Step("decision", "denied: unknown_key", passed=False),
        )
        return None, None, unknown
    return found, None, ()


def _presented(verifier: Verifier, printed: str) -> tuple[Key | None, Secret | None, tuple[Step, ...]]:
    key, secret = verifier.identify(printed)
    if key is None or secret is None:
        code = "malformed_key" if verifier.key_format.parse(printed) is None else "unknown_key"
        return (
            None,
            None,
            (Step("secret", "it opens no key", passed=False), Step("decision", f"denied: {code}", passed=False)),
        )
    return key, secret, (Step("secret", f"number {secret.number} of the key", passed=True),)


def print_steps(steps: Sequence[Step], *, as_json: bool) -> None:
    """One step a line, with its mark."""
    if as_json:
        import msgspec

        typer.echo(msgspec.json.format(msgspec.json.encode(steps), indent=2).decode())
        return
    width = max(len(step.question) for step in steps)
    marks = {True: ("✓", "green"), False: ("✗", "red"), None: ("·", "dim")}
    for step in steps:
        mark, style = marks[step.passed]
        console().print(
            Text(mark, style=style), Text(step.question.ljust(width), style="bold"), Text(one_line(step.found))
        )
