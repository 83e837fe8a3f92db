"""Options of the parts. Light: listing or checking them needs no torch."""

import attrs

_ratio = [attrs.validators.ge(0.0), attrs.validators.lt(1.0)]
_at_least_one = attrs.validators.ge(1)


@attrs.frozen(kw_only=True)
class PoolingNewsOptions:
    """
    Attributes:
        dropout: of the field vectors.
    """

    dropout: float = attrs.field(default=0.1, validator=_ratio)


@attrs.frozen(kw_only=True)
class NRMSNewsOptions:
    """
    Attributes:
        heads: of the self-attention; divides the width.
        hidden: width of the additive attentions.
        dropout: of word vectors and of what the self-attention returns.
    """

    heads: int = attrs.field(default=8, validator=_at_least_one)
    hidden: int = attrs.field(default=64, validator=_at_least_one)
    dropout: float = attrs.field(default=0.2, validator=_ratio)


@attrs.frozen(kw_only=True)
class NRMSUserOptions:
    """
    Attributes:
        heads: of the self-attention; divides the width.
        hidden: width of the additive attention.
        dropout: of what the self-attention returns.
    """

    heads: int = attrs.field(default=8, validator=_at_least_one)
    hidden: int = attrs.field(default=64, validator=_at_least_one)
    dropout: float = attrs.field(default=0.2, validator=_ratio)


@attrs.frozen(kw_only=True)
class DeepCrossOptions:
    """
    Attributes:
        cross_layers: of the cross network.
        widths: layers of the DNN (the paper: 1000 x 3).
        dropout: of the DNN.
    """

    cross_layers: int = attrs.field(default=3, validator=_at_least_one)
    widths: tuple[int, ...] = attrs.field(
        default=(1000, 1000, 1000),
        validator=[attrs.validators.min_len(1), attrs.validators.deep_iterable(_at_least_one)],
    )
    dropout: float = attrs.field(default=0.1, validator=_ratio)
