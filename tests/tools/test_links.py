"""The link check: what it finds, and what it leaves alone."""

import pytest

from tools.links import pages, problems
from tools.markdown import anchors

GOOD = """# Title

See [below](#two-words), [again](#two-words-1), [a page](docs/page.md#part), [a line](code.py#L2),
![picture](<docs/page.md>).
Also [elsewhere](https://example.org/a_(b)?c#d), <a href="docs">docs</a>, [by name][page], `[code](nowhere.md)`,
`[x][y]`.

```text
[fenced](nowhere.md)
```

<!-- [hidden](nowhere.md) -->
## Two words
## Two words
Underlined: `code`, and *more*
------------------------------
<a id="named"></a> [named](#named) [underlined](#underlined-code-and-more)

[page]: docs/page.md
"""


@pytest.fixture
def root(tmp_path):
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "page.md").write_text("# Page\n## Part\n[up](../README.md#title)\n")
    (tmp_path / "code.py").write_text("one\ntwo\n")
    (tmp_path / "README.md").write_text(GOOD)
    return tmp_path


def test_a_good_page_has_no_problems(root):
    assert [] == [line for page in pages(root) for line in problems(page, root)]


@pytest.mark.parametrize(
    ("expected", "link"),
    [
        ("no such file", "[a](docs/missing.md)"),
        ("no heading or anchor #missing there", "[a](#missing)"),
        ("no heading or anchor #Part there", "[a](docs/page.md#Part)"),
        ("it has no line 3", "[a](code.py#L1-L3)"),
        ("#two is not a line (#L7, #L7-L9)", "[a](code.py#two)"),
        ("a folder has no anchors", "[a](docs#part)"),
        ("leads out of the repository", "[a](../../etc)"),
        ("begins with /, which is another place on every host", "[a](/docs/page.md)"),
        ("no host in it", "[a](https:///path)"),
        ("no scheme in it", "[a](//example.org)"),
        ("a link of the kind file: leads nowhere from a page", "[a](file:///docs)"),
        ("an empty link", "[a]()"),
        ("is defined nowhere on the page", "[a][nowhere]"),
        ("no such file", '<img src="missing.png">'),
        ("no such file", "[nowhere]: missing.md"),
        ("no such file", "[![badge](docs/page.md)](missing.md)"),
    ],
)
def test_a_bad_link_is_told_with_its_file_and_line(root, expected, link):
    page = root / "bad.md"
    page.write_text(f"# Bad\n\n{link}\n")
    [told] = problems(page, root)
    assert told.startswith("bad.md:3: ")
    assert told.endswith(f": {expected}")


@pytest.mark.parametrize(
    ("expected", "heading"),
    [
        ("first-five-minutes", "# First five minutes"),
        ("scopekey-keys-createlist", "## `scopekey keys` create|list"),
        ("401-403-and-why", "### 401, 403 — and why?".replace(" —", "")),
        ("a--b", "# A & b"),
        ("snake_case-and-a-link", "# snake_case and [a link](x.md)"),
        ("größe", "# Größe #"),
    ],
)
def test_an_anchor_is_made_as_on_github(expected, heading):
    assert {expected} == anchors(heading)
