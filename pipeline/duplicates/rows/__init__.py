"""Find table rows that are one patient's.

Start with `row_audit`. `equal_rows` tells copies from patients who are equal because their columns hold few values,
`row_clusters` finds rows that lie far closer together than chance explains, `near_rows` compares submitted rows with known
ones.
"""
