"""How a fault gets into a log, whoever formats the log."""

import logging

import pytest

from scopekey.replica.fault import log_fault

SECRET = "sck_live_canary"


def test_a_fault_is_told_by_where_it_broke_and_never_in_its_own_words(caplog):
    with pytest.raises(KeyError) as caught:
        {}[SECRET]
    assert SECRET in str(caught.value)
    log_fault(logging.getLogger("scopekey.test"), caught.value, "request %s broke", "req_1", request_id="req_1")
    assert "request req_1 broke (KeyError)\n" in caplog.text
    assert "test_fault.py" in caplog.text
    assert SECRET not in caplog.text
    assert "req_1" == caplog.records[0].request_id
