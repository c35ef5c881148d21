import pytest

from scopekey.core.template import InvalidTemplateError, Mixed, Template


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("a", "must begin with a slash"),
        ("/a?b", "a query or a fragment"),
        ("/a//b", "an empty segment"),
        ("/a/../b", "a dot segment"),
        ("/a;b", "semicolon"),
        ("/{a", "an unclosed brace"),
        ("/{a-}{b}", "nothing between them"),
        ("/x{a*}", "a segment of its own"),
        ("/{a*}/{b*}", "two parameters that span"),
        ("/%ff", "does not decode to UTF-8"),
    ],
)
def test_what_is_no_template_says_why_and_which(path, words):
    with pytest.raises(InvalidTemplateError, match=words) as caught:
        Template.parse(path)
    assert repr(path) in str(caught.value)


def test_the_names_of_parameters_stand_in_order():
    assert ("a", "b-c", "d.e", "f") == Template.parse("/{a}/x{b-c}.{d.e}/{f*}").names


@pytest.mark.parametrize(
    ("values", "segment"),
    [
        (("a", "b"), "xa.b"),
        (("a.b", "c"), "xa.b.c"),
        ((".", "."), "x..."),
        (None, "x.b"),
        (None, "xa."),
        (None, "a.b"),
        (None, ""),
    ],
)
def test_the_parts_of_a_mixed_segment_are_as_long_as_possible_from_the_left_and_never_empty(values, segment):
    mixed = Template.parse("/x{a}.{b}").segments[0]
    assert isinstance(mixed, Mixed)
    assert values == mixed.values(segment)


def test_only_the_names_of_parameters_make_no_difference_to_the_shape():
    assert Template.parse("/a/{x}/{y}b/{z*}").shape == Template.parse("/%61/{u}/{v}b/{w*}").shape
    shapes = [Template.parse(path).shape for path in ("/{x}", "/{x*}", "/{x}/", "/x", "/x{x}", "/{x}x", "/%7Bx%7D")]
    assert len(shapes) == len(set(shapes))
