"""The law can fail: fronts that are broken on purpose are found out, by the classes that stand for what they do."""

import pytest

from tests.attacks.cases import CASES
from tests.attacks.measure import measure
from tests.attacks.registry import CONTROLS

pytestmark = pytest.mark.journey

EXPECTED = {
    "rewriting": {"case/segment_mixed", "trailing/dot", "utf8/kelvin"},
    "normalising": {"dot_segments/out_of_span"},
    "negligent nginx": {"identity_headers/key_id", "identity_headers/all_four", "identity_headers/key_id_public"},
    "trusting": {"forwarded_headers/x_original_uri", "forwarded_headers/for_inside", "identity_headers/key_id"},
    "leaking": {"credentials/missing"},
    "forgetful": {"pipelining/key_then_nobody", "pipelining/allowed_then_refused"},
}


@pytest.mark.parametrize("front", CONTROLS, ids=lambda front: front.app)
def test_a_front_that_is_broken_on_purpose_is_found_out(front, tmp_path):
    expected = EXPECTED[front.app]
    found = measure(front, tmp_path, [case for case in CASES if case.id in expected])
    assert expected == {name for name, broken in found.breaches.items() if broken}
