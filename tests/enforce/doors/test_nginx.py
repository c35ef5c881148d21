"""nginx's door: only 401 and 403 leave it as a no, and what the client should get is told in header fields."""

from scopekey.enforce.doors import haproxy, nginx
from tests.contract.door import CheckContract, request
from tests.contract.door_check import Unasked
from tests.contract.door_drivers import over_asgi
from tests.enforce.doors.told import ToldInFields, ToldOneAddress, door_of, original


class TestNginx(ToldInFields, ToldOneAddress, CheckContract):
    narrow = True

    def check(self, keys):
        return door_of(nginx, keys, only_401_and_403=True)

    def tell(self, asked):
        return original(nginx.PATH, asked)

    def test_the_document_is_the_one_that_other_proxies_pass_on(self, keys, door, secret):
        keys.journal_fails = True
        asked = request(secret=secret, headers=[(b"X-Request-Id", b"same")])
        answer, plain = door(asked), over_asgi(door_of(haproxy, keys), Unasked())(original(haproxy.PATH, asked))
        assert (403, "503", 503) == (answer.status, answer.field("scopekey-status"), plain.status)
        assert plain.body.decode() == answer.field("scopekey-problem")
