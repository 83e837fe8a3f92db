"""MIND's archives, and the addresses that its pages and those of the Recommenders project name."""

from typing import Final

from genre.parts import Archive, Download

_OFFICIAL: Final = "https://mind201910small.blob.core.windows.net/release"
"""Named by https://msnews.github.io."""
_RECOMMENDERS: Final = (
    "https://recodatasets.z20.web.core.windows.net/newsrec",
    "https://huggingface.co/datasets/Recommenders/MIND/resolve/main",
)
"""Named by https://github.com/recommenders-team/recommenders."""
_FURTHER: Final = ("entity_embedding.vec", "relation_embedding.vec")


def _mind(size: str, summary: str, splits: tuple[str, ...], mirrors: tuple[str, ...]) -> Download:
    return Download(
        name=f"mind-{size}",
        summary=summary,
        licence="Microsoft Research License Terms: for non-commercial research only",
        licence_url="https://github.com/msnews/MIND/blob/master/MSR%20License_Data.pdf",
        mirrors=mirrors,
        archives=tuple(
            Archive(
                name=f"MIND{size}_{split}.zip",
                folder=f"MIND{size}_{split}",
                files=("news.tsv", "behaviors.tsv"),
                further=_FURTHER,
            )
            for split in splits
        ),
    )


DOWNLOADS: Final = (
    _mind("demo", "5,000 users of MIND, for trying things out", ("train", "dev"), _RECOMMENDERS),
    _mind("small", "50,000 users of MIND", ("train", "dev"), (_OFFICIAL, *_RECOMMENDERS)),
    _mind("large", "All of MIND; its test split has no labels", ("train", "dev", "test"), (_OFFICIAL, *_RECOMMENDERS)),
)
