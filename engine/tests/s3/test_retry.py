"""What an error amounts to, and how long to wait: decided without a server and without a clock."""

import pytest

from plait.s3.retry import RetryPlan, Trouble, classify


@pytest.mark.parametrize(
    ("code", "status", "trouble"),
    [
        ("SlowDown", 503, Trouble.THROTTLED),
        ("InternalError", 500, Trouble.BROKEN),
        ("AccessDenied", 403, Trouble.FORBIDDEN),
        ("InvalidAccessKeyId", 403, Trouble.UNKNOWN_CREDENTIALS),
        ("NoSuchBucket", 404, Trouble.NO_BUCKET),
        ("404", 404, Trouble.GONE),
        ("412", 412, Trouble.TAKEN),
        ("ConditionalRequestConflict", 409, Trouble.CONFLICT),
        ("Unheard", 400, Trouble.REFUSED),
    ],
)
def test_an_answer_is_understood_by_its_code_and_else_by_its_status(code, status, trouble):
    """The same status stands for several kinds of trouble."""
    assert classify(code, status) is trouble


def test_pauses_grow_to_a_limit_and_end():
    """Each is drawn from a longer span; after the last try there is none."""
    plan = RetryPlan(attempts=4, base=1.0, throttled_base=2.0, longest=5.0)

    def pauses(trouble):
        return [plan.pause(trouble, attempt, 0.0, lambda: 1.0) for attempt in range(1, 5)]

    assert pauses(Trouble.BROKEN) == [2.0, 4.0, 5.0, None]
    assert pauses(Trouble.THROTTLED) == [4.0, 5.0, 5.0, None]
    assert pauses(Trouble.FORBIDDEN) == [None] * 4
    assert plan.pause(Trouble.BROKEN, 1, 0.0, lambda: 0.25) == 0.5


def test_a_server_that_nobody_answers_for_is_tried_for_a_time():
    """Its tries cost nothing, so that they are not counted."""
    plan = RetryPlan(attempts=2, unreachable_seconds=10.0)

    assert plan.pause(Trouble.UNREACHABLE, 99, 9.9, lambda: 0.0) == 0.0
    assert plan.pause(Trouble.UNREACHABLE, 1, 10.0, lambda: 0.0) is None
