"""``make ui``: Dagster's webserver and daemon, and the sandbox beside them, all on the loopback
address, until Ctrl-C.
"""

import argparse
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence

from hris_pipeline import clock, settings
from hris_pipeline.errors import PipelineError
from hris_pipeline.operations import companies
from hris_pipeline.orchestration.instance import open_instance, prepare_instance, reap_orphans
from hris_pipeline.presentation import streams
from hris_pipeline.sandbox import clock as demo_clock
from hris_pipeline.sandbox import demo, server
from hris_pipeline.sandbox.company import SAMPLE, days_of

PORT = 3000


def serve(port: int) -> None:
    """Serve until Ctrl-C or SIGTERM, then stop everything that was started; :class:`PipelineError`
    where a port is taken.
    """
    company, data = companies.load(demo.COMPANY), settings.data_folder()
    with server.serve(demo.nothing, port=port):  # free?
        pass
    with open_instance() as instance:
        prepare_instance(instance, settings.company_names())
        reaped = reap_orphans(instance, data)
    if reaped:
        _say(f"Runs that had been left in flight and are failed now: {', '.join(reaped)}")
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    with demo.sandbox(data, company, day=days_of(SAMPLE), fresh=False) as stands:
        environment = dict(os.environ)  # noqa: TID251 - passed on, not read
        if not (data / f"{demo.COMPANY}.now").exists():
            demo_clock.keep(data, demo.night(stands.tenant.snapshot.date, company.timezone))
        if moment := demo_clock.kept():  # the command line's too
            environment[clock.VARIABLE] = moment
        workspace = settings.project_root() / "workspace.yaml"
        command = [
            sys.executable,
            "-W",
            "ignore",
            "-m",
            "dagster",
            "dev",
            "--log-level",
            "warning",
        ]
        command += ["-h", "127.0.0.1", "-p", str(port), "-w", str(workspace)]
        with subprocess.Popen(command, env=environment, start_new_session=True) as dagster:  # noqa: S603 - our own arguments
            personio, deskbird = stands.servers
            _say(f"The UI comes up on http://127.0.0.1:{port}; Ctrl-C stops it.")
            _say(
                f"The sandbox runs beside it: Personio on {personio.url}, deskbird on "
                f"{deskbird.url}."
            )
            if not (data / f"{demo.COMPANY}.duckdb").exists():
                _say(
                    "There is nothing to look at yet: `make demo` first, or start the job "
                    "demo_nightly in the UI."
                )
            try:
                while not stop.wait(0.5):
                    if dagster.poll() is not None:
                        raise PipelineError(
                            f"Dagster ended by itself (exit code {dagster.returncode}); what it "
                            "says above tells why."
                        )
            finally:
                _end(dagster)


def _end(process: "subprocess.Popen[bytes]") -> None:
    """Ask it to stop, as Ctrl-C does; insist after a while."""
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)


def _say(sentence: str) -> None:
    sys.stdout.write(f"{sentence}\n")
    sys.stdout.flush()


def main(arguments: Sequence[str] | None = None) -> int:
    """Parse the port, serve; exit code 1 and a sentence where that does not work."""
    parser = argparse.ArgumentParser(prog="make ui", description=__doc__)
    parser.add_argument("--port", type=int, default=PORT)
    port = parser.parse_args(arguments).port
    try:
        serve(port)
    except PipelineError as problem:
        sys.stderr.write(f"{problem}\n")
        return 1
    return 0


if __name__ == "__main__":
    streams.guard()
    sys.exit(main())
