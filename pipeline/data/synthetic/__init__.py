"""Drawn images that are nobody's: the demo task and the examples of the app.

Start with `demo_set`; `lesion` draws a skin lesion, `photo` photographs it.

Must not change: the bytes that a seed gives, because dvc.lock holds their hashes.
"""
