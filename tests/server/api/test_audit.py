"""The audit log over HTTP: searched, proved, given away, and each organization sees its own."""

import csv
import io
import json

import msgspec
import pytest

from scopekey.audit.checkpoint import read_checkpoint
from scopekey.audit.entry import Entry, canonical
from scopekey.audit.merkle import leaf_hash
from scopekey.audit.note import VerifierKey
from scopekey.audit.proof import check_proof, read_proof
from scopekey.audit.tiles import bundle_path, decode_bundle
from tests.contract.sealed import HOSTILE, decision
from tests.server.running import problem

READ = "scopekey_audit:read"
ENTRIES = "/v1/audit/entries"


@pytest.fixture
def auditor(api, deployment, tenant):
    """Calls with the key of a tenant that may read its own log."""
    return api(deployment.key(READ, organization=tenant)[1])


@pytest.fixture
def stranger(api, deployment):
    """Calls with the same of another tenant."""
    return api(deployment.key(READ, organization=deployment.tenant("Other"))[1])


@pytest.fixture
def sealed(deployment, tenant):
    """300 sealed decisions about a tenant's key, one of them about what somebody made up."""
    made = [decision(number, organization=tenant, object=HOSTILE if number == 7 else None) for number in range(300)]
    with deployment.node.store.writing() as tx:
        tx.entries.append([canonical(one) for one in made])
    deployment.seal()
    return made


def found(answer):
    assert 200 == answer.status_code, answer.text
    return answer.json()["items"]


def key_of(caller):
    return VerifierKey.parse(caller("GET", "/v1/audit/key").text.strip())


def test_an_entry_is_told_with_its_place_its_hash_and_its_text(auditor, sealed):
    (item,) = found(auditor("GET", ENTRIES, params={"request_id": "req_7"}))
    body = canonical(sealed[7])
    assert (body.decode(), leaf_hash(body).hex()) == (item["body"], item["hash"])
    assert msgspec.to_builtins(sealed[7]) == item["entry"]
    assert "1970-01-01T00:00:01.007000Z" == item["at"]


def test_pages_are_followed_by_their_cursor_in_both_orders(auditor, sealed):
    for order in ("newest", "oldest"):
        seen, asked = [], {"order": order, "limit": 120, "kind": "decision", "key": sealed[0].key}
        while True:
            page = auditor("GET", ENTRIES, params=asked).json()
            seen += [item["entry"]["request_id"] for item in page["items"]]
            if page["next"] is None:
                break
            asked["cursor"] = page["next"]
        expected = [entry.request_id for entry in sealed]
        assert (expected if order == "oldest" else expected[::-1]) == seen


def test_who_follows_the_log_asks_for_what_came_after(auditor, deployment, sealed):
    page = auditor("GET", ENTRIES, params={"order": "oldest", "limit": 200, "after": 250}).json()
    assert all(item["index"] > 250 for item in page["items"])
    size = read_checkpoint(auditor("GET", "/v1/audit/checkpoint").text, key_of(auditor)).size
    assert (None, size - 1) == (page["next"], page["through"])
    after = auditor("GET", ENTRIES, params={"order": "oldest", "after": page["through"]}).json()
    assert ([], None, size - 1) == (after["items"], after["next"], after["through"])


UNASKABLE = [
    ({"key": "acme"}, "key"),
    ({"decision": "maybe"}, "decision"),
    ({"kind": "secret"}, "kind"),
    ({"permission": "datasets"}, "permission"),
    ({"since": "yesterday"}, "since"),
    ({"until": "2027-02-21T09:00:00"}, "until"),
    ({"since": "2027-13-21T09:00:00Z"}, "since"),
    ({"after": -1}, "after"),
    ({"action": "a\x00b"}, "action"),
    ({"operation": "GET /\x1b[2J"}, "operation"),
    ({"cursor": "bm90aGluZw"}, "cursor"),
    ({"limit": 0}, "limit"),
]


def test_what_cannot_be_looked_for_is_refused_by_field(auditor):
    for asked, field in UNASKABLE:
        for path in (ENTRIES,) if field in {"cursor", "limit"} else (ENTRIES, "/v1/audit/export"):
            answer = auditor("GET", path, params=asked)
            assert ((422, "invalid_request"), field) == (problem(answer), answer.json()["field"]), asked


def test_every_call_needs_the_permission(api, deployment):
    caller = api(deployment.key("scopekey_keys:read")[1])
    for path in ("entries", "entries/0", "export", "checkpoint", "key", "tile/0/000.p/1"):
        assert (401, "missing_permission") == problem(caller("GET", f"/v1/audit/{path}"))


def test_an_organization_finds_its_own_entries_and_the_operator_all(auditor, stranger, operator, tenant, sealed):
    owners = {item["entry"]["organization"] for item in found(auditor("GET", ENTRIES, params={"limit": 200}))}
    assert {tenant} == owners
    assert 300 < len(export(operator))
    assert 300 + 1 + 1 == len(export(auditor)), "its decisions, its own making and that of its key"
    assert sealed[0].key not in json.dumps(export(stranger))
    assert export(auditor) == export(operator, organization=tenant)


def export(caller, **asked):
    answer = caller("GET", "/v1/audit/export", params=asked)
    assert 200 == answer.status_code
    return [json.loads(line) for line in answer.text.split("\n")[:-1]]


def test_what_is_not_yours_and_what_is_not_there_are_the_same_bytes(auditor, stranger, sealed):
    (item,) = found(auditor("GET", ENTRIES, params={"request_id": "req_7"}))
    answers = []
    for path in (f"{ENTRIES}/{item['index']}", f"{ENTRIES}/123456", f"{ENTRIES}/{2**53 - 1}"):
        answer = stranger("GET", path, headers={"X-Request-Id": "same"})
        answers.append((answer.status_code, answer.content, {**answer.headers, "date": ""}))
    assert [answers[0]] * 3 == answers
    assert 404 == answers[0][0]
    theirs = stranger("GET", ENTRIES, params={"key": sealed[0].key, "request_id": "req_7"})
    nobodys = stranger("GET", ENTRIES, params={"key": "key_000000000000", "request_id": "req_7"})
    assert theirs.content == nobodys.content
    for path in (ENTRIES, "/v1/audit/export"):
        assert (404, "not_found") == problem(
            stranger("GET", path, params={"organization": item["entry"]["organization"]})
        )


def test_an_entry_comes_with_a_proof_that_the_public_key_alone_can_check(auditor, sealed):
    (item,) = found(auditor("GET", ENTRIES, params={"request_id": "req_7"}))
    proven = auditor("GET", f"{ENTRIES}/{item['index']}").json()
    proof = read_proof(msgspec.json.encode(proven["proof"]))
    assert (sealed[7], item["index"]) == (check_proof(proof, key_of(auditor)), proof.index)
    assert item == {name: value for name, value in proven.items() if name != "proof"}


def test_before_anything_is_sealed_there_is_nothing(operator):
    assert ([], None) == tuple(operator("GET", ENTRIES).json()[name] for name in ("items", "next"))
    for path in ("checkpoint", "key", "entries/0", "tile/0/000.p/1", "tile/entries/000.p/1"):
        assert (404, "not_found") == problem(operator("GET", f"/v1/audit/{path}"))


def test_tiles_have_every_width_up_to_the_present_one_and_never_other_bytes(auditor, sealed):
    whole = auditor("GET", "/v1/audit/tile/0/000")
    assert (200, 8192) == (whole.status_code, len(whole.content))
    assert "application/octet-stream" == whole.headers["content-type"]
    assert "private, max-age=31536000, immutable" == whole.headers["cache-control"]
    part = auditor("GET", "/v1/audit/tile/0/000.p/17")
    assert whole.content[: 17 * 32] == part.content
    assert 32 == len(auditor("GET", "/v1/audit/tile/1/000.p/1").content)


def test_a_tile_that_is_not_there_is_a_problem_document(auditor, sealed):
    for path in ("0/001", "0/001.p/200", "1/000", "0/1", "0/000.p/0", "0/000.p/256", "64/000", "x", "0/0x0", "-1/000"):
        assert (404, "not_found") == problem(auditor("GET", f"/v1/audit/tile/{path}")), path


def test_bundles_of_entries_are_for_the_operator_alone(auditor, operator, sealed):
    bundle = operator("GET", "/v1/audit/tile/entries/000")
    leaves = [leaf_hash(entry) for entry in decode_bundle(bundle.content)]
    assert operator("GET", "/v1/audit/tile/0/000").content == b"".join(leaves)
    assert problem(auditor("GET", "/v1/audit/tile/entries/000")) == problem(auditor("GET", "/v1/audit/tile/0/999"))


def test_what_was_archived_is_said_to_be_elsewhere_or_served_from_there(place, sealed, operator, deployment, tmp_path):
    from scopekey.authority.archive_log import archive_log

    before = operator("GET", "/v1/audit/tile/entries/000").content
    folder = tmp_path / "archive"
    assert (0, 256) == archive_log(deployment.node.store, folder, before=2**53)
    assert (503, "unavailable") == problem(operator("GET", "/v1/audit/tile/entries/000"))
    assert (404, "not_found") == problem(operator("GET", f"{ENTRIES}/7"))
    deployment.node.settings = deployment.node.settings.model_copy(update={"audit_archive": folder})
    assert before == operator("GET", "/v1/audit/tile/entries/000").content
    assert before == (folder / bundle_path(0)).read_bytes()
    assert 200 == operator("GET", f"{ENTRIES}/256").status_code


def test_an_export_in_csv_is_exact(auditor, sealed):
    answer = auditor("GET", "/v1/audit/export", params={"format": "csv", "kind": "decision"})
    assert answer.headers["content-type"].startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(answer.text, newline="")))
    assert [canonical(one).decode() for one in sealed] == [row["entry"] for row in rows]
    assert HOSTILE == rows[7]["object"]
    assert [leaf_hash(canonical(one)).hex() for one in sealed] == [row["hash"] for row in rows]


def test_a_time_that_nobody_can_write_down_does_not_keep_others_from_being_found(operator, deployment):
    late = Entry(nonce="0" * 32, at=2**53 - 1, kind="decision", allowed=True)
    with deployment.node.store.writing() as tx:
        tx.entries.append([canonical(late)])
    deployment.seal()
    first = found(operator("GET", ENTRIES))[0]
    assert ("9999-12-31T23:59:59.999000Z", 2**53 - 1) == (first["at"], first["entry"]["at"])
    assert 200 == operator("GET", "/v1/audit/export", params={"format": "csv"}).status_code
