"""What the link check reads from a Markdown page: links and anchors, each with its line. Not a renderer."""

import re
from collections.abc import Container, Iterator
from dataclasses import dataclass
from itertools import count

FENCE = re.compile(r"^ {0,3}(?:> ?)*(?P<fence>`{3,}|~{3,})(?P<info>.*)$")
CODE = re.compile(r"(?<!`)(`+)(?!`)(.+?)(?<!`)\1(?!`)", re.DOTALL)
COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)

ATX = re.compile(r"^ {0,3}#{1,6}[ \t]+(?P<text>.*?)(?:[ \t]+#+)?[ \t]*$")
SETEXT = re.compile(r"^ {0,3}(?:=+|-+)[ \t]*$")
NAMED = re.compile(r"<[a-z][a-z0-9]*\b[^>]*?\b(?:id|name)=[\"']([^\"']+)[\"']", re.IGNORECASE)

INLINE = re.compile(
    r"\]\(\s*(?:<(?P<angled>[^>\n]*)>|(?P<bare>(?:[^\s()]|\([^\s()]*\))*))(?:\s+(?:\"[^\"]*\"|'[^']*'))?\s*\)"
)
DEFINITION = re.compile(r"^ {0,3}\[(?P<label>[^\]^][^\]]*)\]:\s*<?(?P<target>[^\s>]+)>?")
REFERENCE = re.compile(r"\[(?P<text>[^\[\]]+)\]\[(?P<label>[^\[\]]*)\]")
ATTRIBUTE = re.compile(r"<(?:a|img|source|script|link)\b[^>]*?\b(?:href|src|srcset)=[\"']([^\"']+)[\"']", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Link:
    """Where a page points, and from which line."""

    line: int
    target: str


def prose(text: str) -> list[str]:
    """The page's lines with fenced code and comments made empty, so that line numbers stay."""
    text = COMMENT.sub(lambda comment: "\n" * comment[0].count("\n"), text)
    lines: list[str] = []
    open_fence = ""
    for line in text.split("\n"):
        found = FENCE.match(line)
        if open_fence:
            if found and found["fence"].startswith(open_fence) and not found["info"].strip():
                open_fence = ""
            lines.append("")
        elif found and not (found["fence"][0] == "`" and "`" in found["info"]):
            open_fence = found["fence"]
            lines.append("")
        else:
            lines.append(line)
    return lines


def without_code(lines: list[str]) -> list[str]:
    """The same lines with code spans made empty, those over two lines too."""
    paragraphs = re.split(r"(\n\s*\n)", "\n".join(lines))
    return "".join(CODE.sub(lambda code: "\n" * code[0].count("\n"), part) for part in paragraphs).split("\n")


def slug(heading: str) -> str:
    """A heading's anchor as GitHub makes it: lower case, punctuation dropped, each space a hyphen."""
    text = re.sub(r"!?\[([^\]]*)\](?:\([^)]*\)|\[[^\]]*\])", r"\1", heading)
    text = re.sub(r"<[^>`]+>|[`*]", "", text)
    return re.sub(r"[^\w\- ]", "", text.strip().lower()).replace(" ", "-")


def unused(anchor: str, found: Container[str]) -> str:
    """The anchor, or the first numbered one that the page does not have yet, as GitHub numbers them."""
    numbered = (f"{anchor}-{number}" if number else anchor for number in count())
    return next(name for name in numbered if name not in found)


def headings(lines: list[str]) -> Iterator[str]:
    """The text of every heading, underlined ones included, in order."""
    for number, line in enumerate(lines):
        if found := ATX.match(line):
            yield found["text"]
        elif number and SETEXT.match(line) and re.match(r" {0,3}[^\s>#|*+-]", lines[number - 1]):
            yield lines[number - 1].strip()


def anchors(text: str) -> set[str]:
    """Everything a `#…` may point to on this page: headings (repeated ones numbered) and named elements."""
    lines = prose(text)
    found: set[str] = set()
    for heading in headings(lines):
        found.add(unused(slug(heading), found))
    return found | set(NAMED.findall("\n".join(without_code(lines))))


def links(text: str) -> tuple[list[Link], list[Link]]:
    """All links of a page; and beside them the references `[text][label]` that are defined nowhere on it."""
    found: list[Link] = []
    defined: set[str] = set()
    used: list[Link] = []
    lines = without_code(prose(text))
    for number, line in enumerate(lines, start=1):
        if definition := DEFINITION.match(line):
            defined.add(definition["label"].casefold())
            found.append(Link(number, definition["target"]))
            continue
        found += [Link(number, match["angled"] or match["bare"] or "") for match in INLINE.finditer(line)]
        found += [Link(number, target) for target in ATTRIBUTE.findall(line)]
        used += [Link(number, match["label"] or match["text"]) for match in REFERENCE.finditer(line)]
    return found, [reference for reference in used if reference.target.casefold() not in defined]
