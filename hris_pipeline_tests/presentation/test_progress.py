"""Progress where there is no terminal."""

import io

from hris_pipeline.presentation import progress


def test_without_a_terminal_there_is_a_line_at_the_beginning_and_at_the_end():
    stream = io.StringIO()
    with progress.shown(stream) as report:
        for done in range(1, 1001):
            report("employees", done, 1000)
        report("employees", 1000, 1000)
        report("org_units", 3, None)
    assert stream.getvalue().splitlines() == [
        "employees: 1 of 1,000",
        "employees: 1,000 of 1,000",
        "org_units: 3",
    ]


def test_long_work_says_now_and_then_how_far_it_has_got(monkeypatch):
    monkeypatch.setattr(progress, "EVERY", 0.0)
    stream = io.StringIO()
    with progress.shown(stream) as report:
        for done in (1, 2, 2, 3):
            report("writes", done, 10)
    assert stream.getvalue().splitlines() == [
        "writes: 1 of 10",
        "writes: 2 of 10",
        "writes: 3 of 10",
    ]


def test_a_terminal_gets_bars_and_its_line_back():
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    stream = Terminal()
    with progress.shown(stream) as report:
        report("employees", 5, 10)
        report("employees", 10, 10)
    assert "employees" in stream.getvalue()
