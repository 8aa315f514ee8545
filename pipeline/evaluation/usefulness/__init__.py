"""What a model is good for: `decision_curve` (net benefit), `sample_size`, and whether more data would help.

`learning_curve` holds and words what `training_sizes` computes; pages import the first alone, which is light.

Must not change: the columns of decision_curve.csv and the keys of learning_curve.json.
"""
