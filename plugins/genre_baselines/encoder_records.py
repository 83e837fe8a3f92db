"""What the encoders declare. Light: a record names its code by an import string."""

from collections.abc import Iterator

from genre import hookimpl
from genre.parts import Encoder
from genre_baselines import papers


@hookimpl
def genre_encoders() -> Iterator[Encoder]:
    """Field, news and user encoders."""
    yield Encoder(
        name="embedding",
        encodes="field",
        summary="Mean of the embeddings of a field's ids: words, entities, or the one category",
        source=papers.GENRE,
        target="genre_baselines.embeddings:EmbeddingFieldEncoder",
        options="genre_baselines.embeddings:EmbeddingOptions",
    )
    yield Encoder(
        name="cnn",
        encodes="field",
        summary="Convolution over words, then additive attention",
        source=papers.NAML,
        target="genre_baselines.naml:CNNFieldEncoder",
        options="genre_baselines.naml:CNNOptions",
    )
    yield Encoder(
        name="self-attention",
        encodes="field",
        summary="Multi-head self-attention over words or entities, then additive attention",
        source=papers.NRMS,
        target="genre_baselines.nrms:SelfAttentionFieldEncoder",
        options="genre_baselines.nrms:SelfAttentionOptions",
    )
    yield Encoder(
        name="plm",
        encodes="field",
        summary="A language model, pre-trained or from scratch, then additive attention or a mean",
        source=papers.PLMNR,
        target="genre_baselines.plmnr:LanguageModelFieldEncoder",
        options="genre_baselines.plmnr:LanguageModelOptions",
    )
    yield Encoder(
        name="projection",
        encodes="field",
        summary="Linear projection of a dense vector, such as a cover image's",
        source="IM-MIND, whose cover images GENRE (arXiv 2305.06566) reads",
        target="genre_baselines.embeddings:ProjectionFieldEncoder",
    )
    yield Encoder(
        name="attention",
        encodes="news",
        summary="Additive attention over the fields of a news",
        source=papers.NAML,
        target="genre_baselines.news:AttentionNewsEncoder",
        options="genre_baselines.news:AttentionOptions",
    )
    yield Encoder(
        name="concatenation",
        encodes="news",
        summary="The fields of a news, concatenated and projected",
        source=papers.LSTUR,
        target="genre_baselines.news:ConcatenationNewsEncoder",
    )
    yield Encoder(
        name="mean",
        encodes="news",
        summary="Mean of the fields of a news",
        source=papers.GENRE,
        target="genre_baselines.news:MeanNewsEncoder",
    )
    yield Encoder(
        name="pooling",
        encodes="user",
        summary="Mean of the clicked news",
        source=papers.GENRE,
        target="genre_baselines.pooling:PoolingUserEncoder",
    )
    yield Encoder(
        name="naml",
        encodes="user",
        summary="Additive attention over the clicked news",
        source=papers.NAML,
        target="genre_baselines.naml:NAMLUserEncoder",
        options="genre_baselines.news:AttentionOptions",
    )
    yield Encoder(
        name="lstur",
        encodes="user",
        summary="GRU over the clicked news (short term), embedding of the user (long term)",
        source=papers.LSTUR,
        target="genre_baselines.lstur:LSTURUserEncoder",
        options="genre_baselines.lstur:LSTURUserOptions",
    )
    yield Encoder(
        name="nrms",
        encodes="user",
        summary="Multi-head self-attention and additive attention over the clicked news",
        source=papers.NRMS,
        target="genre_baselines.nrms:NRMSUserEncoder",
        options="genre_baselines.nrms:SelfAttentionOptions",
    )
    yield Encoder(
        name="bst",
        encodes="user",
        summary="Transformer over the clicked news and the candidate (candidate-aware)",
        source=papers.BST,
        target="genre_baselines.bst:BSTUserEncoder",
        options="genre_baselines.bst:BSTUserOptions",
    )
    yield Encoder(
        name="din",
        encodes="user",
        summary="Attention of the candidate over the clicked news, not normalised (candidate-aware)",
        source=papers.DIN,
        target="genre_baselines.din:DINUserEncoder",
        options="genre_baselines.din:DINUserOptions",
    )
