import posixpath
import string
from urllib.parse import unquote

from hypothesis import given, settings
from hypothesis import strategies as st

from scopekey.core.target import Target, UnreadableTarget, read_target

PLAIN = string.ascii_letters + string.digits + "-._"
many = settings(max_examples=600, deadline=None)
PIECES = [
    *(b"/", b"/", b"/", b"a", b"B", b"7", b".", b"..", b"%2e", b"%2E", b"%2f", b"%5C", b"\\", b";", b"%3b", b"%25"),
    *(b"%", b"2e", b"2F", b"41", b"%c3%a9", b"%c0%af", b"%41", b"%7e", b"~", b"%20", b"+", b"@", b":", b"%00"),
    *(b"?", b"#", b"\xe9", b" ", b"%0a", b"%f0%9f%98%80", b"%3f", b"%23", b"=", b"&", b"'", b"*", b"-", b"_"),
]
targets = st.binary(max_size=40) | st.lists(st.sampled_from(PIECES), max_size=10).map(lambda p: b"/" + b"".join(p))


@many
@given(targets)
def test_any_bytes_are_read_or_refused(raw):
    assert isinstance(read_target(raw), Target | UnreadableTarget)


@many
@given(targets)
def test_the_canonical_path_is_read_as_the_same_target(raw):
    target = read_target(raw)
    if isinstance(target, Target):
        again = read_target(target.path.encode("ascii"))
        assert target == again
        assert isinstance(again, Target)
        assert target.path == again.path


@many
@given(targets)
def test_a_target_that_is_read_has_no_second_reading(raw):
    target = read_target(raw)
    if not isinstance(target, Target):
        return
    path = raw.partition(b"?")[0].decode("ascii")
    decoded = unquote(path, errors="strict")
    # Decoding before splitting, decoding twice, resolving dots, merging slashes: all give the same path.
    assert decoded == "/" + "/".join(target.segments)
    assert decoded == unquote(decoded)
    assert decoded == decoded.replace("\\", "/").partition(";")[0].partition("\0")[0]
    assert (decoded.rstrip("/") or "/") == posixpath.normpath(decoded)


@many
@given(
    st.lists(st.text(st.sampled_from("a7-~@:+&é") | st.characters(), min_size=1, max_size=6), min_size=1, max_size=4),
    st.data(),
)
def test_how_a_path_is_escaped_makes_no_difference(segments, data):
    def spell(text):
        return "".join(
            character
            if character in PLAIN or (character in "~@:+=$,!*'()&" and data.draw(st.booleans()))
            else "".join(f"%{byte:{data.draw(st.sampled_from(['02x', '02X']))}}" for byte in character.encode())
            for character in text
        )

    segments = [segment.encode("utf-8", "replace").decode() for segment in segments]
    one, other = (read_target(("/" + "/".join(map(spell, segments))).encode()) for _ in range(2))
    assert one == other
    if isinstance(one, Target):
        assert tuple(segments) == one.segments


@given(st.text(st.sampled_from(PLAIN), min_size=1, max_size=4), st.text(st.sampled_from("a/~@"), max_size=4), st.data())
def test_a_plain_character_that_is_escaped_makes_the_target_unreadable(escaped, rest, data):
    written = data.draw(st.permutations([f"%{ord(character):02x}" for character in escaped] + list(rest)))
    assert isinstance(read_target(("/" + "".join(written)).encode()), UnreadableTarget)
