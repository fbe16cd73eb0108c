"""Columns of an extract as Arrow arrays. Only what writes an extract imports this: it is slow to
load.
"""

from collections.abc import Mapping, Sequence
from itertools import compress
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from msgspec import UNSET


def texts(values: Sequence[Any]) -> tuple[pa.Array, list[bool] | None]:
    """A column as text, "" as null, and which of its values were absent (None: none of them)."""
    absent = None
    try:
        array = _array(values)
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError):  # absent values or several types
        absent = [value is UNSET for value in values]
        absent = absent if any(absent) else None
        plain = [
            (
                value
                if value.__class__ is str
                else None
                if value is None or value is UNSET
                else str(value)
            )
            for value in values
        ]
        array = pa.array(plain, pa.string())
    return pc.if_else(pc.equal(array, ""), pa.scalar(None, pa.string()), array), absent


def _array(values: Sequence[Any]) -> pa.Array:
    """Text, or whole numbers as text; an error for anything else."""
    try:
        return pa.array(values, pa.string())
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        if set(map(type, values)) <= {int, type(None)}:  # Arrow itself would cut a fraction off
            return pa.array(values, pa.int64()).cast(pa.string())
        raise


def memberships(groups: Mapping[str, Sequence[Any]], rows: int) -> pa.Array:
    """The column ``groups``: for each row the kinds and ids of its groups, kind by kind, each
    once.
    """
    found = [_flat(values) for values in groups.values()]
    row = np.concatenate([np.zeros(0, np.int64), *(where for where, _ in found)])
    kind = np.repeat(np.arange(len(found)), [len(where) for where, _ in found]).astype(np.int32)
    by_row = np.argsort(row, kind="stable")
    ids = pa.concat_arrays([pa.array([], pa.string()), *(ids for _, ids in found)]).take(
        pa.array(by_row)
    )
    kinds = pa.DictionaryArray.from_arrays(kind[by_row], pa.array(list(groups), pa.string())).cast(
        pa.string()
    )
    ends = np.concatenate([[0], np.cumsum(np.bincount(row, minlength=rows))])
    return pa.ListArray.from_arrays(
        pa.array(ends, pa.int32()), pa.StructArray.from_arrays([kinds, ids], ["kind", "id"])
    )


def _flat(values: Sequence[Any]) -> tuple[npt.NDArray[np.int64], pa.Array]:
    """Row numbers and ids of one kind's groups; a row of several has its number several times."""
    if any(value.__class__ is list for value in values):
        pairs = [
            (row, each)
            for row, value in enumerate(values)
            for each in (dict.fromkeys(value) if value.__class__ is list else (value,))
        ]
        where, values = np.array([row for row, _ in pairs], np.int64), [each for _, each in pairs]
    else:
        where = np.arange(len(values))
    ids = texts(values)[0]
    return where[ids.is_valid().to_numpy(zero_copy_only=False)], ids.drop_null()


def by_name(columns: Mapping[str, pa.Array], rows: int) -> pa.Array:
    """For each row the values of several columns by their names."""
    by_row = np.arange(rows * len(columns)).reshape(len(columns), rows).T.reshape(-1)
    values = pa.concat_arrays(list(columns.values())).take(pa.array(by_row))
    ends = pa.array(np.arange(0, len(by_row) + 1, len(columns)), pa.int32())
    return pa.MapArray.from_arrays(ends, pa.array(list(columns) * rows, pa.string()), values)


def names(masks: Mapping[str, Sequence[bool]], rows: int) -> pa.Array:
    """For each row the names whose mask is set there."""
    if not masks:
        return pa.ListArray.from_arrays(
            pa.array([0] * (rows + 1), pa.int32()), pa.array([], pa.string())
        )
    every = tuple(masks)
    return pa.array(
        [list(compress(every, row)) for row in zip(*masks.values(), strict=True)],
        pa.list_(pa.string()),
    )
