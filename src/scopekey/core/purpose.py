"""A grant in words: what a key is for, read off its permissions."""

from scopekey.core.catalog import Preset
from scopekey.core.grant import Register


def purpose(register: Register, grant: int) -> str:
    """Say what a grant is for, as in `Read Datasets and Queries; changes nothing.`, in one sentence."""
    catalog = register.catalog
    held = register.permissions(grant)
    if not held:
        return "Nothing: it holds no permission."
    if grant & register.all == register.all:
        return "Everything: it holds every permission there is."
    by_level: dict[str, list[str]] = {}
    for permission in held:
        by_level.setdefault(permission.level, []).append(catalog.resource(permission).title)
    words = "; ".join(f"{level.replace('_', ' ').capitalize()} {_list(titles)}" for level, titles in by_level.items())
    return words + ("; changes nothing." if all(map(catalog.observing, held)) else ".")


def nearest_preset(register: Register, grant: int) -> tuple[Preset, int] | None:
    """Find the preset that differs least, and in how many permissions; None where it shares none."""
    candidates = []
    for at, preset in enumerate(register.catalog.presets):
        mask = register.parse(preset.permissions)
        if mask & grant:
            candidates.append(((mask ^ grant).bit_count(), at, preset))
    if not candidates:
        return None
    distance, _, preset = min(candidates, key=lambda candidate: candidate[:2])
    return preset, distance


def _list(titles: list[str]) -> str:
    return titles[0] if len(titles) == 1 else f"{', '.join(titles[:-1])} and {titles[-1]}"
