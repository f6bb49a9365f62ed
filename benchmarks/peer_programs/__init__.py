"""Programs that train another package on a folder of images, as its own documentation does.

`python -m benchmarks.peer_programs.NAME IMAGES OUT CPU_SECONDS` runs one of them. They import
nothing from this project, so they also run where only the other package is installed.
"""
