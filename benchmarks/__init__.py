"""What measures speed. Not tests: machines are noisy, so every figure with a bar is a ratio within one run."""
