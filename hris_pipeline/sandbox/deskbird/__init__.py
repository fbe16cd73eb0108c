"""deskbird's SCIM service for the sandbox: the package scim2-server, and in front of it the rules
that deskbird has and it lacks.

What answers is scim2-server; here stand only

* :class:`Deskbird`, what it keeps: unique group names (case aside), members and managers that are
  users it has, and the doors that an administrator has in the real one (make, edit and delete by
  hand);
* :class:`DeskbirdService`, what it takes: two dialects of PATCH, at most 100 members a request,
  ``eq`` filters, no user's DELETE;
* :func:`deskbird_app`, the whole under ``/v2/scim``: bearer token, rate, faults and the log of
  requests.

deskbird publishes no list of what it supports, so the dialects are those of the clients it is
documented with: RFC 7644, and the provisioning service of Entra ID without its flag
``aadOptscim062020``.
"""

from hris_pipeline.sandbox.deskbird.app import KINDS, PREFIX, TOKEN, DeskbirdApp, deskbird_app
from hris_pipeline.sandbox.deskbird.desk import Deskbird
from hris_pipeline.sandbox.deskbird.patches import named_members
from hris_pipeline.sandbox.deskbird.provider import provider
from hris_pipeline.sandbox.deskbird.service import DeskbirdService

__all__ = [
    "KINDS",
    "PREFIX",
    "TOKEN",
    "Deskbird",
    "DeskbirdApp",
    "DeskbirdService",
    "deskbird_app",
    "named_members",
    "provider",
]
