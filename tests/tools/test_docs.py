"""Generated docs: a difference fails the check and is written away."""

from tools.docs import check, difference, write


def test_a_page_that_agrees_passes(tmp_path):
    write({"docs/a.md": "one\n"}, tmp_path)
    assert "one\n" == (tmp_path / "docs" / "a.md").read_text()
    assert 0 == check({"docs/a.md": "one\n"}, tmp_path)


def test_a_page_that_is_out_of_date_fails_with_its_difference(tmp_path, capsys):
    write({"a.md": "one\n"}, tmp_path)
    assert 1 == check({"a.md": "two\n"}, tmp_path)
    assert "-one\n+two\n" in capsys.readouterr().out


def test_a_page_that_is_missing_is_out_of_date_even_when_empty(tmp_path):
    assert "a.md is missing\n" == difference("a.md", "", tmp_path)
