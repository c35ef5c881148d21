from scopekey.core.decision import Allowed, DenialReason, Denied
from scopekey.core.digest import Pepper
from scopekey.core.ids import KeyId, OrganizationId
from scopekey.core.key import Key, Secret
from scopekey.core.organization import Organization, Policy

PEPPER = Pepper(bytes(32))


def key(*printed, **parts):
    secrets = tuple(Secret(PEPPER.digest(text), PEPPER.id, number) for number, text in enumerate(printed, 1))
    return Key(KeyId("key_000000000000"), 1, OrganizationId("org_000000000000"), "live", secrets, 0, 100, **parts)


def ends(expires, **policy):
    return key(expires=expires).ends(Organization(OrganizationId("org_000000000000"), "o", policy=Policy(**policy)))


def test_the_secret_that_matched_is_told_from_the_other_one():
    both = key("old", "new")
    assert 1 == both.match(PEPPER.digest("old")).number
    assert 2 == both.match(PEPPER.digest("new")).number
    assert both.match(PEPPER.digest("none")) is None


def test_a_lowered_cap_reaches_keys_already_issued():
    assert 900 == ends(900)
    assert 110 == ends(900, max_key_age=10)
    assert 105 == ends(105, max_key_age=10)
    assert 110 == ends(900, max_key_age=10, never_expires=True)


def test_a_key_without_an_end_has_one_where_the_policy_no_longer_allows_it():
    assert ends(None) is None
    assert ends(None, max_key_age=10, never_expires=True) is None
    assert 110 == ends(None, max_key_age=10)


def test_a_pepper_does_not_show_its_secret():
    assert f"Pepper({PEPPER.id})" == repr(PEPPER)


def test_a_denial_is_false_and_says_nothing_about_a_key_it_does_not_have():
    denied = Denied(DenialReason.UNKNOWN_KEY)
    assert not denied
    assert denied.key_id is None
    assert "key_000000000000" == Denied(DenialReason.EXPIRED_KEY, key()).key_id
    assert Allowed()
    assert Allowed().key_id is None
