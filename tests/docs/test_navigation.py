"""The site's front page and its navigation name the same pages; pages that list something list all of it."""

import posixpath
import re

import yaml

from scopekey.core.decision import DenialReason
from scopekey.core.problem import PROBLEMS
from tests.docs.shell import ROOT
from tools.site import place

# Decisions are listed on a page of their own; the front page does not list itself.
LISTED_ELSEWHERE = re.compile(r"decisions/\*\.md|index\.md")


def text_of(page):
    return (ROOT / "docs" / page).read_text(encoding="utf-8")


def navigation():
    """The pages of each part of the navigation."""
    document = yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))
    return {title: set(pages(below)) for part in document["nav"] for title, below in part.items()}


def pages(below):
    if isinstance(below, str):
        return [] if LISTED_ELSEWHERE.fullmatch(below) else [below]
    return [page for item in (below.values() if isinstance(below, dict) else below) for page in pages(item)]


def front_page():
    """The pages each part of the front page links to."""
    parts = re.split(r"^## (.+)$", text_of("index.md"), flags=re.MULTILINE)[1:]
    return {
        title: {place(posixpath.normpath(posixpath.join("docs", link))) for link in re.findall(r"\]\(([^)#]+)", text)}
        for title, text in zip(parts[::2], parts[1::2], strict=True)
    }


def test_the_front_page_lists_all_pages_in_the_groups_of_the_navigation():
    assert navigation() == front_page()


def test_every_decision_is_in_the_list_of_decisions():
    written = {page.name for page in (ROOT / "docs" / "decisions").glob("0*.md")}
    assert written == set(re.findall(r"\]\((0[^)]+)\)", text_of("decisions/README.md")))


def test_troubleshooting_explains_every_code_of_a_check():
    table = text_of("sdk-authentication.md").partition("## Troubleshooting")[2].partition("These are the SDKs' own")[0]
    rows = re.findall(r"^\| `(\w+)` \|", table, flags=re.MULTILINE)
    assert sorted(code for code in PROBLEMS if code in list(DenialReason)) == sorted(rows)


def test_the_glossary_is_in_order_and_has_each_word_once():
    glossary = text_of("concepts.md").partition("## Glossary")[2]
    words = re.findall(r"^\| ([a-z ]+) \| (?!meaning)", glossary, flags=re.MULTILINE)
    assert len(words) > 25
    assert sorted(set(words)) == words
