"""A small workspace for `heron demo` and the tests: Python, TypeScript, Go."""
