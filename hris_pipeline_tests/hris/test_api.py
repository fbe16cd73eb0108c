"""Working through many items with several workers: in order, a bounded number ahead, and ended at once by an error."""

import contextlib
import threading

import pytest

from hris_pipeline.hris.api import in_order


def test_answers_come_in_the_order_of_the_items():
    gates = [threading.Event() for _ in range(20)]

    def work(i):
        if i + 1 < len(gates) and i % 2 == 0:
            assert gates[i + 1].wait(5)  # a later one is done first
        gates[i].set()
        return i * i

    assert list(in_order(work, range(20), workers=4, stop=pytest.fail)) == [(i, i * i) for i in range(20)]


def test_items_are_taken_a_bounded_number_ahead():
    taken = []

    def items():
        for i in range(1000):
            taken.append(i)
            yield i

    with contextlib.closing(in_order(abs, items(), workers=3, stop=lambda: None)) as answers:
        next(answers)
        assert len(taken) == 12


@pytest.mark.parametrize("where", ["work", "items", "consumer"])
def test_an_error_anywhere_ends_what_sleeps_and_drops_what_waits(where):
    stopped, begun = threading.Event(), []

    def work(i):
        begun.append(i)
        if i == 0:
            if where == "work":
                raise KeyError(i)
            return i
        assert stopped.wait(5)  # as a worker in a long back-off
        return i

    def items():
        yield from range(8)
        if where == "items":
            raise KeyError
        yield from range(8, 1000)

    def consume():
        with contextlib.closing(in_order(work, items(), workers=2, stop=stopped.set)) as answers:
            for _ in answers:
                raise KeyError

    with pytest.raises(KeyError):
        consume()
    assert stopped.is_set()
    assert len(begun) < 8
