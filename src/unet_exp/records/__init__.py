"""The folders in which runs and sweeps are recorded.

Only this room knows the names and formats of the files in them. It writes and reads records; it
does not train, score or draw.
"""
