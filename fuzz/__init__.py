"""Fuzzing: inputs that nobody thought of, for the normaliser and for every parser."""
