"""HAProxy's door is told a request as nginx's is, and gives every answer as it is."""

from scopekey.enforce.doors import haproxy
from tests.contract.door import CheckContract, request
from tests.enforce.doors.told import ToldInFields, ToldOneAddress, door_of, original


class TestHaproxy(ToldInFields, ToldOneAddress, CheckContract):
    def check(self, keys):
        return door_of(haproxy, keys)

    def tell(self, asked):
        return original(haproxy.PATH, asked)

    def test_what_only_nginx_needs_is_not_told(self, door):
        answer = door(request(target=b"/datasets/../x"))
        assert (None, None) == (answer.field("scopekey-status"), answer.field("scopekey-problem"))
