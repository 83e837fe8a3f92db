"""Closed vocabularies of the profiler."""

from typing import Final

PAPER_TOPICS: Final = (
    "health",
    "education",
    "travel",
    "religion",
    "culture",
    "food",
    "fashion",
    "technology",
    "social media",
    "gender and sexuality",
    "race and ethnicity",
    "history",
    "economy",
    "finance",
    "real estate",
    "transportation",
    "weather",
    "disasters",
    "international news",
)
"""The nineteen topics of the paper."""

TOPICS: Final = (*PAPER_TOPICS, "sports", "politics", "entertainment", "crime", "science")
"""The default: the paper's list lacks what news sites are full of."""

US_STATES: Final = tuple(
    """Alabama|Alaska|Arizona|Arkansas|California|Colorado|Connecticut|Delaware|Florida|Georgia|Hawaii|Idaho|Illinois
    |Indiana|Iowa|Kansas|Kentucky|Louisiana|Maine|Maryland|Massachusetts|Michigan|Minnesota|Mississippi|Missouri
    |Montana|Nebraska|Nevada|New Hampshire|New Jersey|New Mexico|New York|North Carolina|North Dakota|Ohio|Oklahoma
    |Oregon|Pennsylvania|Rhode Island|South Carolina|South Dakota|Tennessee|Texas|Utah|Vermont|Virginia|Washington
    |West Virginia|Wisconsin|Wyoming""".replace("\n    ", "").split("|")
)
"""The regions of the paper."""
