"""The HR systems that can be read. To add one: a module that declares a ``System``, and its name here.

``hris-pipeline systems`` prints this list.
"""

from hris_pipeline.hris import files, personio
from hris_pipeline.hris.system import System

SYSTEMS: dict[str, System] = {system.name: system for system in (personio.SYSTEM, files.SYSTEM)}
