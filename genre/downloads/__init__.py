"""Fetching published data sets: mirrors, resuming, checksums, and archives that are not trusted.

`fetching` gets an archive from an address, `partial` keeps what is there of it, `checksums` are recorded at first use,
`unpacking` takes the known files out of it, `downloading` does all of it with one mirror after another, and `listing`
finds what plugins offer.
"""

from genre.downloads.checksums import sha256_of
from genre.downloads.downloading import Fetched, download
from genre.downloads.fetching import Patience
from genre.downloads.listing import downloads, find_download

__all__ = ["Fetched", "Patience", "download", "downloads", "find_download", "sha256_of"]
