import pytest

from scopekey.core.overlap import Templates, meet, meetings, sample_for
from scopekey.core.template import Template


def template(text):
    return Template.parse(text)


@pytest.mark.parametrize(
    ("path", "one", "other"),
    [
        ("a/b", "/a/b", "/a/{x}"),
        ("a/b", "/a/{x}", "/{y}/b"),
        ("a/x", "/a/{x}", "/{y}/{z}"),
        ("k=x.x", "/k={x}", "/{a}.{b}"),
        ("xbxdx", "/{a}b{c}", "/{a}d{c}"),
        ("abxcd", "/ab{x}d", "/a{x}cd"),
        ("a/b", "/{p*}/b", "/a/{q*}"),
        ("a/x/b", "/a/{x}/{p*}", "/{q*}/{y}/b"),
        ("a/", "/a/{p*}", "/{x}/"),
    ],
)
def test_two_templates_meet_on_a_path(path, one, other):
    assert tuple(path.split("/")) == meet(template(one), template(other)).path


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("/a/b", "/a/c"),
        ("/a/{x}", "/a"),
        ("/a/{x}", "/a/"),
        ("/a{x}", "/b{x}"),
        ("/{x}a", "/{x}b"),
        ("/ab{x}", "/ab"),
        ("/{x}/{p*}", "/a"),
        ("/{p*}/a", "/{p*}/b"),
        ("/A", "/a"),
    ],
)
def test_two_templates_do_not_meet(one, other):
    assert meet(template(one), template(other)) is None
    assert meet(template(other), template(one)) is None


def test_three_templates_meet_where_each_two_do():
    three = template("/a/{x}/{y}"), template("/{x}/b/{y}"), template("/{x}/{y}/c")
    assert ("a", "b", "c") == meet(*three).path


def test_what_spans_meets_on_a_path_of_every_length_and_with_a_slash_at_the_end():
    paths = [meeting.path for meeting in meetings(template("/a/{p*}"), longest=3)]
    assert [("a", "x"), ("a", ""), ("a", "x", "x"), ("a", "x", "")] == paths


def test_the_index_leaves_out_what_cannot_meet():
    index = Templates()
    for text in ("/a/{x}", "/b/{x}", "/{x}/c", "/{p*}", "/a"):
        index.add(template(text))
    assert [0, 2, 3] == list(index.rivals(template("/a/{y}")))
    assert [0, 1, 2, 3, 4] == list(index.rivals(template("/z/{p*}")))


def test_a_sample_is_nothing_a_template_looks_for():
    assert "x" == sample_for([template("/export/{x}")])
    assert "y" == sample_for([template("/x/{x}")])
    assert "z" == sample_for([template("/a{x}xy")])
