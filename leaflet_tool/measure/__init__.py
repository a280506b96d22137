"""Pure functions over predictions: figures with intervals, baselines on the same split, paired tests, drawings."""
