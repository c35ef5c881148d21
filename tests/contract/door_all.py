"""What every adapter and every door must do, whatever it stands in front of."""

import json
import string

import pytest

from scopekey.core.problem import PROBLEMS
from scopekey.testing import Keys
from tests.contract.door_exchange import PERMISSIONS, RULES, Seen, Upstream, exchange, request
from tests.contract.door_record import RecordContract
from tests.contract.door_refusals import DOCUMENT, LIVE, REFUSALS

FORGED = [
    (b"Scopekey-Key-Id", b"key_000000000000"),
    (b"Scopekey-Organization", b"org_000000000000"),
    (b"Scopekey-Environment", b"test"),
    (b"Scopekey-Used", b"jobs:write"),
]
TOLD = ("scopekey-requires", "scopekey-missing", "scopekey-key-expires")
"""What only a live key is told."""
PREFLIGHT = [(b"Origin", b"https://a.example"), (b"Access-Control-Request-Method", b"GET")]


class DoorContract(RecordContract):
    """What adapters and doors have in common. `serve` gives the function that sends one request."""

    def serve(self, keys, upstream, *, cors_preflight=False):
        raise NotImplementedError

    def leaving(self, status):
        """The status that leaves where this one is meant."""
        return status

    def told(self, answer):
        """The status and the document of a refusal, as the client will get them."""
        assert "application/problem+json" == answer.field("content-type")
        assert str(len(answer.body)) == answer.field("content-length")
        return answer.status, json.loads(answer.body)

    @pytest.fixture
    def keys(self):
        return Keys(*PERMISSIONS, rules=RULES)

    @pytest.fixture
    def upstream(self):
        return Upstream()

    @pytest.fixture
    def door(self, keys, upstream):
        send = self.serve(keys, upstream)
        return lambda asked: exchange(send, keys, upstream, asked)

    @pytest.fixture
    def secret(self, keys):
        return keys.add("datasets:read")

    def test_an_allowed_request_reaches_the_application_which_knows_whose_it_is(self, keys, door):
        secret = keys.add("datasets:read", "datasets:write")
        answer, key = door(request(secret=secret)), keys.key(secret)
        assert 200 == answer.status
        assert Seen("GET", "/datasets/7", key.id, key.organization, "live", "datasets:read") == answer.seen

    def test_a_key_goes_in_either_field_and_the_scheme_in_any_case(self, door, secret):
        for name, value in ((b"X-API-Key", b"%s"), (b"Authorization", b"bearer  %s"), (b"AUTHORIZATION", b"BEARER %s")):
            assert 200 == door(request(headers=[(name, value % secret.encode())])).status

    def test_the_query_is_no_part_of_what_is_decided(self, door, secret):
        answer = door(request(target=b"/datasets/7?x=/../open&a=%2F", secret=secret))
        assert (200, "/datasets/7") == (answer.status, answer.seen.path)

    @pytest.mark.parametrize("row", REFUSALS, ids=lambda row: f"{row.code}-{row.name}")
    def test_each_refusal_is_told_as_the_contract_has_it_and_recorded(self, keys, upstream, door, row):
        answer = door(row.asks(keys))
        status, document = self.told(answer)
        assert (row.status, row.status, row.code, row.code) == (
            status,
            document["status"],
            document["code"],
            answer.field("scopekey-code"),
        )
        assert (self.leaving(row.status), row.challenge, "no-store") == (
            answer.status,
            answer.field("www-authenticate"),
            answer.field("cache-control"),
        )
        assert (set(row.members), PROBLEMS[row.code].type) == (set(document), document["type"])
        assert (row.status == 503) is (answer.field("retry-after") is not None)
        assert ([], [row.code]) == (upstream.seen, [event.decision.reason for event in answer.records])
        assert row.members == LIVE or [None] * 3 == [answer.field(name) for name in TOLD]

    def test_the_words_are_the_same_for_a_wrong_id_and_a_wrong_secret(self, keys, door):
        named = [(b"X-Request-Id", b"same")]
        wrong = [row.asks(keys) for row in REFUSALS if row.code == "unknown_key"]
        first, second = (door(asked._replace(headers=(*asked.headers, *named))) for asked in wrong)
        assert first[:3] == second[:3]

    def test_a_live_key_is_told_what_is_required_when_it_ends_and_what_is_missing(self, keys, door):
        secret = keys.add("jobs:write", "datasets:read", expires_in=90 * 86_400_000)
        allowed, refused = door(request(secret=secret)), door(request("POST", b"/runs", secret))
        assert ["datasets:read", None, "2026-04-01T00:00:00.000Z"] == [allowed.field(name) for name in TOLD]
        alternatives = "datasets:read, datasets:write, jobs:write; datasets:write, jobs:write"
        assert [alternatives, "datasets:write", "2026-04-01T00:00:00.000Z"] == [refused.field(name) for name in TOLD]
        document = self.told(refused)[1]
        assert (keys.key(secret).id, "POST /runs", [part.split(", ") for part in alternatives.split("; ")]) == (
            document["key_id"],
            document["operation"],
            document["required"],
        )
        assert ["datasets:write"] == document["missing"]

    def test_a_key_that_never_ends_is_told_no_end(self, door, secret):
        assert door(request(secret=secret)).field("scopekey-key-expires") is None

    def test_the_status_of_a_missing_permission_is_a_setting_and_of_nothing_else(self, keys, door, secret):
        keys.missing_permission_status = 403
        answer = door(request("POST", b"/datasets", secret))
        status, document = self.told(answer)
        assert (403, 403, 403) == (answer.status, status, document["status"])
        assert 401 == door(request("GET", b"/nowhere", secret)).status

    def test_any_live_key_may_do_what_needs_no_permission_and_nobody_else(self, keys, door):
        assert [200, 401] == [door(request(target=b"/whoami", secret=secret)).status for secret in (keys.add(), None)]

    def test_no_credential_is_looked_at_where_everybody_may(self, keys, door, secret):
        for headers in (
            [],
            [(b"X-API-Key", secret.encode())],
            [(b"X-API-Key", b"nonsense")],
            [(b"Authorization", b"Bearer a, Bearer b")],
            [(b"X-API-Key", secret.encode()), (b"Authorization", b"Bearer b")],
        ):
            answer = door(request(target=b"/open", headers=headers))
            assert (200, Seen("GET", "/open")) == (answer.status, answer.seen)
            assert [None] * 3 == [answer.field(name) for name in TOLD]

    def test_report_only_lets_through_says_what_is_missing_and_records_a_no(self, keys, door, secret):
        answer, key = door(request("POST", b"/trial", secret)), keys.key(secret)
        assert Seen("POST", "/trial", key.id, key.organization, "live", "") == answer.seen
        assert (200, "datasets:write", "datasets:write") == (
            answer.status,
            answer.field("scopekey-missing"),
            answer.field("scopekey-requires"),
        )
        [event] = answer.records
        assert (True, False, "missing_permission") == (event.reported, bool(event.decision), event.decision.reason)

    def test_report_only_forgives_nothing_but_a_missing_permission(self, keys, door, secret):
        keys.revoke(secret)
        answers = [door(request("POST", b"/trial", presented)) for presented in (secret, None, "nonsense")]
        assert [(401, None)] * 3 == [(answer.status, answer.seen) for answer in answers]

    def test_head_is_decided_as_get_unless_it_is_listed(self, keys, door, secret):
        allowed = door(request("HEAD", b"/datasets/7", secret))
        assert (None, "datasets:read") == (allowed.field("scopekey-code"), allowed.field("scopekey-requires"))
        assert ["GET /datasets/{id}"] == [event.operation for event in allowed.records]
        refused = door(request("HEAD", b"/listed", secret))
        assert (401, "missing_permission", "jobs:write", None) == (
            refused.status,
            refused.field("scopekey-code"),
            refused.field("scopekey-missing"),
            refused.seen,
        )
        assert 200 == door(request("HEAD", b"/listed", keys.add("jobs:write"))).status

    def test_options_is_an_operation_like_any_other(self, keys, door, secret):
        for headers in ([], PREFLIGHT):
            answer = door(request("OPTIONS", b"/datasets/7", headers=headers))
            assert (401, None) == (answer.status, answer.seen)
            assert 401 == door(request("OPTIONS", b"/listed", secret, headers=headers)).status
            listed = door(request("OPTIONS", b"/listed", keys.add("datasets:write"), headers=headers))
            assert (200, "OPTIONS") == (listed.status, listed.seen.method)

    def test_a_preflight_passes_only_where_the_rules_let_it_and_only_a_real_one(self, keys, upstream):
        send = self.serve(keys, upstream, cors_preflight=True)
        passed = exchange(send, keys, upstream, request("OPTIONS", b"/datasets/7", headers=PREFLIGHT))
        assert (None, True) == (passed.field("scopekey-code"), bool(passed.records[0].decision))
        for headers in (PREFLIGHT[:1], PREFLIGHT[1:]):
            answer = exchange(send, keys, upstream, request("OPTIONS", b"/datasets/7", headers=headers))
            assert (401, "no_credential") == (answer.status, answer.field("scopekey-code"))

    @pytest.mark.parametrize("target", [b"/datasets/7", b"/open", b"/trial"])
    def test_what_a_client_says_about_who_it_is_is_not_believed(self, keys, door, secret, target):
        method = "POST" if target == b"/trial" else "GET"
        plain, forged = door(request(method, target, secret)), door(request(method, target, secret, headers=FORGED))
        assert (200, plain.seen) == (forged.status, forged.seen)
        refused = door(request(method, b"/datasets/7", headers=FORGED))
        assert (401, None) == (refused.status, refused.seen)

    @pytest.mark.parametrize("given", [b"trace-1.a:b_c", b"7", b"x" * 64])
    def test_a_sane_request_id_is_kept(self, door, given):
        answer = door(request(headers=[(b"X-Request-Id", given)]))
        found = (answer.field("x-request-id"), self.told(answer)[1]["request_id"], answer.records[0].request_id)
        assert (given.decode(),) * 3 == found

    @pytest.mark.parametrize("given", [[], [b""], [b"a b"], [b"a\r\nb"], [b"x" * 65], [b"a", b"b"], [b"\xff"], [b"-a"]])
    def test_any_other_request_id_is_replaced(self, door, given):
        answer = door(request(headers=[(b"X-Request-Id", value) for value in given]))
        made = answer.field("x-request-id")
        assert ("req_", 24, True) == (made[:4], len(made), set(made[4:]) <= set(string.hexdigits))
        assert (made, made) == (self.told(answer)[1]["request_id"], answer.records[0].request_id)

    def test_an_allowed_answer_carries_the_request_id_of_its_record(self, door, secret):
        answer = door(request(secret=secret, headers=[(b"X-Request-Id", b"trace-1")]))
        assert ("trace-1", "trace-1") == (answer.field("x-request-id"), answer.records[0].request_id)

    def test_a_printed_key_is_no_request_id(self, door, secret):
        answer = door(request(headers=[(b"X-Request-Id", secret.encode())]))
        assert secret not in repr(answer[:3]) + answer.records[0].request_id

    def test_a_position_that_was_reached_holds_nobody_back(self, keys, door, secret):
        assert 200 == door(request(secret=secret, headers=[position(keys)])).status

    def test_a_position_that_does_not_come_is_a_503_and_is_recorded(self, keys, door, secret):
        answer = door(request(secret=secret, headers=[position(keys, 1)]))
        status, document = self.told(answer)
        assert (503, "stale_replica", None) == (status, document["code"], answer.seen)
        assert (keys.key(secret).id, DOCUMENT | {"key_id"}) == (document["key_id"], set(document))
        assert [("stale_replica", "GET /datasets/{id}")] == [(e.decision.reason, e.operation) for e in answer.records]

    @pytest.mark.parametrize("told", [[b"another-99"], [b"nonsense"], [b"testing-"], [b"testing-99", b"testing-99"]])
    def test_what_is_no_position_of_this_feed_is_ignored(self, door, secret, told):
        assert 200 == door(request(secret=secret, headers=[(b"Scopekey-Position", value) for value in told])).status

    def test_only_who_has_a_genuine_key_is_told_that_a_position_was_not_reached(self, keys, door, secret):
        ahead = [position(keys, 5)]
        wrong = secret[:-7] + ("0" if secret[-7] != "0" else "1") + secret[-6:]
        for presented in (wrong, "nonsense", None):
            assert 401 == door(request(secret=presented, headers=ahead)).status
        assert 200 == door(request(target=b"/open", secret=secret, headers=ahead)).status


def position(keys, ahead=0):
    """The header field of a client that has been at the present position, or so many ahead of it."""
    return b"Scopekey-Position", f"testing-{keys.index.place().position + ahead}".encode()
