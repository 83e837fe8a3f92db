"""The eight models once more: slow, in plain numpy, written from the papers' formulas and not from the code.

One reader and one candidate at a time, over lists of real words, clicks and candidates: there is no batch, no padding
and no mask. `test_parity.py` holds the recommenders against it. Neither torch nor genre is imported here; weights are
arrays by the names of a recommender's state.
"""
