"""The runnable blocks of a Markdown page, in order, and what running one means.

A fenced `python` block is run; a `console` block's `$ ` lines are run and must print what stands beneath them, where
`…` stands for anything. Comments right before a block: `<!-- not run: reason -->` leaves it out, `<!-- file: name
-->` writes it to a file instead. `<!-- run: command -->` runs a command that readers do not see. `<!-- needs: program
-->` anywhere leaves out the page where a program that readers have is not installed; a page that needs `node` finds
the package `scopekey` beside it. A python line's `# → text` is what it prints. A command that ends in `&` is a server
on port 8000, or on the `--port 800n` it names, and goes on until `kill %n` (the nth of the page) or the page's end.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import takewhile

NOTE = re.compile(r"<!-- (?P<kind>not run|file|run): (?P<text>.+?) -->")
FENCE = re.compile(r"(?P<fence>`{3,})(?P<kind>\w*)$")
NEEDS = re.compile(r"^<!-- needs: (\S+) -->$", re.MULTILINE)
PROMPT = "$ "


@dataclass(frozen=True)
class Block:
    """A block and the line its text begins at. `note` is the kind and the text of the comment before it."""

    kind: str
    text: str
    line: int
    note: tuple[str, str] = ("", "")


@dataclass(frozen=True)
class Command:
    """A command of a console block, and what it prints."""

    text: str
    output: str


def blocks(page: str) -> Iterator[Block]:
    """Every fenced block of a page; a hidden command is a console block of its own."""
    note = ("", "")
    lines = iter(enumerate(page.split("\n"), start=1))
    for number, line in lines:
        if found := NOTE.fullmatch(line):
            note = (found["kind"], found["text"])
            if note[0] == "run":
                yield Block("console", PROMPT + note[1] + "\n…", number)
        elif opened := FENCE.fullmatch(line):
            inside = takewhile(lambda pair, fence=opened["fence"]: pair[1] != fence, lines)
            yield Block(opened["kind"], "\n".join(text for _, text in inside) + "\n", number + 1, note)
        if line.strip() and not NOTE.fullmatch(line):
            note = ("", "")


def commands(text: str) -> list[Command]:
    """The commands of a console block; one that ends in a backslash goes on in the next line."""
    found: list[Command] = []
    for start in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
        lines = start.rstrip("\n").split("\n")
        length = next(n for n, line in enumerate(lines, start=1) if not line.endswith("\\"))
        found.append(Command("\n".join(lines[:length]), "\n".join(lines[length:])))
    return found


def printed(text: str) -> list[str]:
    """What a python block says that it prints."""
    return re.findall(r"# → (.+)$", text, flags=re.MULTILINE)


def needed(page: str) -> list[str]:
    """The programs without which a page cannot be run."""
    return NEEDS.findall(page)


def fits(expected: str, actual: str) -> bool:
    """Tell whether an output is what is shown, `…` standing for anything. Trailing blanks say nothing."""
    pattern = r".*?".join(map(re.escape, _lines(expected).split("…")))
    return re.fullmatch(pattern, _lines(actual), flags=re.DOTALL) is not None


def _lines(text: str) -> str:
    return "\n".join(line.rstrip() for line in text.strip("\n").split("\n"))
