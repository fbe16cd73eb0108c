"""Dagster's own records for tests: in memory, and on one connection."""

import contextlib
import threading
from collections.abc import Iterator
from typing import Any

import dagster as dg


@contextlib.contextmanager
def in_memory() -> Iterator[dg.DagsterInstance]:
    """Dagster's ephemeral instance on the connection that it holds anyway; by itself it opens five
    hundred more in a night.
    """
    with dg.DagsterInstance.ephemeral() as instance:
        events: Any = instance.event_log_storage
        by_itself, here = events._connect, threading.get_ident()

        @contextlib.contextmanager
        def on_the_one_held() -> Iterator[Any]:
            with events._db_lock, events._held_conn.begin():
                yield events._held_conn

        # SQLite's belong to the thread that opened them
        def connection() -> contextlib.AbstractContextManager[Any]:
            return on_the_one_held() if threading.get_ident() == here else by_itself()

        events._connect = connection
        yield instance
