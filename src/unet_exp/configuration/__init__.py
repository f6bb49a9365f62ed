"""From a command line and conf/ to a checked configuration.

Schemas come from the signatures of constructors. What may be built from a file is decided here.
Nothing here trains, reads images or writes results.
"""
