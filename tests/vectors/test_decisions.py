import pytest

from scopekey.core.decide import decide
from scopekey.core.decision import Allowed
from scopekey.core.grant import Register
from scopekey.core.ids import KeyId, OrganizationId, PepperId
from scopekey.core.key import Key, Secret
from scopekey.core.network import parse_address, parse_network
from scopekey.core.organization import Organization, Policy
from scopekey.core.requirement import need
from tests.vectors.rows import catalog_of, requirement_of, vectors

FILE = vectors("decisions.json")
REGISTERS = {name: Register.first(catalog_of(catalog)) for name, catalog in FILE["catalogs"].items()}
ORGANIZATION = OrganizationId("org_abcdefABCDEF")


def key_of(written, secret, register):
    if written is None:
        return None
    return Key(
        KeyId("key_0123456789AB"),
        1,
        ORGANIZATION,
        "live",
        (secret,) if secret else (),
        register.parse(written["holds"]),
        written["created"],
        expires=written.get("expires"),
        networks=tuple(parse_network(text) for text in written.get("networks", ())),
        revoked=written.get("revoked"),
        probation=register.parse(written.get("probation", ())),
        probation_ends=written.get("probation_ends"),
        extensions=tuple(written.get("extensions", ())),
    )


def organization_of(written):
    if written is None:
        return None
    policy = Policy(written.get("max_key_age"), written.get("never_expires", False))
    return Organization(ORGANIZATION, "vectors", suspended=written.get("suspended", False), policy=policy)


def decided(row):
    register = REGISTERS[row.get("catalog", "default")]
    secret = None if row["secret"] is None else Secret(b"", PepperId("00000000"), until=row["secret"].get("until"))
    return decide(
        key_of(row["key"], secret, register),
        secret,
        organization_of(row["organization"]),
        None if row["any_of"] is None else need(requirement_of(row["any_of"], register), register),
        register=register,
        now=row["now"],
        address=parse_address(row["address"]) if row["address"] else None,
    )


@pytest.mark.parametrize("row", FILE["rows"], ids=lambda row: row["why"])
def test_each_call_is_decided(row):
    decision = decided(row)
    if isinstance(decision, Allowed):
        facts = {"allowed": True, "used": decision.used, "ends": decision.ends}
    else:
        facts = {"denied": decision.reason.value, "missing": list(map(str, decision.missing)), "ends": decision.ends}
    assert {name: row[name] for name in facts if name in row} == {name: facts[name] for name in facts if name in row}
    assert ("allowed" in row) is bool(decision)


@pytest.mark.parametrize("row", FILE["rows"], ids=lambda row: row["why"])
def test_only_who_sent_the_secret_is_told_about_the_key(row):
    assert (row.get("denied") != "unknown_key") is (decided(row).key is not None)
