"""`scopekey pepper status`."""

import json
import secrets

from tests.cli.reading import rows


def test_it_tells_each_pepper_and_its_live_secrets_but_not_the_pepper(command, issue, home):
    issue("datasets:read")
    pepper = (home / "pepper").read_text().strip()
    retired = secrets.token_hex(32)
    (home / "pepper").chmod(0o600)
    (home / "pepper").write_text(f"{pepper}\n{retired}\n")
    ended = command("pepper", "status")
    assert [["current", "2"], ["retired", "0"]] == [row[1:] for row in rows(ended.out)]
    assert pepper not in ended.out
    assert retired not in ended.out
    told = json.loads(command("pepper", "status", "--json").out)
    assert [("current", 2), ("retired", 0)] == [(row["state"], row["live_secrets"]) for row in told]
