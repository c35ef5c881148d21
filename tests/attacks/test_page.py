"""The page of the doors tells what was measured; `--write-doors` writes it anew."""

import pytest

from tests.attacks.page import PAGE, versions, written
from tests.attacks.registry import FRONTS


def test_the_page_of_the_doors_tells_what_was_measured(all_measured, request):
    if missing := [front.name for front in FRONTS if front.name not in all_measured]:
        pytest.skip(f"{len(missing)} fronts were not measured")
    page = PAGE.read_text("utf-8")
    told = written(page, [all_measured[front.name] for front in FRONTS])
    if request.config.getoption("--write-doors", False):
        PAGE.write_text(told, "utf-8")
        return
    if versions() not in page:
        pytest.skip(f"the page was measured with other versions. {versions()}")
    assert told == page
