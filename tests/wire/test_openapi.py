import pytest
from hypothesis import given
from hypothesis import strategies as st

from scopekey.core.catalog import Catalog, Resource
from scopekey.core.rules import Rules
from scopekey.wire.catalog_file import read_catalog, write_catalog
from scopekey.wire.openapi import proposal_text, propose, rules_from_openapi
from scopekey.wire.openapi_document import OpenApiError
from scopekey.wire.rules_file import read_rules

CATALOG = Catalog(
    "p",
    (
        Resource("datasets", "Datasets", "Core", ("read", "write"), "metadata, access rules"),
        Resource("data_streams", "DataStreams", "Core", ("read", "write")),
        Resource("apps", "Apps", "Apps", ("read", "write")),
        Resource("app_events", "AppEvents", "Apps", ("write",)),
        Resource("reports", "Reports", "Core", ("read",)),
    ),
)
KEY = [{"bearer": []}]


def document(paths, **more):
    return {"openapi": "3.1.0", "info": {"title": "Data Platform"}, "paths": paths, **more}


def one(method="get", path="/datasets", catalog=CATALOG, *, root=None, **operation):
    proposal = propose(document({path: {method: operation}}, **(root or {})), catalog)
    assert () == proposal.left_out
    (proposed,) = proposal.rules
    return proposed


def needs(proposed):
    requirement = proposed.rule.requirement
    return "public" if requirement is None else requirement.names()


@pytest.mark.parametrize(
    ("expected", "method", "path", "tags"),
    [
        ([["datasets:read"]], "get", "/v2/things", ["Datasets"]),
        ([["datasets:read"]], "head", "/datasets", []),
        ([["datasets:write"]], "post", "/datasets/{dataset_id}/sample", ["Datasets"]),
        ([["datasets:write"]], "trace", "/datasets", []),
        ([["datasets:write"]], "options", "/datasets", []),
        ([["data_streams:read"]], "get", "/data-stream/{data_stream_id}", []),
        ([["data_streams:write"]], "patch", "/x", ["Other", "Data Streams"]),
        ([["app_events:write"]], "post", "/apps/events", ["Apps"]),
        ([["apps:read"]], "get", "/v1/app/commands", ["App API"]),
        ([["datasets:read"]], "get", "/access-rules", ["Access Rules"]),
        ([["app_events:write"]], "get", "/apps/events", ["Apps"]),
        ([], "post", "/reports", ["Reports"]),
        ([], "get", "/billings/dataset-storage", ["Billings"]),
    ],
)
def test_resource_and_level_are_guessed_from_tag_path_and_method_and_nothing_is_opened_by_a_bad_guess(
    expected, method, path, tags
):
    assert expected == needs(one(method, path, security=KEY, tags=tags))


def test_every_guess_says_where_it_came_from():
    assert "from tag 'Datasets' and method GET" == one(tags=["Datasets"], security=KEY).comment
    assert "from the path and method GET" == one(security=KEY).comment
    assert (
        "from the path and method GET\nLOOK: app_events offers no level that only looks: 'write' is proposed"
        == one("get", "/apps/events", security=KEY).comment
    )
    assert (
        "LOOK: no resource fits tag 'NQL' or the path: closed until a permission is written here"
        == one("post", "/nql/run", security=KEY, tags=["NQL"]).comment
    )


@pytest.mark.parametrize(
    ("said", "operation", "root"),
    [
        ("public: `security` is []", {"security": []}, {"security": KEY}),
        ("public: `security` is [{}]", {"security": [{}]}, {"security": KEY}),
        ("public: `security` is absent, and the document sets no default", {}, {}),
        ("public: `security` is [], inherited from the document", {}, {"security": []}),
        ("public: `security` is [{}], inherited from the document", {}, {"security": [{}]}),
    ],
)
def test_a_public_operation_is_recognised_in_every_spelling(said, operation, root):
    proposed = one(root=root, **operation)
    assert ("public", said) == (needs(proposed), proposed.comment)


def test_an_operation_without_security_under_a_default_that_asks_for_a_key_is_guarded():
    assert [["datasets:read"]] == needs(one(root={"security": KEY}))


def test_an_optional_key_is_public_and_says_so_loudly():
    proposed = one(security=[{"bearer": []}, {}])
    assert "public" == needs(proposed)
    assert "LOOK: whoever sends no key gets in, too" in proposed.comment


@pytest.mark.parametrize("security", [None, {}, "none", [None], [[]], [{}, "x"], [{"a": None}], [{"a": [1]}]])
def test_security_that_cannot_be_read_never_makes_an_operation_public(security):
    assert [["datasets:read"]] == needs(one(security=security))


def test_what_a_public_write_means_is_said():
    assert "LOOK: POST may change something, and anybody may call it" in one("post", security=[]).comment


@pytest.mark.parametrize(
    ("expected", "stated"),
    [
        ([["apps:write"]], "apps:write"),
        ([["apps:write", "datasets:read"]], ["apps:write", "datasets:read"]),
        ([["apps:write"], ["datasets:read"]], [["apps:write"], ["datasets:read"]]),
        ([["datasets:read"]], ["Read Datasets"]),
        ([["scopekey_keys:read"]], ["scopekey_keys:read"]),
        ([[]], [[]]),
        ([], []),
        ([], ["apps:write", "nothing:read"]),
        ([["apps:write"]], [["apps:write"], ["nothing:read"]]),
        ([], None),
        ([], {"read": "apps"}),
        ([], ["apps:read", ["apps:write"]]),
    ],
)
def test_stated_permissions_count_before_everything_and_an_unknown_one_closes(expected, stated):
    operation = {"x-required-permissions": stated, "security": [{"oauth": ["datasets:write"]}]}
    assert expected == needs(one(**operation))


def test_stated_permissions_beside_public_security_stay_needed_and_the_contradiction_is_told():
    proposed = one(**{"x-required-permissions": ["apps:read"], "security": []})
    assert [["apps:read"]] == needs(proposed)
    assert "LOOK: but `security` is []" in proposed.comment


@pytest.mark.parametrize(
    ("expected", "security"),
    [
        ([["apps:read", "datasets:write"]], [{"oauth": ["apps:read", "datasets:write"]}]),
        ([["apps:read", "datasets:write"]], [{"oauth": ["apps:read"], "more": ["write:datasets"]}]),
        (
            [["apps:read"], ["datasets:write"]],
            [{"oauth": ["app.read"]}, {"other": ["Datasets/write", "dataset:write"]}],
        ),
        ([["apps:write"]], [{"token": []}, {"oauth": ["apps:write"]}]),
        ([["apps:write"]], [{"oauth": ["apps:write"]}, {"oauth": ["apps:read", "admin"]}]),
        ([], [{"oauth": ["apps:read", "admin"]}]),
        ([["datasets:read"]], [{"openid": ["openid", "email"]}]),
    ],
)
def test_scopes_of_one_way_in_are_all_needed_and_ways_in_are_alternatives(expected, security):
    assert expected == needs(one(tags=["Datasets"], security=security))


@pytest.mark.parametrize(
    ("expected", "path"),
    [
        ("dataset_id", "/datasets/{dataset_id}/snapshots/{snapshot_id}"),
        ("id", "/datasets/{id}"),
        ("datasetId", "/datasets/x={datasetId}"),
        ("dataset", "/datasets/{dataset}.json"),
        (None, "/datasets/companies/{company_id}"),
        (None, "/datasets/{id}/rows/{id}"),
        (None, "/datasets"),
    ],
)
def test_the_parameter_that_clearly_names_one_object_is_proposed(expected, path):
    assert expected == one("get", path, security=KEY, tags=["Datasets"]).rule.object


def test_unusual_templates_survive_as_they_are_written():
    paths = ["/datasets/${profile_id}", "/datasets/subscription_id={subscription_id}", "/datasets/{a}.{b}"]
    proposal = propose(document({path: {"get": {}} for path in paths}), CATALOG)
    assert [f"GET {path}" for path in paths] == [str(proposed.rule.operation) for proposed in proposal.rules]


def test_whatever_gets_no_rule_is_named_with_its_reason():
    paths = {
        "/a": {"GET": {}, "query": {}, "get": None, "summary": "s", "x-internal": {}},
        "/b": None,
        "no-slash": {"get": {}},
        "/a/{}": {"get": {}},
        "/a{x}{y}": {"put": {}},
        "/a?b=c": {"post": {}},
        "x-note": {},
    }
    proposal = propose(document(paths), CATALOG)
    assert ["GET /a", "query /a", "GET /a", "/b", "GET no-slash", "GET /a/{}", "PUT /a{x}{y}", "POST /a?b=c"] == [
        left.operation for left in proposal.left_out
    ]
    assert (8, 0, 0, 0, 8) == tuple(getattr(proposal.counts, name) for name in proposal.counts.__struct_fields__)
    for left in proposal.left_out:
        assert f"# Left out, and so refused: {left.operation}: {left.reason}" in proposal_text(proposal)


def test_two_operations_of_the_same_shape_both_get_a_rule_and_the_second_says_so():
    paths = {"/datasets/{id}": {"get": {}}, "/datasets/{name}": {"get": {"security": KEY}, "put": {}}}
    proposal = propose(document(paths), CATALOG)
    assert 3 == len(proposal.rules)
    assert "LOOK: the same paths as GET /datasets/{id}: a call must meet both" in proposal.rules[1].comment
    assert "same paths" not in proposal.rules[2].comment


@pytest.mark.parametrize("version", ["3.0.4", "3.1.1", "3.1", 3.1])
def test_every_openapi_3_0_and_3_1_is_read(version):
    assert 1 == propose({"openapi": version, "paths": {"/a": {"get": {}}}}).counts.public


def test_references_within_the_document_are_followed():
    item = {"get": {"security": KEY}, "post": {"security": KEY}}
    paths = {
        "/datasets": {"$ref": "#/components/pathItems/a~1b%20c", "post": {"security": []}},
        "/apps": {"$ref": "#/paths/~1datasets"},
    }
    proposal = propose(document(paths, components={"pathItems": {"a/b c": item}}), CATALOG)
    assert [
        ("GET /datasets", [["datasets:read"]]),
        ("POST /datasets", "public"),
        ("GET /apps", [["apps:read"]]),
        ("POST /apps", "public"),
    ] == [(str(proposed.rule.operation), needs(proposed)) for proposed in proposal.rules]
    assert ["POST /datasets", "POST /apps"] == [left.operation for left in proposal.left_out]


@pytest.mark.parametrize(
    ("why", "item"),
    [
        ("leads nowhere", {"$ref": "#/components/pathItems/x"}),
        ("leads outside the document", {"$ref": "other.json#/a"}),
        ("leads outside the document", {"$ref": 3}),
        ("leads in a circle", {"$ref": "#/paths/~1datasets"}),
        ("does not lead to a description", {"$ref": "#/openapi"}),
        ("leads nowhere", {"$ref": "#/tags/1"}),
    ],
)
def test_a_broken_reference_is_a_fault(why, item):
    with pytest.raises(OpenApiError, match=rf"^/datasets: the \$ref .* {why}"):
        propose(document({"/datasets": item}, tags=[{}]), CATALOG)


def test_a_chain_of_references_longer_than_anybody_writes_is_a_fault_and_never_a_traceback():
    chain = {f"/a{at}": {"$ref": f"#/paths/~1a{at + 1}"} for at in range(5000)}
    with pytest.raises(OpenApiError, match="leads in a circle"):
        propose(document(chain))


def test_a_document_that_never_speaks_of_security_is_public_and_its_head_says_so():
    proposal = propose(document({"/datasets": {"get": {}, "post": {}, "put": {"security": KEY}}}), CATALOG)
    assert ["public", "public", [["datasets:write"]]] == [needs(proposed) for proposed in proposal.rules]
    assert "# LOOK: 2 operations say nothing of security, nor does the document" in proposal_text(proposal)


@pytest.mark.parametrize(
    "value", [None, [], {}, {"swagger": "2.0"}, {"openapi": "3.1.0", "paths": []}, {"openapi": 3}, {"openapi": "3.2.0"}]
)
def test_what_is_no_openapi_document_is_a_fault(value):
    with pytest.raises(OpenApiError):
        propose(value)


def test_a_base_path_stands_before_every_path_and_one_that_is_not_used_is_mentioned():
    described = document({"/datasets": {"get": {}}}, servers=[{"url": "https://a.example/api/v1/"}])
    assert ["GET /api/v1/datasets"] == [
        str(rule.operation) for rule in rules_from_openapi(described, base_path="/api/v1/").rules
    ]
    assert any("(/api/v1)" in note for note in propose(described).notes)
    assert not any("/api/v1" in note for note in propose(described, base_path="/api/v1").notes)


def test_without_a_catalog_one_is_proposed_from_what_the_rules_use():
    paths = {
        "/query/{id}": {"get": {"tags": ["Queries"], "security": KEY}, "put": {"tags": ["Query"], "security": KEY}},
        "/v1/user-groups": {"get": {"security": KEY}},
        "/": {"post": {"tags": ["日本"], "security": KEY}},
        "/scopekey_x": {"get": {"security": KEY}},
        "/s": {"get": {"security": [{"oauth": ["disks:read_only", "create:disks"]}]}},
        "/k": {"get": {"x-required-permissions": ["scopekey_keys:read"]}},
    }
    grouped = {"x-tagGroups": [{"name": "Core Data", "tags": ["Queries"]}]}
    proposal = propose(document(paths, **grouped))
    assert [
        [["queries:read"]],
        [["queries:write"]],
        [["user_groups:read"]],
        [["api:write"]],
        [["platform_scopekey_x:read"]],
        [["disks:read_only", "disks:create"]],
        [["scopekey_keys:read"]],
    ] == [needs(proposed) for proposed in proposal.rules]
    assert [
        Resource("queries", "Queries", "Core Data", ("read", "write")),
        Resource("user_groups", "User Groups", "Data Platform", ("read",)),
        Resource("api", "Api", "Data Platform", ("write",)),
        Resource("platform_scopekey_x", "Scopekey X", "Data Platform", ("read",)),
        Resource("disks", "Disks", "Data Platform", ("read_only", "create")),
    ] == list(proposal.catalog.resources)
    assert ("data_platform", ("read", "read_only")) == (proposal.catalog.name, proposal.catalog.observes)


TAGS = st.lists(
    st.one_of(st.sampled_from(["Datasets", "Data Streams", "scopekey_", "x:y"]), st.text(max_size=5)), max_size=2
)
SCOPES = st.one_of(st.sampled_from(["datasets:read", "write:apps", "a:b:c", "x.y"]), st.text(max_size=5))
SECURITY = st.one_of(
    st.none(), st.lists(st.dictionaries(st.text(max_size=2), st.lists(SCOPES, max_size=2)), max_size=3)
)
STATED = st.one_of(st.none(), SCOPES, st.lists(SCOPES, max_size=2), st.lists(st.lists(SCOPES, max_size=2), max_size=2))
DESCRIBED = st.fixed_dictionaries({}, optional={"tags": TAGS, "security": SECURITY, "x-required-permissions": STATED})
METHODS = st.sampled_from(["get", "head", "post", "trace", "GET", "query"])
PATHS = st.one_of(
    st.text(max_size=6).map("/{}".format), st.sampled_from(["/datasets/{id}", "/apps/events", "/{a}/{b}"])
)
DOCUMENTS = st.dictionaries(PATHS, st.dictionaries(METHODS, DESCRIBED, max_size=3), max_size=4).map(document)


@given(DOCUMENTS, st.sampled_from([None, CATALOG]))
def test_every_operation_ends_as_a_rule_or_is_named_and_the_written_files_hold_the_proposal(described, catalog):
    proposal = propose(described, catalog)
    methods = [method for item in described["paths"].values() for method in item]
    assert len(methods) == len(proposal.rules) + len(proposal.left_out)
    written = read_catalog(write_catalog(proposal.catalog), "catalog.toml")
    assert proposal.catalog == written
    assert Rules(tuple(p.rule for p in proposal.rules)) == read_rules(proposal_text(proposal), "rules.toml", written)


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=4), st.just("#/paths/~1a")),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.one_of(st.sampled_from(["get", "security", "tags", "$ref", "url", "name", "/a"]), st.text(max_size=3)),
            inner,
            max_size=3,
        ),
    ),
)


@given(JSON, JSON, JSON)
def test_any_json_gives_a_proposal_or_an_error_and_never_a_traceback(paths, security, more):
    described = document(paths, security=security, servers=more, info=more) | {"x-tagGroups": more}
    proposal = proposed_or_none(described)
    if proposal:
        assert proposal.table == read_rules(proposal_text(proposal), "rules.toml", proposal.catalog)


def proposed_or_none(described):
    try:
        return propose(described)
    except OpenApiError:
        return None
