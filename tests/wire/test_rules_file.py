import pytest
from hypothesis import given
from hypothesis import strategies as st

from scopekey.core.catalog import Catalog, Resource
from scopekey.core.permission import Permission
from scopekey.core.requirement import Requirement
from scopekey.core.rules import Mode, Operation, Rule, Rules
from scopekey.wire.rules_file import read_rules, write_rules
from scopekey.wire.toml_file import FileError

CATALOG = Catalog(
    "p",
    (
        Resource("datasets", "Datasets", "Core", ("read", "write")),
        Resource("jobs", "Jobs", "Core", ("write",)),
        Resource("access_tokens", "Access Tokens", "Identity", ("read", "write")),
    ),
    own={"keys": "access_tokens"},
)
READ, WRITE, JOBS = Permission("datasets", "read"), Permission("datasets", "write"), Permission("jobs", "write")


def rule(body):
    return f'[[rule]]\noperation = "GET /datasets/{{dataset_id}}"\n{body}\n'


def only(body, catalog=CATALOG):
    (found,) = read_rules(rule(body), "rules.toml", catalog).rules
    return found


def faults(text, catalog=CATALOG):
    with pytest.raises(FileError) as raised:
        read_rules(text, "rules.toml", catalog)
    return [str(fault) for fault in raised.value.faults]


@pytest.mark.parametrize(
    ("requirement", "body"),
    [
        (Requirement(((READ,),)), 'requires = "datasets:read"'),
        (Requirement(((READ, JOBS),)), 'requires = ["datasets:read", "jobs:write"]'),
        (Requirement(((READ,), (WRITE, JOBS))), 'any_of = [["datasets:read"], ["datasets:write", "jobs:write"]]'),
        (Requirement(((),)), "requires = []"),
        (Requirement(()), "any_of = []"),
        (None, "public = true"),
        (Requirement(((Permission("access_tokens", "write"),),)), 'requires = "scopekey_keys:write"'),
    ],
)
def test_each_spelling_of_a_requirement_means_what_the_contract_says(requirement, body):
    assert requirement == only(body).requirement


def test_object_mode_and_preflight_are_read():
    text = 'cors_preflight = "pass"\n' + rule('requires = []\nobject = "dataset_id"\nmode = "report"')
    operation = Operation.parse("GET /datasets/{dataset_id}")
    assert Rules((Rule(operation, Requirement(((),)), "dataset_id", Mode.REPORT),), cors_preflight=True) == read_rules(
        text, "rules.toml", CATALOG
    )


def test_without_a_catalog_permissions_are_only_parsed():
    assert Requirement.all_of(Permission("anything", "goes")) == only('requires = "anything:goes"', None).requirement
    assert ["rules.toml:3"] == [fault.partition(": ")[0] for fault in faults(rule('requires = "nothing"'), None)]


@pytest.mark.parametrize(
    ("fault", "body"),
    [
        ("3: there is no permission 'dataset:read'; did you mean 'datasets:read'?", 'requires = "dataset:read"'),
        ("3: there is no permission 'jobs:read'; did you mean 'jobs:write'?", 'any_of = [["jobs:read"]]'),
        ("3: there is no key 'require' here; did you mean 'requires'?", 'require = "jobs:write"\npublic = true'),
        ("4: the rule holds `requires` and `public`; keep one of them", 'requires = "jobs:write"\npublic = true'),
        ("3: `public` can only be true; write public = true, or what the operation requires", "public = false"),
        (
            '3: `any_of` is not a list of lists of permissions; write any_of = [["a:read"], ["b:read"]]',
            'any_of = ["a:b"]',
        ),
        ('3: `requires` is a number; write an array of strings, as in ["read", "write"]', "requires = 1"),
        ('4: there is no mode \'Report\'; write "enforce" or "report"', 'public = true\nmode = "Report"'),
        ("4: 'GET /datasets/{dataset_id}' has no parameter 'id' to name its object", 'public = true\nobject = "id"'),
    ],
)
def test_a_fault_names_its_line_what_happened_and_what_to_do(fault, body):
    assert [f"rules.toml:{fault}"] == faults(rule(body))


@pytest.mark.parametrize(
    ("path", "what", "mend"),
    [
        ("/a/{id", "has an unclosed brace in '{id'", "write {name}, or %7B and %7D where braces are meant"),
        ("/a/id}", "has an unclosed brace in 'id}'", "write {name}, or %7B and %7D where braces are meant"),
        ("/a/{x}/{{id}", "has an unclosed brace in '{{id}'", "write {name}"),
        ("/a/{}", "'{}' is no parameter", "write {name}"),
        ("/a/{id:int}", "'{id:int}' is no parameter", "write {name}"),
        ("/a/{dataset id}", "'{dataset id}' is no parameter", "write {name}"),
        ("/a/{a}{b}", "has two parameters with nothing between them", "make them one, or say what parts them"),
        ("/a/x{rest*}", "a parameter that spans segments must be a segment of its own", "set slashes around it"),
        ("/{a*}/{b*}", "has two parameters that span segments", "keep one of them"),
        ("/a//b", "no readable request can match", "leave that out"),
        ("/a/./b", "no readable request can match", "leave that out"),
        ("/a/%2e%2e/b", "no readable request can match", "leave that out"),
        ("/a%2Fb", "no readable request can match", "leave that out"),
        ("/a;v=1", "no readable request can match", "leave that out"),
        ("/a%00", "no readable request can match", "leave that out"),
        ("/a%2541", "no readable request can match", "leave that out"),
        ("/a%FF", "has an escape that does not decode to UTF-8", "write the character"),
        ("/a?limit={limit}", "holds a query or a fragment", "leave it out"),
        ("/a ", "ends with a space", "remove it, or write %20 if it is meant"),
        ("a", "must begin with a slash", "write it without scheme and host"),
        ("https://api.example.com/a", "must begin with a slash", "write it without scheme and host"),
        (" /a", "must begin with a slash", "write it without scheme and host"),
    ],
)
def test_an_operation_that_can_match_nothing_is_a_fault_with_its_line_and_how_to_mend_it(path, what, mend):
    (told,) = faults(rule("public = true") + f'[[rule]]\noperation = "GET {path}"\npublic = true\n')
    assert told.startswith("rules.toml:5: ")
    said, _, mending = told.partition("; ")
    assert repr(path) in said
    assert what in said
    assert mending.startswith(mend)


@pytest.mark.parametrize("again", ["/datasets/{dataset_id}", "/datasets/{id}", "/%64atasets/{x}"])
def test_a_second_rule_for_an_operation_is_a_fault_that_names_the_first(again):
    (told,) = faults(rule("public = true") + f'\n[[rule]]\noperation = "GET {again}"\nrequires = "jobs:write"\n')
    assert f"rules.toml:6: 'GET {again}' has two rules (the first is rule 1): keep one" == told


def test_every_fault_is_told_at_once_in_the_order_of_the_file():
    text = rule('requires = "jobs:write"') + rule("") + '[[rule]]\noperation = "get /x"\npublic = true\n[rules]\n'
    found = faults(text + 'cors_preflight = "yes"\n')
    assert [4, 5, 8, 10] == [int(fault.split(":")[1]) for fault in found]
    assert "has two rules (the first is rule 1): keep one" in found[1]
    assert "there is no key 'rules' here; did you mean 'rule'?" in found[3]


def test_a_preflight_that_is_neither_passed_nor_left_out_is_a_fault():
    assert ["rules.toml:1: cors_preflight = 'yes' means nothing; write \"pass\" or leave it out"] == faults(
        'cors_preflight = "yes"'
    )


PERMISSIONS = st.sampled_from([READ, WRITE, JOBS])
REQUIREMENTS = st.none() | st.lists(st.lists(PERMISSIONS, max_size=3).map(tuple), max_size=3).map(tuple).map(
    Requirement
)
OPERATIONS = st.sampled_from(
    [
        "GET /",
        "GET /a/${profile_id}",
        "PUT /destinations/subscription_id={subscription_id}",
        "GET /files/{path*}",
        'GET /"quoted"',
        "GET /ünï/%20/{a.b}.{c-d}",
    ]
)


@given(
    st.dictionaries(OPERATIONS, st.tuples(REQUIREMENTS, st.booleans(), st.sampled_from(Mode)), max_size=6),
    st.booleans(),
    st.text(),
)
def test_rules_are_read_as_they_were_written_whatever_the_comments_say(table, preflight, comment):
    rules = []
    for text, (requirement, named, mode) in table.items():
        operation = Operation.parse(text)
        names = operation.template.names
        rules.append(Rule(operation, requirement, names[-1] if named and names else None, mode))
    written = write_rules(Rules(tuple(rules), preflight), comments=dict.fromkeys(table, comment), header=comment)
    assert Rules(tuple(rules), preflight) == read_rules(written, "rules.toml", CATALOG)
