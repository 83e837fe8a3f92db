"""What experiments of tests are about: a sample that trains in a second."""

SMALL_SAMPLE = """
[dataset]
reader = "sample"
options = { news = 80, users = 60, train = 120, dev = 40, test = 40 }

[features]
texts = { title = 8 }
history_length = 10
"""
