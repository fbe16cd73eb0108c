"""Every command, in the order of the help."""

import typer

from hris_pipeline.cli import companies, decisions, nights, reading, sandbox

app = typer.Typer(
    name="hris-pipeline",
    help=(
        "Brings deskbird's users, groups and reporting lines in line with the HR system, and shows "
        "every change first."
    ),
    epilog=(
        "Exit codes: 0 in line, 1 an error, 2 changes are pending, 3 a guard has blocked something."
    ),
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

COMMANDS = (
    nights.sync,
    reading.plan,
    decisions.approve,
    decisions.reject,
    decisions.pause,
    decisions.resume,
    nights.apply,
    nights.undo,
    reading.status,
    companies.export_csv,
    reading.explain,
    reading.review,
    decisions.link,
    decisions.separate,
    companies.doctor,
    companies.init,
    reading.systems,
    sandbox.sandbox,
)
for command in COMMANDS:
    app.command()(command)
