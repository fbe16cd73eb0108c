"""What the service says that it supports: its configuration, its schemas, its resource types."""

import functools

from scim2_models import (
    Bulk,
    ChangePassword,
    ETag,
    Filter,
    Patch,
    ScimPolicy,
    ScimProvider,
    ServiceProviderConfig,
    Sort,
    Uniqueness,
)
from scim2_server.testserver.application import BEARER_TOKEN_SCHEME
from scim2_server.utils import load_default_resource_types, load_default_schemas

from hris_pipeline.sandbox.deskbird.behaviour import Behaviour, Dialect


@functools.cache
def _described() -> ScimProvider:
    """Users with the enterprise extension and groups, by the package's own schemas; only that no
    two groups have one name.
    """
    schemas = load_default_schemas()
    group = schemas["urn:ietf:params:scim:schemas:core:2.0:Group"]
    next(
        attribute for attribute in group.attributes or () if attribute.name == "displayName"
    ).uniqueness = Uniqueness.server
    return ScimProvider.from_discovery(schemas.values(), load_default_resource_types().values())


@functools.cache
def provider(
    dialect: Dialect = "rfc", page_limit: int = 100, *, etags: bool = True, sort: bool = False
) -> ScimProvider:
    """What the service says of itself: users with the enterprise extension, groups, PATCH and
    filters; no bulk.
    """
    config = ServiceProviderConfig(
        patch=Patch(supported=True),
        filter=Filter(supported=True, max_results=page_limit),
        etag=ETag(supported=etags),
        bulk=Bulk(supported=False, max_operations=0, max_payload_size=0),
        sort=Sort(supported=sort),
        change_password=ChangePassword(supported=False),
        authentication_schemes=[BEARER_TOKEN_SCHEME],
    )
    # Entra sets the work e-mail of somebody who has none by its path alone
    unmatched = (
        ScimPolicy.UnmatchedPathFilter.create
        if dialect == "entra"
        else ScimPolicy.UnmatchedPathFilter.forbid
    )
    described = _described()
    policy = ScimPolicy(unmatched_path_filter=unmatched)
    return ScimProvider(described.models, described.resource_types, config=config, policy=policy)


def provider_of(behaviour: Behaviour) -> ScimProvider:
    """What a service with such a behaviour says that it supports."""
    paging = behaviour.paging
    return provider(
        "rfc" if behaviour.forms.attributes == "rfc" else "entra",
        paging.size,
        etags=behaviour.answers.tags != "none",
        sort=paging.sort in {"announced", "unannounced"},
    )
