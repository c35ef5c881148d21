"""On a server changes are made side by side: who waits for whom, and who need not."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from scopekey.authority.actor import Caller
from scopekey.authority.find_key import find_key
from scopekey.replica.memory_index import MemoryIndex
from scopekey.store import migrate
from scopekey.store.engine import Store
from tests.authority.home import MANAGE, Home, refused
from tests.store.test_postgresql import wait_for_a_lock

pytestmark = pytest.mark.postgres


@pytest.fixture
def home(postgres_url):
    migrate.upgrade(postgres_url)
    store = Store.open(postgres_url)
    home = Home(store, MemoryIndex())
    home.begin()
    yield home
    store.close()


@pytest.fixture
def pair(home):
    """Two keys that manage keys, in the order of their ids."""
    return sorted((home.caller(MANAGE) for _ in range(2)), key=lambda caller: caller.id)


@pytest.mark.parametrize("first", [0, 1], ids=["lower first", "higher first"])
def test_of_two_managers_who_edit_each_other_at_once_one_waits_and_both_edits_are_made(home, pair, postgres_url, first):
    editor, edited = pair[first], pair[1 - first]
    with ThreadPoolExecutor(1) as threads:
        with home.authority.changing(editor, needs=MANAGE, key=edited.id) as work:
            other = threads.submit(home.edit, editor.id, by=edited, name="edited by the other")
            wait_for_a_lock(postgres_url)
            before, _ = find_key(work, edited.id, lock=True)
            assert 1 == before.key.version
        assert "edited by the other" == other.result().name


def test_keys_are_made_by_one_key_side_by_side(home, pair):
    with ThreadPoolExecutor(1) as threads, home.authority.changing(pair[0], needs=MANAGE):
        assert threads.submit(home.issue, by=pair[0]).result(4).secret


def test_a_key_that_acts_is_not_revoked_before_it_is_done(home, pair, postgres_url):
    with ThreadPoolExecutor(1) as threads:
        with home.authority.changing(pair[0], needs=MANAGE):
            revoked = threads.submit(home.revoke, pair[0].id, by=pair[1])
            wait_for_a_lock(postgres_url)
            assert home.key(pair[0].id).revoked is None
        assert "revoked" == revoked.result().status
    with refused("revoked_key"):
        home.issue(by=pair[0])


def test_a_key_that_edits_itself_twice_at_once_edits_itself_twice(home, pair):
    with ThreadPoolExecutor(4) as threads:
        edits = threads.map(lambda name: home.edit(pair[0].id, by=pair[0], name=name).version, "abcd")
        assert {2, 3, 4, 5} == set(edits)


def test_a_call_that_is_repeated_while_it_is_made_makes_one_key(home, pair):
    with ThreadPoolExecutor(4) as threads:
        made = list(threads.map(lambda _: home.issue(by=pair[0], again="once"), range(4)))
    assert 1 == len({one.key.id for one in made})
    assert 1 == len([one.secret for one in made if one.secret])


def test_the_machine_needs_no_key_to_wait_for(home, pair, postgres_url):
    with home.authority.changing(pair[0], needs=MANAGE), ThreadPoolExecutor(1) as threads:
        assert threads.submit(home.issue, by=Caller.machine()).result(4).secret
