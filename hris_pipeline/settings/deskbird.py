"""The section ``deskbird``: where the company's deskbird is, and how fast it may be asked."""

from typing import Annotated, Literal, Self

from pydantic import Field, SecretStr, ValidationInfo, model_validator

from hris_pipeline.settings.base import Settings
from hris_pipeline.settings.mistakes import refuse
from hris_pipeline.settings.values import Url, check_secret


class Deskbird(Settings):
    """The company's deskbird."""

    scim_url: Url = Field(
        default="https://api.deskbird.app/v2/scim",
        description="base URL of deskbird's SCIM service",
    )
    scim_token: SecretStr = Field(
        description="the SCIM bearer token, as ${NAME}; Admin > API keys in deskbird"
    )
    scim_dialect: Literal["auto", "rfc", "entra"] = Field(
        default="auto", description="form of the SCIM requests"
    )
    api_url: Url = Field(
        default="https://connect.deskbird.com", description="base URL of deskbird's Public API"
    )
    api_key: SecretStr | None = Field(
        default=None, description="the Public API's key, as ${NAME}; for absences only"
    )
    requests_per_second: Annotated[float, Field(gt=0)] = Field(
        default=10, description="requests to deskbird stay under this rate"
    )
    concurrency: Annotated[int, Field(ge=1, le=64)] = Field(
        default=8, description="requests to deskbird under way at once"
    )
    take_over: bool = Field(
        default=False,
        description="take over users that an identity provider has marked as its own",
    )

    @model_validator(mode="after")
    def _secrets(self, info: ValidationInfo) -> Self:
        pairs = (("scim_token", self.scim_url), ("api_key", self.api_url))
        refuse([((key,), check_secret(key, getattr(self, key), url, info)) for key, url in pairs])
        return self
