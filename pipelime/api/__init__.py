"""The public APIs: one package a dialect, and what all of them share."""
