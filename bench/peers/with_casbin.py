"""Casbin: its enforcer over a model and policies, as its README begins, and its FastEnforcer.

Decides only: it is told who asks, and finds no key and digests nothing.
"""

from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import casbin

from bench.rounds import answer_rounds

PERMISSIONS, SUBJECTS, POLICIES = 46, 100, 1_000
_MODEL = """
[request_definition]
r = sub, obj, act
[policy_definition]
p = sub, obj, act
[policy_effect]
e = some(where (p.eft == allow))
[matchers]
m = r.sub == p.sub && r.obj == p.obj && r.act == p.act
"""

Question = tuple[str, str, str]


def policies() -> list[Question]:
    """Policies of every subject over 46 permissions, ten for each."""
    random = Random(7)
    permissions = [(f"resource_{at // 2}", "read" if at % 2 else "write") for at in range(PERMISSIONS)]
    each = POLICIES // SUBJECTS
    return [(f"key_{at}", *held) for at in range(SUBJECTS) for held in random.sample(permissions, each)]


def asking(enforce: Callable[..., bool], questions: Sequence[Question]) -> Callable[[], int]:
    """A round of questions whose answer is yes."""
    assert all(enforce(*question) for question in questions)
    assert not enforce("key_0", "resource_0", "delete")

    def round_() -> int:
        for question in questions:
            enforce(*question)
        return len(questions)

    return round_


def main() -> None:
    every = policies()
    questions = Random(3).choices(every, k=1_000)
    with TemporaryDirectory() as folder:
        model, policy = Path(folder, "model.conf"), Path(folder, "policy.csv")
        model.write_text(_MODEL, "utf-8")
        policy.write_text("".join(f"p, {', '.join(one)}\n" for one in every), "utf-8")
        enforcer = casbin.Enforcer(str(model), str(policy))
        fast = casbin.FastEnforcer(str(model), str(policy), cache_key_order=[0])
        about = {"version": f"casbin {version('casbin')}"}
        answer_rounds(
            about, {"enforce": asking(enforcer.enforce, questions[:60]), "fast": asking(fast.enforce, questions)}
        )


if __name__ == "__main__":
    main()
