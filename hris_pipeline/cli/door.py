"""Running one command: its exit code, and what is said where it goes wrong."""

import os
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import typer

from hris_pipeline.cli.app import app
from hris_pipeline.cli.shared import say
from hris_pipeline.errors import PipelineError
from hris_pipeline.presentation import streams

_UsageError: type[Exception] = typer.BadParameter.__mro__[1]  # click's own, wherever typer keeps it


def run(arguments: list[str] | None = None) -> int:
    """Run one command and return its exit code. What goes wrong becomes one sentence on standard
    error, without a traceback.
    """
    command: Callable[..., Any] = typer.main.get_command(app)
    moment = os.environ.get("HRIS_PIPELINE_NOW")  # noqa: TID251 - a command on the demo sets it, for itself only
    try:
        return int(command(arguments, prog_name="hris-pipeline", standalone_mode=False) or 0)
    except _UsageError as mistake:
        say(_usage(mistake))
    except PipelineError as problem:
        say(str(problem))
    except SystemExit:  # typer's answer to a reader that has gone, where nobody guards the stream
        pass
    except BaseException as problem:  # noqa: BLE001 - whatever it is, nobody should have to read a traceback
        say(_unexpected(problem))
    finally:
        if moment is None:
            os.environ.pop("HRIS_PIPELINE_NOW", None)  # noqa: TID251 - likewise
    return 1


def _usage(mistake: Exception) -> str:
    """A mistake in the command itself, in one sentence, and where to look."""
    text: str = mistake.format_message() if hasattr(mistake, "format_message") else str(mistake)
    if not text:  # no command at all: the help was printed
        return "Nothing was done: name a command."
    context = getattr(mistake, "ctx", None)
    where = context.command_path if context is not None else "hris-pipeline"
    text = text.rstrip(".")
    return (
        f"{text}{'' if text.endswith('?') else '.'} Nothing was done; `{where} --help` shows how "
        "it is written."
    )


def _unexpected(problem: BaseException) -> str:
    """What may be said of what is none of our errors: a library's text may hold personal data, so
    only its type and place.
    """
    if (
        isinstance(problem, KeyboardInterrupt | typer.Abort)
        or type(problem).__name__ == "DagsterExecutionInterruptedError"
    ):
        return (
            "Stopped. Whatever was sent is in the journal; the next run looks it up and continues "
            "from there."
        )
    where = traceback.extract_tb(problem.__traceback__)[-1]
    return (
        f"Something unexpected went wrong ({type(problem).__name__} in "
        f"{Path(where.filename).name}, line {where.lineno}). The command was not completed; "
        "running it again is safe. Please report it with this line."
    )


def main() -> NoReturn:
    """The console script."""
    streams.guard()
    code = run()
    problem = streams.output_problem()
    if problem is not None:
        say(
            f"Standard output could not be written whole ({problem}). The command itself ran to "
            "its end."
        )
    sys.exit(code if problem is None else 1)
