"""The Streamlit app and the HTTP API: thin, they talk to the Predictor and to files that stages wrote."""
