"""The Streamlit app: thin, it talks to the Predictor and to files that stages wrote."""
