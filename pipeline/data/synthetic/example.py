"""A drawn example image that belongs to nobody, to try a model with."""

import numpy as np
from PIL import Image

from pipeline.data.synthetic.lesion import draw_lesion
from pipeline.data.synthetic.photo import photograph
from pipeline.data.thumbnails import encoded


def example(number: int) -> bytes:
    """Return a drawn photo of a skin lesion as JPEG: of nobody, another one for each `number`, looking ill by turns."""
    rng = np.random.default_rng(number)
    return encoded(Image.fromarray(photograph(rng, draw_lesion(rng, 0.9 if number % 2 else 0.1))))
