"""Names of features. A module of its own: whoever predicts need not wait for the models of params.yaml."""

AND = "+columns"  # `features: [embedding, columns]` of params.yaml is kept as "embedding+columns"
