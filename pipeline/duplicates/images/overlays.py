"""Find what most images of a set show in the same place: burnt-in text, logos, scales. It does not make them one image."""

from collections.abc import Iterable

import cv2
import numpy as np

from pipeline.duplicates.images.covered import BROAD, FINE, SIDE
from pipeline.duplicates.images.verify import Signature

FEWEST, SAMPLE = 24, 100  # images: with fewer, copies of one image would be taken for an overlay; more tell no more
# Share of the images that are brighter, or darker, than around a place by this many grey levels. Of dermoscopic photos it is
# under .3 everywhere, of histology and CT up to .5 and .6, of text on them 1.
STEP, SHARED = 8, 0.65
MOST = 0.75  # of the frame: more is the subject itself, such as frames of one film


def find_overlay(signatures: Iterable[Signature]) -> np.ndarray | None:
    """Return where in the frame most images show the same, uint8 (SIDE, SIDE) of 0 and 1; None where they do nowhere."""
    brighter, darker, n = np.zeros((SIDE, SIDE), int), np.zeros((SIDE, SIDE), int), 0
    for signature in signatures:
        grey = cv2.resize(signature.points.grey, (SIDE, SIDE), interpolation=cv2.INTER_AREA).astype(np.float32)
        detail = cv2.GaussianBlur(grey, (0, 0), FINE) - cv2.GaussianBlur(grey, (0, 0), BROAD)
        brighter, darker, n = brighter + (detail > STEP), darker + (detail < -STEP), n + 1
    if n < FEWEST:
        return None
    same = (np.maximum(brighter, darker) >= SHARED * n).astype(np.uint8)
    overlay = cv2.dilate(same, np.ones((5, 5), np.uint8))
    return overlay if 0 < overlay.mean() <= MOST else None
