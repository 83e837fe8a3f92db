"""The papers that the parts come from."""

from typing import Final

NAML: Final = "Wu et al., Neural News Recommendation with Attentive Multi-View Learning, IJCAI 2019"
LSTUR: Final = "An et al., Neural News Recommendation with Long- and Short-term User Representations, ACL 2019"
NRMS: Final = "Wu et al., Neural News Recommendation with Multi-Head Self-Attention, EMNLP 2019"
PLMNR: Final = "Wu et al., Empowering News Recommendation with Pre-trained Language Models, SIGIR 2021"
BST: Final = "Chen et al., Behavior Sequence Transformer for E-commerce Recommendation in Alibaba, DLP-KDD 2019"
DCN: Final = "Wang et al., Deep & Cross Network for Ad Click Predictions, ADKDD 2017"
PNN: Final = "Qu et al., Product-based Neural Networks for User Response Prediction, ICDM 2016"
DIN: Final = "Zhou et al., Deep Interest Network for Click-Through Rate Prediction, KDD 2018"
GENRE: Final = "GENRE (arXiv 2305.06566), what its ranking baselines read with"
