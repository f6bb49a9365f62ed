"""HTML pages that need neither a network connection nor an account.

Their content is read through `records`. Pictures are drawn in `pictures`.
"""
