"""Compare the samples that a champion is shown with those that it was trained on.

Start with `histograms` (counts in fixed bins); `baseline` counts out-of-fold samples alike, `drift` compares the two.

Must not change: the bins, because files in data/monitor/ and bundles hold counts of them.
"""
