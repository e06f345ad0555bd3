"""The engines of the built-in runtimes; each is imported in the sandboxed process alone."""
