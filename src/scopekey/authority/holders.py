"""Who holds a permission: to be told before it is taken away from everybody."""

from collections.abc import Iterable

from scopekey.authority.actor import Caller
from scopekey.authority.unit_of_work import Authority, UnitOfWork
from scopekey.core.ids import KeyId
from scopekey.store.keys import KeyFilter

_PAGE = 500


def holders(authority: Authority, caller: Caller, names: Iterable[str]) -> dict[str, list[KeyId]]:
    """List the live keys that hold each of these permissions; permissions that no key holds are left out."""
    with authority.looking(caller) as work:
        found = {name: _holding(work, name) for name in names}
    return {name: keys for name, keys in found.items() if keys}


def _holding(work: UnitOfWork, name: str) -> list[KeyId]:
    bit = work.register.bits[name]
    wanted = KeyFilter(now=work.now, organization=work.actor.organization, status="active", bit=bit)
    keys: list[KeyId] = []
    after: tuple[int, str] | None = None
    while rows := work.tx.keys.page(wanted, after, _PAGE):
        keys += [row.key.id for row in rows]
        after = rows[-1].key.created, rows[-1].key.id
    return keys
