"""The record of a key: what was packed is unpacked, and nothing else is."""

import zlib
from ipaddress import ip_network

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scopekey.core.ids import ALPHABET, KeyId, OrganizationId, PepperId
from scopekey.core.key import Key, Secret
from scopekey.replica.record import DamagedRecordError, UnreadableRecordError, name_of, pack, seal, unpack, unseal

KEY = Key(
    KeyId("key_0123456789AB"),
    3,
    OrganizationId("org_abcdefghijkl"),
    "live",
    (Secret(b"\x11" * 32, PepperId("0a0b0c0d"), 2),),
    2**53 + 5,
    1_600_000_000_000,
    1_800_000_000_000,
)
UNUSUAL = msgspec.structs.replace(
    KEY,
    secrets=(*KEY.secrets, Secret(b"\x22" * 32, PepperId("ffffffff"), 3, 1_700_000_000_000, 2)),
    grant=1 << 100,
    networks=(ip_network("10.0.0.0/8"), ip_network("2001:db8::/32")),
    revoked=4,
    probation=1,
    probation_ends=5,
    extensions=("objects",),
)


def read(key_id, record):
    return unpack(key_id, name_of(key_id), record)


def flips(data):
    """The same bytes with one bit changed, for every bit."""
    for at in range(8 * len(data)):
        yield (int.from_bytes(data, "little") ^ 1 << at).to_bytes(len(data), "little")


def is_of_its_own(address):
    """Networks of IPv4 addresses inside IPv6 are refused where they are made: they mean the IPv4 ones."""
    return getattr(address, "ipv4_mapped", None) is None


times = st.integers(0, 2**62)
ids = st.text(ALPHABET, min_size=12, max_size=12)
secrets = st.builds(
    Secret,
    st.binary(min_size=32, max_size=32),
    st.binary(min_size=4, max_size=4).map(bytes.hex),
    st.integers(1, 2**20),
    st.none() | times,
    st.integers(1, 255),
)
keys = st.builds(
    Key,
    ids.map("key_".__add__),
    st.integers(1, 2**40),
    ids.map("org_".__add__),
    st.from_regex(r"[a-z0-9]{2,16}", fullmatch=True),
    st.lists(secrets, max_size=2).map(tuple),
    st.integers(0, 2**70) | st.integers(0, 2**600),
    times,
    st.none() | times,
    st.lists(st.ip_addresses().filter(is_of_its_own).map(ip_network), max_size=2).map(tuple),
    st.none() | times,
    st.integers(0, 2**70),
    st.none() | times,
    st.lists(st.text(max_size=8), max_size=2).map(tuple),
)


@given(keys)
def test_every_key_comes_back_as_it_was(key):
    assert key == read(key.id, pack(key))


def test_an_ordinary_key_is_these_87_bytes():
    expected = (
        "03 0300 0200 0500000000002000 00806e8774010000 00505c18a3010000"
        + "11" * 32
        + "01 0a0b0c0d 6162636465666768696a6b6c 04 6c697665"
    )
    sealed = bytes.fromhex(expected) + zlib.crc32(b"0123456789AB" + bytes.fromhex(expected)).to_bytes(4, "little")
    assert sealed == pack(KEY)
    assert 87 == len(pack(KEY))


def test_an_unusual_key_is_these_bytes():
    expected = (
        "049c03b06f72675f6162636465666768696a6b6ca46c6976659295c420" + "11" * 32 + "a8306130623063306402c00195c420"
        "" + "22" * 32 + "a8666666666666666603cf0000018bcfe5680002c40d00000000000000000000000010cf000001748"
        "76e8000cf000001a3185c500092aa31302e302e302e302f38ad323030313a6462383a3a2f333204c4010105"
        "91a76f626a65637473"
    )
    assert bytes.fromhex(expected) == unseal(name_of(UNUSUAL.id), pack(UNUSUAL))


@pytest.mark.parametrize("key", [KEY, UNUSUAL], ids=["ordinary", "unusual"])
def test_a_record_that_is_cut_short_or_too_long_is_refused(key):
    record = pack(key)
    value = unseal(name_of(key.id), record)
    for damaged in [*(record[:length] for length in range(len(record))), record + b"\0"]:
        with pytest.raises(DamagedRecordError):
            read(key.id, damaged)
    for wrong in [*(value[:length] for length in range(len(value))), value + b"\0"]:
        with pytest.raises(UnreadableRecordError):
            read(key.id, seal(name_of(key.id), wrong))


@pytest.mark.parametrize("key", [KEY, UNUSUAL], ids=["ordinary", "unusual"])
def test_no_bit_of_a_record_can_change_unnoticed(key):
    for damaged in flips(pack(key)):
        with pytest.raises(DamagedRecordError):
            read(key.id, damaged)


def test_a_record_under_another_name_is_damaged():
    with pytest.raises(DamagedRecordError, match="key_0123456789AC"):
        read(KeyId("key_0123456789AC"), pack(KEY))


@given(st.binary(max_size=20), st.binary(max_size=200))
def test_a_sealed_row_comes_back_as_it_was_and_no_bit_of_it_can_change(name, value):
    sealed = seal(name, value)
    assert (value, len(value) + 4) == (unseal(name, sealed), len(sealed))
    for damaged in flips(sealed):
        with pytest.raises(DamagedRecordError):
            unseal(name, damaged)


@pytest.mark.parametrize("number", [0, 1, 2, 255])
def test_a_format_that_is_not_known_is_refused(number):
    name = name_of(KEY.id)
    with pytest.raises(UnreadableRecordError, match=f"unknown format {number:02x}"):
        read(KEY.id, seal(name, bytes([number]) + unseal(name, pack(KEY))[1:]))
