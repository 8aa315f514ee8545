"""From one sample to one answer: the code that serves.

Start with `predictor`: command line, app, API, MLflow and the stage `holdout` all use it. `bundle` writes and checks the exported
folder, `decision_rule` turns probabilities into a class, `ood_images` and `ood_tables` compare a sample with the training data,
`explanation` says what an answer rests on. Imports neither tensorflow nor mlflow.

Must not change: the format of bundle.json and the keys of an answer (file, class, probabilities, decision, refused, reason).
"""
