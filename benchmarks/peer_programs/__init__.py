"""Programs that train another package on a folder of images, as its own documentation does.

Each runs by itself, `python -m benchmarks.peer_programs.NAME IMAGES OUT CPU_SECONDS`, and imports
nothing of this project, so that it may run where only the other package is installed.
"""
