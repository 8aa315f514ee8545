"""What all blocks of params.yaml share."""

from pydantic import BaseModel, ConfigDict


class Strict(BaseModel):
    """A block of params.yaml: no unknown key, no silent conversion of types."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)
