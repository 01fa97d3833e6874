"""Jobs carried out: rows of `host.job` chosen, claimed, run and ended, by whatever process there is for it.

The row is the truth. RQ, where there is a Redis, only tells a worker which row to look at.
"""
