"""One training and the folder that records it: start, resume, stop, describe.

The training loop itself is in `training`. Many runs as one are in `sweeps`.
"""
