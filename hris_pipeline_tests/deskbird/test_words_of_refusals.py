"""What becomes of writes does not hang on the sentences in which it is told."""

from typing import Any

from hris_pipeline.sandbox.deskbird.behaviour import Refusal
from hris_pipeline_tests.deskbird.scim_edge import update
from hris_pipeline_tests.test_other_words import other_words


def test_the_same_is_refused_of_writes_whatever_the_sentences_say(start: Any) -> None:
    def carried_out() -> list[Any]:
        edge = start(concurrency=1)
        users = {
            n: edge.app.desk.add_user(f"u{n}@example.com", "U", "N", hris_ref=f"p:{n}")
            for n in range(12)
        }
        edge.ids |= {f"p:{n}": user for n, user in users.items()}
        refusals = [
            Refusal(who=f"p:{n}", status=status) for n, status in ((3, 403), (5, 422), (7, 402))
        ]
        edge.app.behave(refusals=refusals)
        writes = [
            update(n, str(n), users[n], {"active": True}, {"active": False}) for n in range(12)
        ]
        results = edge.run(*writes)
        return [
            (
                n,
                one.outcome,
                one.http_status,
                one.problem_code,
                [(part.atom, part.outcome, part.problem_code) for part in one.parts],
            )
            for n, one in sorted(results.items())
        ]

    usual = carried_out()
    assert {code for *_, code, _ in usual} >= {"refused_forbidden", "refused_value"}
    with other_words():
        assert carried_out() == usual
