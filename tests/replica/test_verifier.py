"""The verifier over an index: the order of refusals, rotation, policy, rules, and what is recorded."""

import contextlib

import msgspec
import pytest

from scopekey.core.catalog import UnknownPermissionError
from scopekey.core.digest import Pepper
from scopekey.core.ids import KeyId
from scopekey.core.key import Secret
from scopekey.core.keyformat import KeyFormat
from scopekey.core.network import parse_network
from scopekey.core.organization import Policy
from scopekey.core.permission import Permission
from scopekey.core.requirement import Requirement
from scopekey.core.rules import Mode, Operation, Rule, Rules
from scopekey.replica.freshness import HomeFreshness
from scopekey.replica.journal import DONE
from scopekey.replica.lmdb_index import LmdbIndex
from scopekey.replica.memory_index import MemoryIndex
from scopekey.replica.place_row import PLACE
from scopekey.replica.record import DamagedRecordError, name_of
from scopekey.replica.verifier import Absent, Verifier
from tests.contract.index import ORGANIZATION, REGISTER, apply, key, load

NOW = 1_800_000_000_000
PEPPER, OLD_PEPPER = Pepper(b"p" * 32), Pepper(b"o" * 32)
FORMAT = KeyFormat()
ID = KeyId("key_000000000001")
FIRST, SECOND = (FORMAT.print("live", ID, bytes([number]) * 32) for number in (1, 2))
READ = Requirement.all_of(Permission("datasets", "read"))
WRITE = Requirement.all_of(Permission("datasets", "write"))
RULES = Rules(
    (
        Rule(Operation.parse("GET /datasets/{id}"), READ, "id"),
        Rule(Operation.parse("POST /datasets"), WRITE),
        Rule(Operation.parse("DELETE /datasets/{id}"), WRITE, None, Mode.REPORT),
        Rule(Operation.parse("GET /open"), None),
    )
)
GENUINE = (Secret(PEPPER.digest(FIRST), PEPPER.id),)


def holding(**fields):
    """The key of these tests: it may read datasets."""
    return key(1, **{"secrets": GENUINE, "grant": REGISTER.parse(["datasets:read"])} | fields)


class Remembering:
    """A journal that keeps its events where a test can see them."""

    def __init__(self):
        self.events = []

    def append(self, event):
        self.events.append(event)
        return DONE

    def close(self):
        pass


class Bench:
    """A verifier over a dictionary, whose clock is moved by hand."""

    def __init__(self, index, *states):
        self.now = NOW
        self.index = index
        self.journal = Remembering()
        load(index, *states)
        self.begin_anew()

    def begin_anew(self):
        """A verifier that has read nothing yet."""
        self.verifier = Verifier(
            self.index,
            key_format=FORMAT,
            peppers={PEPPER.id: PEPPER, OLD_PEPPER.id: OLD_PEPPER},
            journal=self.journal,
            clock=lambda: self.now,
            freshness=HomeFreshness(self.index.behind_since, stale_after=5_000, refuse_after=60_000),
        )

    def check(self, printed=FIRST, *permissions, **options):
        decision = self.verifier.check(printed, *(permissions or ("datasets:read",)), **options)
        return "allowed" if decision else decision.reason.value

    def ask(self, method="GET", target=b"/datasets/42", credential=FIRST, *, address=None, preflight=False):
        event, _ = self.verifier.applied.request(
            method, target, credential, address=address, request_id="r-1", preflight=preflight
        )
        return event

    def answer(self, *arguments, **options):
        decision = self.ask(*arguments, **options).decision
        return "allowed" if decision else decision.reason.value


@pytest.fixture(params=[MemoryIndex, LmdbIndex])
def index(request, tmp_path):
    index = request.param(*[tmp_path / "replica"] * (request.param is LmdbIndex))
    yield index
    if request.param is LmdbIndex:
        index.close()


@pytest.fixture
def bench(index):
    return Bench(index, REGISTER, RULES, ORGANIZATION, holding())


# The refusals in the order in which they are told: each row also deserves every refusal after it.
NETWORKS = (parse_network("10.0.0.0/8"),)
TYPO = FIRST[:-1] + ("0" if FIRST[-1] != "0" else "1")
ORDER = [
    ("unreadable_target", {"revoked": 1}, ("GET", b"/datasets//42", Absent.AMBIGUOUS)),
    ("no_credential", {"revoked": 1}, ("GET", b"/nowhere", Absent.NONE)),
    ("ambiguous_credential", {"revoked": 1}, ("GET", b"/nowhere", Absent.AMBIGUOUS)),
    ("malformed_key", {"revoked": 1}, ("GET", b"/nowhere", "sck_live_short")),
    ("malformed_key", {"revoked": 1}, ("GET", b"/nowhere", TYPO)),
    ("unknown_key", {"revoked": 1, "expires": 1}, ("GET", b"/nowhere", SECOND)),
    ("revoked_key", {"revoked": 1, "expires": 1, "networks": NETWORKS}, ("GET", b"/nowhere", FIRST)),
    ("expired_key", {"expires": NOW, "networks": NETWORKS}, ("GET", b"/nowhere", FIRST)),
    ("address_not_allowed", {"networks": NETWORKS, "grant": 0}, ("GET", b"/nowhere", FIRST)),
    ("unlisted_operation", {"grant": 0}, ("GET", b"/nowhere", FIRST)),
    ("missing_permission", {"grant": 0}, ("GET", b"/datasets/42", FIRST)),
    ("allowed", {}, ("GET", b"/datasets/42", FIRST)),
]


@pytest.mark.parametrize(("expected", "fields", "request_"), ORDER)
def test_the_first_refusal_of_the_order_is_told(index, expected, fields, request_):
    bench = Bench(index, REGISTER, RULES, ORGANIZATION, holding(**fields))
    assert expected == bench.answer(*request_)


@pytest.mark.parametrize(("credential", "expected"), [("sck_live_short", "malformed_key"), (SECOND, "stale_replica")])
def test_a_replica_too_far_behind_refuses_after_the_shape_of_the_key_was_read(bench, credential, expected):
    bench.index.pend(b"t" * 16, NOW - 60_001)
    assert expected == bench.answer(credential=credential)


def test_a_replica_behind_marks_then_refuses_and_is_level_again(bench):
    bench.index.pend(b"t" * 16, NOW)
    answers = []
    for later in (5_000, 6_001, 60_000, 61_001):
        bench.now = NOW + later
        event = bench.ask()
        answers.append((bool(event.decision), event.stale))
    assert [(True, False), (True, True), (True, True), (False, True)] == answers
    with bench.index.writing() as writer:
        writer.settle(b"t" * 16)
    bench.now += 1_000
    assert (True, False) == (bool(bench.ask().decision), bench.ask().stale)


ROWS = [name_of(ID), b"~organization/" + ORGANIZATION.id.encode(), b"~catalog", b"~rules", PLACE]


@pytest.mark.parametrize("name", ROWS)
def test_no_changed_bit_of_a_row_ever_allows_a_call_that_was_refused(tmp_path, name):
    bench = Bench(LmdbIndex(tmp_path / "replica"), REGISTER, RULES, ORGANIZATION, holding(revoked=NOW))
    files = bench.index._files
    files.on_damage = lambda message: None
    row = bench.index._get(name)
    for at in range(8 * len(row)):
        flipped = (int.from_bytes(row, "little") ^ 1 << at).to_bytes(len(row), "little")
        with files.environment.begin(write=True) as transaction:
            transaction.put(name, flipped)
        answered = "not checked"
        with contextlib.suppress(DamagedRecordError):
            bench.begin_anew()
            answered = bench.answer()
        # No check reads the place.
        assert answered == ("revoked_key" if name == PLACE else "not checked")
    bench.index.close()


def test_an_empty_index_refuses_everything_but_never_as_a_permission(index):
    bench = Bench(index)
    assert ["stale_replica", "stale_replica"] == [bench.check(), bench.answer()]
    load(index, REGISTER, RULES, ORGANIZATION, holding())
    assert ["allowed", "allowed"] == [bench.check(), bench.answer()]


def test_both_secrets_of_a_rotation_work_until_the_overlap_ends(bench):
    old = Secret(PEPPER.digest(FIRST), PEPPER.id, 1, until=NOW + 10)
    apply(bench.index, holding(secrets=(old, Secret(PEPPER.digest(SECOND), PEPPER.id, 2))))
    assert [("allowed", 1), ("allowed", 2)] == [
        (bench.check(printed), bench.verifier.check(printed, "datasets:read").secret.number)
        for printed in (FIRST, SECOND)
    ]
    bench.now = NOW + 10
    assert ["expired_key", "allowed"] == [bench.check(FIRST), bench.check(SECOND)]


def test_secrets_under_two_peppers_work_and_under_a_third_do_not(bench):
    secrets = (Secret(OLD_PEPPER.digest(FIRST), OLD_PEPPER.id), Secret(PEPPER.digest(SECOND), PEPPER.id, 2))
    apply(bench.index, holding(secrets=secrets))
    assert ["allowed", "allowed"] == [bench.check(FIRST), bench.check(SECOND)]
    elsewhere = Pepper(b"e" * 32)
    apply(bench.index, holding(secrets=(Secret(elsewhere.digest(FIRST), elsewhere.id),)))
    assert "unknown_key" == bench.check()


def test_a_secret_digested_in_a_way_that_is_not_known_matches_nothing(bench):
    apply(bench.index, holding(secrets=(msgspec.structs.replace(GENUINE[0], scheme=2),)))
    assert "unknown_key" == bench.check()


def test_two_credentials_are_refused_whatever_they_are(bench):
    assert "ambiguous_credential" == bench.answer(credential=Absent.AMBIGUOUS)


def test_a_revocation_counts_from_the_next_check_on(bench):
    assert "allowed" == bench.check()
    apply(bench.index, holding(revoked=NOW))
    assert "revoked_key" == bench.check()


def test_a_changed_policy_reaches_the_copies_at_once(bench):
    assert "allowed" == bench.check()
    apply(bench.index, msgspec.structs.replace(ORGANIZATION, policy=Policy(max_key_age=1_000)))
    assert "expired_key" == bench.check()
    apply(bench.index, msgspec.structs.replace(ORGANIZATION, suspended=True))
    assert "revoked_key" == bench.check()


def test_changed_rules_reach_the_compiled_table_at_once(bench):
    assert "allowed" == bench.answer()
    apply(bench.index, Rules((Rule(Operation.parse("GET /datasets/{id}"), WRITE),)))
    assert "missing_permission" == bench.answer()


def test_where_the_catalog_is_gone_the_rules_that_were_compiled_are_gone_too(bench):
    assert "allowed" == bench.answer("GET", b"/open")
    load(bench.index, position=9)
    assert "stale_replica" == bench.answer("GET", b"/open")


def test_an_application_may_bring_rules_of_its_own(bench):
    guard = bench.verifier.guard(Rules((Rule(Operation.parse("GET /mine"), READ),)))
    event, _ = guard.request("GET", b"/mine", FIRST, address=None, request_id="r")
    assert bool(event.decision)
    assert "unlisted_operation" == bench.answer("GET", b"/mine")


def test_head_is_decided_as_get(bench):
    assert "allowed" == bench.answer("HEAD")
    assert "GET /datasets/{id}" == bench.ask("HEAD").operation


def test_a_rule_that_reports_lets_a_missing_permission_pass_and_nothing_else(bench):
    event = bench.ask("DELETE")
    assert ("missing_permission", True, True) == (event.decision.reason.value, event.reported, event.proceeds)
    apply(bench.index, holding(revoked=NOW))
    event = bench.ask("DELETE")
    assert ("revoked_key", False, False) == (event.decision.reason.value, event.reported, event.proceeds)


def test_a_public_operation_looks_at_no_credential(bench):
    event = bench.ask("GET", b"/open", "nonsense")
    assert (True, None) == (bool(event.decision), event.decision.key)


def test_a_key_with_networks_needs_an_address_inside(bench):
    apply(bench.index, holding(networks=NETWORKS))
    addresses = [None, "192.0.2.1", "10.1.2.3", "::ffff:10.1.2.3", "nonsense"]
    expected = ["address_not_allowed", "address_not_allowed", "allowed", "allowed", "address_not_allowed"]
    assert expected == [bench.check(address=address) for address in addresses]


def test_a_key_with_an_extension_that_is_not_known_is_refused(bench):
    apply(bench.index, holding(extensions=("objects",)))
    assert "stale_replica" == bench.check()


def test_a_permission_that_does_not_exist_is_the_callers_mistake(bench):
    with pytest.raises(UnknownPermissionError, match="datasets:reed"):
        bench.check(FIRST, "datasets:reed")


def test_one_request_is_one_event_with_its_operation_object_and_position(bench):
    apply(bench.index, key(2))
    bench.ask("GET", b"/datasets/42?full=1", address="192.0.2.1")
    (event,) = bench.journal.events
    assert ("GET /datasets/{id}", "42", 2, "192.0.2.1", "r-1", NOW) == (
        event.operation,
        event.object,
        event.position,
        event.address,
        event.request_id,
        event.at,
    )
