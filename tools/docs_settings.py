"""The settings page, from the fields of `scopekey.settings.Settings`."""

from pydantic.fields import FieldInfo

from scopekey.settings import Settings
from scopekey.wire.times import print_duration
from tools.docs_text import page, table

ABOUT = """Every setting is a variable of the environment, or a line of `scopekey.toml` in the working folder under
the name in lower case and without `SCOPEKEY_` (`port = 8700`). What a program gives to `Scopekey.open(…)` comes
first, then the environment, then the file; `Scopekey.connect(…)` and `Scopekey.embedded(…)` take them too. An unknown
name in the file stops the start. Durations are written `5s`, `15m`, `24h`, `90d`.

Two more variables are read from the environment alone: `SCOPEKEY_URL` (the management API that the command line calls
instead of acting on the home folder) and `SCOPEKEY_API_KEY` (the key it acts with, and a gateway's key for its upstream
where no `key_file` is named)."""

_DURATIONS = frozenset({"stale_after", "refuse_after", "default_lifetime"})


def pages() -> dict[str, str]:
    """The page: a table of all, then a heading for each."""
    fields = Settings.model_fields
    rows = [(f"[`{variable(name)}`](#{variable(name).lower()})", default(name, f)) for name, f in fields.items()]
    parts = (f"## {variable(name)}\n\n{field.description}\n\n{_more(name, field)}" for name, field in fields.items())
    text = page("Settings", "`src/scopekey/settings.py`", ABOUT, table(("setting", "default"), rows), *parts)
    return {"docs/reference/settings.md": text}


def variable(name: str) -> str:
    """The variable that sets a field."""
    return f"SCOPEKEY_{name.upper()}"


def default(name: str, field: FieldInfo) -> str:
    """A field's default as people write it."""
    value = field.default
    if value is None:
        return "not set"
    if name in _DURATIONS:
        return f"`{print_duration(value)}`"
    return f"`{', '.join(map(str, value))}`" if isinstance(value, tuple) else f"`{value}`"


def _more(name: str, field: FieldInfo) -> str:
    return f"In the file: `{name}`. Default: {default(name, field)}."
