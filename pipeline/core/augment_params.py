"""How images are changed while a network learns, as `augment:` of a task in params.yaml: a preset, or values by name.

A preset says which changes leave the class of an image of that kind alone; values in the same block replace the preset's.
"""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

Preset = Literal["standard", "dermoscopy", "histology", "xray", "none"]
NONE = {"flips": "none", "quarter_turns": False, "light": 0.0}
# standard: no up or down, and brightness and contrast that differ by 20 % between two cameras; it was measured
# (benchmarks/network.md), the others are starting points.
PRESETS: dict[str, dict[str, Any]] = {
    "standard": {},
    "dermoscopy": {"resolution": 0.4, "jpeg": 40, "blur": 1.0},
    "histology": {"colour": 0.15, "scale": 0.15, "blur": 1.0, "jpeg": 50},
    "xray": {
        "flips": "horizontal",
        "quarter_turns": False,
        "rotate": 8.0,
        "scale": 0.1,
        "noise": 6.0,
        "resolution": 0.5,
    },
    "none": NONE,
}


class AugmentParams(BaseModel):
    """Changes of an image that leave its class alone; each view draws how strong each is, up to the value here.

    flips: none, horizontal (left and right) or both. quarter_turns: rotation by 90, 180 and 270 degrees. rotate: largest angle to
    either side, in degrees. scale: share by which it is enlarged or reduced. light: share of brightness and of contrast. colour:
    share by which each channel is multiplied. blur: largest radius in px of 224. jpeg: lowest quality it is compressed with.
    noise: largest standard deviation, of 255. cutout: largest side of a grey square, as a share. resolution: lowest share of the
    pixels on a side. 0 (jpeg: 100, resolution: 1) leaves a change out.
    """

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    preset: Preset = "standard"
    flips: Literal["none", "horizontal", "both"] = "both"
    quarter_turns: bool = True
    rotate: float = Field(0.0, ge=0, le=180)
    scale: float = Field(0.0, ge=0, le=0.5)
    light: float = Field(0.2, ge=0, le=0.9)
    colour: float = Field(0.0, ge=0, le=0.9)
    blur: float = Field(0.0, ge=0, le=10)
    jpeg: int = Field(100, ge=5, le=100)
    noise: float = Field(0.0, ge=0, le=100)
    cutout: float = Field(0.0, ge=0, le=0.9)
    resolution: float = Field(1.0, gt=0, le=1)

    @model_validator(mode="before")
    @classmethod
    def _from_preset(cls, block: Any) -> Any:
        """Accept a preset's name alone, and take from the preset what the block does not say."""
        if isinstance(block, str):
            block = {"preset": block}
        if isinstance(block, dict) and isinstance(block.get("preset", ""), str):
            return PRESETS.get(block.get("preset", "standard"), {}) | block
        return block
