"""Baselines of the paper: encoders, interactions, and the recommenders that they make up.

A module for each paper; what several of them share (embeddings, news encoders, pooling, interactions) has a module of
its own. The records of all parts are imported here, which loads no code of theirs.
"""

from genre_baselines.baseline_records import genre_baselines
from genre_baselines.encoder_records import genre_encoders
from genre_baselines.interaction_records import genre_interactions

__all__ = ["genre_baselines", "genre_encoders", "genre_interactions"]
