"""The management API against its own description: schemathesis makes the calls, and reads every answer.

Every call is made with a key of its own that was issued a moment before: one that holds everything, so that
calls can succeed, then one that holds nothing, then none at all. Every id in a path is a thing made for
that call alone, or one that schemathesis made up.
"""

import itertools
import warnings
from collections import Counter

import pytest
import requests
from hypothesis import HealthCheck, Phase, given, settings

from scopekey.server.api.journal import EXAMPLE
from tests.server.running import DATA

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    import schemathesis
    from schemathesis import GenerationMode
    from schemathesis.checks import not_a_server_error
    from schemathesis.specs.openapi.checks import (
        content_type_conformance,
        missing_required_header,
        negative_data_rejection,
        response_headers_conformance,
        response_schema_conformance,
        status_code_conformance,
    )

pytestmark = pytest.mark.slow

ANSWERS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
REJECTIONS = [*ANSWERS, negative_data_rejection, missing_required_header]
SEALED = {"index": 0, "path": "0/000.p/1"}
"""What is in every log that has an entry."""
QUIET = {"deadline": None, "database": None, "derandomize": True, "suppress_health_check": list(HealthCheck)}


class Run:
    """Makes calls, has them checked, and counts how each operation answered."""

    def __init__(self, deployment, url):
        self.deployment = deployment
        self.schema = schemathesis.openapi.from_url(f"{url}/openapi.json")
        # What has too many items may be too large to be read at all.
        rejected = self.schema.config.checks.negative_data_rejection
        rejected.expected_statuses = [*rejected.expected_statuses, "413"]
        self.operations = [found.ok() for found in self.schema.get_all_operations()]
        self.session = requests.Session()
        self.session.trust_env = False
        deployment.seal()
        self.everything = [str(name) for name in deployment.node.index.register().catalog.permissions]
        self.answers = {operation.label: Counter() for operation in self.operations}
        self.turn = itertools.count()

    def fresh(self, name):
        """A thing of this kind that no other call has touched."""
        if name == "organization_id":
            return self.deployment.tenant()
        if name in SEALED:
            return SEALED[name]
        return self.deployment.key("datasets:read", expires_in="30d")[0]

    def call(self, case, key, checks=ANSWERS):
        """Make one call, and look at its answer."""
        # The key is ours to send: two credentials at once are a refusal of their own.
        for name in ("Authorization", "X-API-Key"):
            case.headers.pop(name, None)
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        answer = case.call(session=self.session, headers=headers)
        case.validate_response(answer, checks=checks)
        self.answers[case.operation.label][answer.status_code] += 1

    def examples(self, operation, mode, count, then):
        """Let schemathesis make up calls; `then` gets each."""

        @settings(max_examples=count, phases=[Phase.explicit, Phase.generate], **QUIET)
        @given(case=operation.as_strategy(generation_mode=mode))
        def each(case):
            then(case)

        each()

    def holding_everything(self, operation):
        self.examples(operation, GenerationMode.POSITIVE, 12, self.plausible)
        self.examples(operation, GenerationMode.NEGATIVE, 12, self.implausible)

    def plausible(self, case):
        """A call that fits the description; every other time its names are of things that are there."""
        if next(self.turn) % 2:
            case.path_parameters = {name: self.fresh(name) for name in case.path_parameters}
            case.headers.pop("If-Match", None)
            self.name_real_things(case)
        self.call(case, self.deployment.key(*self.everything, never_expires=True)[1])

    def name_real_things(self, case):
        """Put what is there in the place of made-up names, and keep one of the members that exclude each other."""
        body = case.body if isinstance(case.body, dict) else {}
        for name in {"organization", "environment", "allowed_networks", "expires_at", "never_expires"} & set(body):
            del body[name]
        label = case.operation.label
        if label in {"POST /v1/keys", "POST /v1/verify"}:
            body.pop("preset", None)
            body.pop("operation", None)
            body["permissions"] = ["datasets:read"]
        elif body.get("permissions"):
            body["permissions"] = ["datasets:read"]
        if label == "POST /v1/journal":
            case.body = EXAMPLE
        if label == "POST /v1/verify":
            body["key"] = self.deployment.key(*DATA)[1]
        for name in ("organization", "permission", "cursor", "with", "without"):
            case.query.pop(name, None)

    def implausible(self, case):
        """A call that does not fit the description must be refused."""
        self.call(case, self.deployment.key(*self.everything, never_expires=True)[1], REJECTIONS)

    def holding_nothing(self, operation):
        self.examples(operation, GenerationMode.POSITIVE, 2, lambda case: self.call(case, self.deployment.key()[1]))
        self.examples(operation, GenerationMode.POSITIVE, 1, lambda case: self.call(case, None))

    def report(self):
        lines = [f"\n{'operation':44}{'successes':>10}{'refusals':>10}  answers"]
        for label, counts in self.answers.items():
            statuses = ", ".join(f"{status}: {count}" for status, count in sorted(counts.items()))
            lines.append(f"{label:44}{successes(counts):>10}{refusals(counts):>10}  {statuses}")
        return "\n".join(lines)


def successes(counts):
    return sum(count for status, count in counts.items() if 200 <= status < 300)


def refusals(counts):
    return sum(count for status, count in counts.items() if 400 <= status < 500)


@pytest.mark.filterwarnings("default")
def test_every_operation_answers_as_its_description_says(deployment, url, capsys):
    run = Run(deployment, url)
    for operation in run.operations:
        run.holding_everything(operation)
        run.holding_nothing(operation)
    with capsys.disabled():
        print(run.report())  # noqa: T201 - the report is half of what this run is for
    assert 16 <= len(run.answers)
    assert [] == [label for label, counts in run.answers.items() if not refusals(counts)]
    # A stream that succeeds does not end: tests/enforce/doors/test_feed.py reads it.
    assert ["GET /v1/changes"] == [label for label, counts in run.answers.items() if not successes(counts)]
