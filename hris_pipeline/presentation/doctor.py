"""What `hris-pipeline doctor` found, as a list for people and as JSON."""

from collections import Counter
from itertools import groupby

from rich.console import Console
from rich.table import Table
from rich.text import Text

from hris_pipeline.operations.doctor.findings import Diagnosis
from hris_pipeline.presentation import clean, document

_STYLES = {"ok": "green", "missing": "bold red", "note": "yellow"}


def show(to: Console, diagnosis: Diagnosis) -> None:
    """Print the findings by area, a remedy under each problem, and a summary as the last line."""
    for area, findings in groupby(diagnosis.findings, key=lambda finding: finding.area):
        to.print(Text(clean(area), "bold"))
        table = Table.grid(padding=(0, 2))
        table.add_column(no_wrap=True)
        table.add_column(overflow="fold")
        for finding in findings:
            table.add_row(
                Text(f"  {finding.state}", _STYLES[finding.state]), Text(clean(finding.what))
            )
            if finding.problem:
                table.add_row("", Text(clean(finding.problem)))
            if finding.remedy:
                table.add_row("", Text(f"-> {clean(finding.remedy)}", "cyan"))
        to.print(table)
        to.print()
    to.print(Text(summary(diagnosis)))


def summary(diagnosis: Diagnosis) -> str:
    """One line: how many of each, and what comes next."""
    states = Counter(finding.state for finding in diagnosis.findings)
    notes = f"{states['note']} {'note' if states['note'] == 1 else 'notes'}"
    numbers = f"{diagnosis.company}: {states['ok']} ok, {states['missing']} missing, {notes}."
    if states["missing"]:
        return f"{numbers} Nothing was changed. Put right what is missing and run it again."
    after = (
        f"hris-pipeline doctor {diagnosis.company}"
        if diagnosis.offline
        else f"hris-pipeline sync {diagnosis.company} --dry-run"
    )
    return f"{numbers} Nothing was changed. Next: {after}"


def as_json(diagnosis: Diagnosis) -> str:
    """Everything as one versioned JSON document."""
    states = Counter(finding.state for finding in diagnosis.findings)
    body = {
        "exit_code": diagnosis.exit_code,
        "offline": diagnosis.offline,
        "counts": {state: states[state] for state in ("ok", "missing", "note")},
        "would_be": diagnosis.counts or None,
        "findings": [vars(finding) for finding in diagnosis.findings],
    }
    return document("doctor", diagnosis.company, body)
