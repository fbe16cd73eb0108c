"""Dagster's own records for tests: in memory, and on one connection."""

import contextlib
from collections.abc import Iterator
from typing import Any

import dagster as dg


@contextlib.contextmanager
def in_memory() -> Iterator[dg.DagsterInstance]:
    """Dagster's ephemeral instance on the connection that it holds anyway; by itself it opens five hundred more in a night."""
    with dg.DagsterInstance.ephemeral() as instance:
        events: Any = instance.event_log_storage

        @contextlib.contextmanager
        def connection() -> Iterator[Any]:
            with events._db_lock, events._held_conn.begin():
                yield events._held_conn

        events._connect = connection
        yield instance
