"""Find and mask secrets in everything that is written or shown.

Passwords, tokens and keys are known by their names and by where they stand in a text.
"""
