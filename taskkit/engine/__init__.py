"""The engine: the road that every model call takes, a module a stage."""
