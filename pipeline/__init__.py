"""Assay: a reproducible experiment pipeline for classifying medical images and tables."""

__version__ = "0.2.0"
