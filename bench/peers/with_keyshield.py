"""Keyshield: `verify_key` on its in-memory repository, as its README begins, and with the cache it documents.

Few keys, which is kind to it: making one takes an Argon2, and its repository in memory looks through all of them.
"""

import asyncio
from collections.abc import Callable, Sequence
from importlib.metadata import version

from keyshield import ApiKeyService
from keyshield.hasher.argon2 import Argon2ApiKeyHasher
from keyshield.repositories.in_memory import InMemoryApiKeyRepository
from keyshield.services.cached import CachedApiKeyService

from bench.rounds import answer_rounds

KEYS = 16
SCOPE = "datasets:read"


async def make(service: ApiKeyService) -> list[str]:
    """Keys that hold the scope and another one."""
    return [(await service.create(name=f"{at}", scopes=[SCOPE, "datasets:write"]))[1] for at in range(KEYS)]


def verifying(runner: asyncio.Runner, service: ApiKeyService, keys: Sequence[str], calls: int) -> Callable[[], int]:
    """A round of verifications of one key after the other."""
    asked = (list(keys) * (calls // len(keys) + 1))[:calls]

    async def verify() -> int:
        for key in asked:
            await service.verify_key(key, required_scopes=[SCOPE])
        return len(asked)

    return lambda: runner.run(verify())


def main() -> None:
    hasher, repository = Argon2ApiKeyHasher(pepper="of the benchmark"), InMemoryApiKeyRepository()
    shipped = ApiKeyService(repo=repository, hasher=hasher)
    undelayed = ApiKeyService(repo=repository, hasher=hasher, min_delay=0, max_delay=0)
    cached = CachedApiKeyService(repo=repository, hasher=hasher, min_delay=0, max_delay=0)
    with asyncio.Runner() as runner:
        keys = runner.run(make(shipped))
        rounds = {
            "shipped": verifying(runner, shipped, keys, 2),
            "undelayed": verifying(runner, undelayed, keys, 4),
            "cached": verifying(runner, cached, keys, 4_000),
        }
        # The cache is filled before it is measured.
        verifying(runner, cached, keys, KEYS)()
        answer_rounds({"version": f"keyshield {version('keyshield')}", "keys": f"{KEYS}"}, rounds)


if __name__ == "__main__":
    main()
