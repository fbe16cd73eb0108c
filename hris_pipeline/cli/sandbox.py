"""The stand-ins of every outside system, for the first run and the demo."""

# ruff: noqa: PLC0415 - what is slow to import is imported by the command that needs it

from typing import Annotated

import typer


def sandbox(
    day: Annotated[
        int, typer.Option("--day", metavar="N", min=1, help="the day of the sample company's life")
    ] = 1,
    deskbird: Annotated[
        str,
        typer.Option(
            "--deskbird",
            metavar="BEHAVIOUR",
            help="how deskbird behaves: a name such as entra, or JSON",
        ),
    ] = "rfc",
) -> None:
    """Start stand-ins of the HR systems and of deskbird on this machine, with a sample company,
    until Ctrl-C.
    """
    from hris_pipeline import settings
    from hris_pipeline.sandbox import run

    run.serve(settings.data_folder(), day=day, deskbird=deskbird, say=typer.echo)
