"""``scopekey demo``: a small real data platform, guarded, and the whole story played against it."""

from typing import Annotated

import typer

from scopekey.cli.acting import CannotActError


def demo(
    once: Annotated[bool, typer.Option("--once", help="Play the scenario and end.")] = False,
    gateway: Annotated[
        str | None, typer.Option(help="Guard the platform with a real proxy: nginx, caddy or haproxy.")
    ] = None,
    port: Annotated[int, typer.Option(help="The platform's port; the management API takes the next one.")] = 8701,
) -> None:
    """Play the main job: issue keys, call a guarded API, be refused with the reason."""
    from scopekey.demo.proxy import NoProxyError
    from scopekey.demo.run import run_demo
    from scopekey.demo.story import UnexpectedAnswerError

    try:
        run_demo(once=once, port=port, gateway=gateway)
    except UnexpectedAnswerError as error:
        raise CannotActError(f"the story did not come true: {error}") from error
    except NoProxyError as error:
        raise CannotActError(str(error)) from error
