"""Find and mask secrets in everything that is written or shown.

Passwords, tokens and keys are recognised by their names and by their position in a text.
"""
