"""What is a secret, and how it is masked, wherever something is written or shown.

Passwords, tokens and keys are known by their names and by where they stand in a text.
"""
