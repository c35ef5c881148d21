"""Random values of `core` for the laws: small alphabets, so that things really meet."""

from hypothesis import strategies as st

from scopekey.core.catalog import Catalog, Resource
from scopekey.core.grant import Register
from scopekey.core.ids import KeyId, OrganizationId, PepperId
from scopekey.core.key import Key, Secret
from scopekey.core.network import parse_address, parse_network
from scopekey.core.organization import Organization, Policy
from scopekey.core.requirement import Requirement

PLAIN = Register.first(
    Catalog("plain", tuple(Resource(name, name.title(), "Group", ("read", "write")) for name in ("a", "b", "c")))
)
IMPLYING = Register.first(
    Catalog(
        "implying",
        tuple(Resource(name, name.title(), "Group", ("read", "write", "admin")) for name in ("a", "b")),
        levels=("read", "write", "admin"),
        implies={"write": ("read",), "admin": ("write",)},
    )
)
NOW = 1_000_000
SECRET = Secret(b"", PepperId("00000000"))
ORGANIZATION = Organization(OrganizationId("org_000000000000"), "laws")
NETWORKS = tuple(map(parse_network, ("10.0.0.0/8", "10.1.0.0/16", "10.1.2.3", "2001:db8::/32", "0.0.0.0/0")))
ADDRESSES = (None, *map(parse_address, ("10.1.2.3", "10.9.9.9", "203.0.113.1", "2001:db8::1")))

registers = st.sampled_from([PLAIN, IMPLYING])
times = st.integers(NOW - 3, NOW + 3)
ends = st.none() | times


def platform(register):
    """The permissions of the platform alone, by name."""
    return [name for name in register.bits if not name.startswith("scopekey_")]


def grants(register):
    return st.frozensets(st.sampled_from(platform(register)))


def requirements(register):
    alternatives = st.lists(st.lists(st.sampled_from(platform(register)), max_size=3, unique=True), max_size=3)
    return alternatives.map(
        lambda any_of: Requirement(tuple(tuple(map(register.catalog.permission, names)) for names in any_of))
    )


def keys(register):
    return st.builds(
        lambda held, expires, networks, revoked, probation, probation_ends: Key(
            KeyId("key_000000000000"),
            1,
            ORGANIZATION.id,
            "live",
            (SECRET,),
            register.parse(held),
            NOW - 2,
            expires=expires,
            networks=tuple(networks),
            revoked=revoked,
            probation=register.parse(probation),
            probation_ends=probation_ends,
        ),
        grants(register),
        ends,
        st.lists(st.sampled_from(NETWORKS), max_size=2),
        st.none() | st.none() | times,
        grants(register),
        ends,
    )


organizations = st.builds(
    lambda age, never, suspended: Organization(
        ORGANIZATION.id, "laws", suspended=suspended, policy=Policy(age, never_expires=never)
    ),
    st.none() | st.integers(0, 5),
    st.booleans(),
    st.sampled_from([False, False, False, True]),
)
addresses = st.sampled_from(ADDRESSES)
