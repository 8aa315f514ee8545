"""The rule of a data set by which stored values become 0..255 and images become the model's square.

It stands in params.yaml (`read.intensity`, `read.resize`) and travels in the bundle, so that training, audit and prediction see
the same pixels.
"""

import re
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

from pipeline.core.artifacts import JSON
from pipeline.core.errors import DataError

if TYPE_CHECKING:  # pydantic, without which images are served
    from pipeline.core.read_params import ReadParams

Resize = Literal["stretch", "letterbox", "crop"]
# Low and high, in Hounsfield units: level -/+ half of the width that radiologists use.
NAMED = {
    "lung": (-1350.0, 150.0),
    "mediastinum": (-125.0, 225.0),
    "abdomen": (-160.0, 240.0),
    "liver": (-45.0, 105.0),
    "brain": (0.0, 80.0),
    "bone": (-500.0, 1300.0),
}
BITS = re.compile(r"(\d{1,2}) bits")


@dataclass(frozen=True)
class PixelRule:
    """How the files of a data set are read.

    intensity : what becomes 0..255: None (8 bits as they are, 16 bits from 0 to 65535), `full` (the range of the file's type),
        `12 bits` (0 to 4095), a name in NAMED, `file` (the window in each DICOM file), or low and high
    resize : how an image becomes the model's square: stretched, with black borders, or its middle
    """

    intensity: str | tuple[float, float] | None = None
    resize: Resize = "stretch"

    @property
    def bits(self) -> int | None:
        """The bits that are used, where the rule names them."""
        match = BITS.fullmatch(self.intensity) if isinstance(self.intensity, str) else None
        return int(match[1]) if match else None

    @property
    def window(self) -> tuple[float, float] | None:
        """The values that become 0 and 255; None where each file's type or window says so."""
        if isinstance(self.intensity, tuple):
            return self.intensity
        if self.bits is not None:
            return 0.0, float(2**self.bits - 1)
        return NAMED.get(self.intensity) if self.intensity else None

    @property
    def words(self) -> str:
        """The intensity for people, such as `lung (-1350 to 150)`; "" where the rule has none."""
        if isinstance(self.intensity, tuple):
            return f"{self.intensity[0]:g} to {self.intensity[1]:g}"
        return f"{self.intensity} ({self.window[0]:g} to {self.window[1]:g})" if self.window else self.intensity or ""

    def to_json(self) -> JSON:
        """Return what is not the default: an empty dict for a rule that changes nothing."""
        defaults = asdict(PixelRule())
        content = {key: value for key, value in asdict(self).items() if value != defaults[key]}
        return content | ({"intensity": list(self.intensity)} if isinstance(self.intensity, tuple) else {})

    @classmethod
    def from_json(cls, content: JSON | None) -> "PixelRule":
        """Return the rule in the `input` of a bundle, or elsewhere; what is missing has its default."""
        content = content or {}
        return cls(checked(content.get("intensity")), content.get("resize", "stretch"))


AS_IT_WAS = PixelRule()


def rule_of(read: "ReadParams") -> PixelRule:
    """Return the rule of a task; raise DataError for an intensity that is none."""
    return PixelRule(checked(read.intensity), read.resize)


def checked(value: Any) -> str | tuple[float, float] | None:
    """Return an intensity as a rule holds it; raise DataError for anything else."""
    if value is None or value in ("full", "file", *NAMED):
        return value
    if isinstance(value, str) and BITS.fullmatch(value) and 8 <= int(value.split()[0]) <= 32:
        return value
    if isinstance(value, list | tuple) and len(value) == 2 and all(isinstance(v, int | float) for v in value):
        low, high = map(float, value)
        if -1e30 < low < high < 1e30:
            return low, high
    raise DataError(
        f"intensity: found {value!r}; expected full, file, a number of bits such as '12 bits', {', '.join(NAMED)}, or low and "
        "high such as [-1000, 400]"
    )
