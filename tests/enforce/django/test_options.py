"""The setting `SCOPEKEY`: what each of its names does, and what it may not say."""

import json
import logging

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.test import override_settings
from django.urls import path

from scopekey.enforce.django import ScopekeyMiddleware, requires
from scopekey.testing import Keys
from tests.contract.door import request
from tests.enforce.django.views import who


def test_rules_that_are_not_the_applied_ones_are_warned_of(guarded, secret, send, caplog):
    guarded(path("a", requires("datasets:read")(who)), APPLIED=True)
    with caplog.at_level(logging.WARNING, "scopekey.enforce"):
        send(request(target=b"/a", secret=secret))
    assert "not the applied ones" in caplog.text


def test_keys_may_be_the_dotted_path_of_them(guarded, keys, secret, send, monkeypatch):
    monkeypatch.setattr(f"{__name__}.OURS", keys, raising=False)
    guarded(path("a", requires("datasets:read")(who)), keys=f"{__name__}.OURS")
    assert 200 == send(request(target=b"/a", secret=secret))[0]


@pytest.mark.parametrize(
    ("expected", "setting"),
    [
        ("must be what has the keys", {}),
        ("KEYZ, which means nothing", {"KEYZ": 1}),
        ("must be requires", {"KEYS": Keys("a:read"), "MOUNTS": {"/a/": "public"}}),
        ("is a dictionary", ["KEYS"]),
    ],
)
def test_a_setting_that_means_nothing_stops_the_start(expected, setting):
    with override_settings(SCOPEKEY=setting), pytest.raises(ImproperlyConfigured, match=expected):
        ScopekeyMiddleware(who)


def test_a_project_without_the_setting_does_not_start():
    with pytest.raises(ImproperlyConfigured, match="must be what has the keys"):
        ScopekeyMiddleware(who)


@pytest.mark.parametrize("setting", [{"REALM": 'a"b'}, {"MISSING_PERMISSION_STATUS": 200}, {"TRUSTED_PROXIES": ["no"]}])
def test_values_that_mean_nothing_stop_the_start(keys, setting):
    with override_settings(SCOPEKEY={"KEYS": keys, **setting}), pytest.raises(ValueError):  # noqa: PT011
        ScopekeyMiddleware(who)


def test_the_setting_says_how_refusals_are_worded_and_whose_forwarded_header_is_believed(guarded, keys, secret, send):
    options = {"REALM": "shop", "MISSING_PERMISSION_STATUS": 403, "TRUSTED_PROXIES": ["192.0.2.0/24"]}
    guarded(path("a", requires("datasets:write")(who)), **options)
    status, headers, body = send(
        request(target=b"/a", secret=secret, headers=[(b"X-Forwarded-For", b"198.51.100.9")], client="192.0.2.1")
    )
    assert (403, 403) == (status, json.loads(body)["status"])
    assert b'realm="shop"' in dict(headers)[b"www-authenticate"]
    assert "198.51.100.9" == keys.events[-1].address
