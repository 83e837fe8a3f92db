"""A data set as pages in a web browser, on this machine only: search news and readers, and see where texts come from.

`search` finds, `details` describes one news or reader, `pages` renders, and `server` answers on the loopback address.
"""
