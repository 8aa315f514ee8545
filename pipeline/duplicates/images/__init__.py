"""Find the same image twice, whatever was done to it.

Start with `pairs`, which runs four steps over a set: `fingerprint` and `keypoints` (what is kept of an image), `candidates`
(pairs worth comparing), `verify` and `alignment` (is it one image), `edits` (what was done to it). `marks` measures burnt-in
text; `contact_sheet` draws pairs side by side; `image_clusters` says whether images come in sets that neither names nor copies
explain.
"""
