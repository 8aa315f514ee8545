"""Mirror results into MLflow. Nothing reads them back: the files of the project are the truth.

Start with `mirror`, the only module that imports mlflow; `mlflow_store` knows where the store is, `run_record` and
`decision_record` what a run holds.

Must not change: one experiment per task, the metric prefixes oof_ and test_, the registered model's alias champion.
"""
