"""From a command line and conf/ to a checked configuration.

Schemas come from the signatures of constructors. This room also decides which objects may be built
from a file. Nothing here trains, reads images or writes results.
"""
