"""What is fuzzed: one module each, with a function `one(data)` that says what must hold."""
