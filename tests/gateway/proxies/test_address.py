"""Nothing gets into a configuration as an address that could end a value there and begin something else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scopekey.gateway.proxies.address import Address


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("http://127.0.0.1:8700", Address("127.0.0.1", 8700)),
        ("http://127.0.0.1:8700/", Address("127.0.0.1", 8700)),
        ("gateway-1.internal:80", Address("gateway-1.internal", 80)),
        ("http://[::1]:8700", Address("[::1]", 8700)),
        ("unix:/run/scopekey/check.sock", Address(path="/run/scopekey/check.sock")),
    ],
)
def test_an_address_is_read(written, read):
    assert read == Address.parse(written)
    assert read == Address.parse(str(read))


@pytest.mark.parametrize(
    "written",
    [
        "",
        "http://",
        "127.0.0.1",
        "http://127.0.0.1:0",
        "http://127.0.0.1:65536",
        "http://127.0.0.1:8700/path",
        "http://127.0.0.1:8700;return 200",
        "http://user@host:80",
        "a b:80",
        'a":80',
        "a{b}:80",
        "a\nb:80",
        "a:80\n",
        "$host:80",
        "-a:80",
        "unix:",
        "unix:relative.sock",
        "unix:/a b",
        "unix:/a;b",
        "unix:/a\n",
        "unix:/a'",
        "unix:/a{$HOME}",
        "unix:/" + "a" * 107,
    ],
)
def test_what_is_no_address_is_refused(written):
    with pytest.raises(ValueError, match="is no address"):
        Address.parse(written)


def test_https_is_refused_with_what_to_do():
    with pytest.raises(ValueError, match=r"HTTPS.*give an address of this machine"):
        Address.parse("https://api.example:443")


def test_a_proxy_listens_on_a_port():
    assert Address("127.0.0.1", 8080) == Address.listen("127.0.0.1:8080")
    with pytest.raises(ValueError, match="listens on host:port"):
        Address.listen("unix:/run/proxy.sock")


@given(st.text() | st.from_regex(r"(http://|unix:/)?[\x00-\xff]{1,20}(:[0-9]{1,5})?", fullmatch=True))
def test_no_text_at_all_gets_syntax_through(text):
    try:
        address = Address.parse(text)
    except ValueError:
        return
    assert set(" \t\r\n\"'`;{}$#\\%<>()=,*|&").isdisjoint(str(address))
