"""The configurations of text encoders, as `architectures` has those of networks for pictures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from zoo_huggingface.architectures import Config, Sizes

MICRO: Final[Config] = {
    **{"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 48},
    "max_position_embeddings": 128,
}
MICRO_ROBERTA: Final[Config] = {**MICRO, "max_position_embeddings": 130, "type_vocab_size": 1}
ROBERTA: Final[Config] = {"max_position_embeddings": 514, "type_vocab_size": 1, "layer_norm_eps": 1e-5}
DEBERTA: Final[Config] = {"relative_attention": True, "position_biased_input": False, "type_vocab_size": 0}
DEBERTA_V3: Final[Config] = {
    **{**DEBERTA, "position_buckets": 256, "norm_rel_ebd": "layer_norm", "share_att_key": True},
    "pos_att_type": ["p2c", "c2p"],
}


def _bert(hidden: int, layers: int, heads: int, inner: int, **others: Any) -> Config:
    wide = {"hidden_size": hidden, "num_hidden_layers": layers, "num_attention_heads": heads}
    return {**wide, "intermediate_size": inner, **others}


FNET: Final = (
    "its Fourier transform runs over the padding too, so that an answer would depend on the longest text of a batch"
)
NOT_AVAILABLE: Final[Mapping[str, str]] = {"fnet": FNET}
"""Families that are listed and cannot be used, each with the reason."""
NOT_EXPORTABLE: Final[Mapping[str, str]] = {
    "longformer": "it chooses its attention by what a text holds, which the exporter cannot follow",
    "funnel": "its pooling between blocks fixes the length of a text when it is captured",
}
"""Families that are trained and not exported, each with the reason."""

ENCODERS: Final[Mapping[str, Sizes]] = {
    "bert": {
        "bert_mini": _bert(256, 4, 4, 1024),
        "bert_small": _bert(512, 4, 8, 2048),
        "bert_medium": _bert(512, 8, 8, 2048),
        "bert_large": _bert(1024, 24, 16, 4096),
    },
    "distilbert": {
        "distilbert_micro": {"dim": 32, "n_layers": 2, "n_heads": 2, "hidden_dim": 48, "max_position_embeddings": 128},
    },
    "roberta": {
        "roberta_micro": MICRO_ROBERTA,
        "distilroberta_base": {**ROBERTA, "num_hidden_layers": 6},
        "roberta_base": ROBERTA,
        "roberta_large": _bert(1024, 24, 16, 4096, **ROBERTA),
    },
    "xlm-roberta": {
        "xlm_roberta_micro": MICRO_ROBERTA,
        "xlm_roberta_base": ROBERTA,
        "xlm_roberta_large": _bert(1024, 24, 16, 4096, **ROBERTA),
    },
    "camembert": {"camembert_micro": MICRO_ROBERTA, "camembert_base": ROBERTA},
    "roberta-prelayernorm": {"roberta_prelayernorm_micro": MICRO_ROBERTA, "efficient_mlm": ROBERTA},
    "albert": {
        "albert_micro": {**MICRO, "embedding_size": 16},
        "albert_base_v2": _bert(768, 12, 12, 3072),
        "albert_large_v2": _bert(1024, 24, 16, 4096),
        "albert_xlarge_v2": _bert(2048, 24, 16, 8192),
        "albert_xxlarge_v2": {},
    },
    "electra": {
        "electra_micro": {**MICRO, "embedding_size": 16},
        "electra_small": {},
        "electra_base": _bert(768, 12, 12, 3072, embedding_size=768),
        "electra_large": _bert(1024, 24, 16, 4096, embedding_size=1024),
    },
    "mpnet": {"mpnet_micro": MICRO_ROBERTA, "mpnet_base": {"max_position_embeddings": 514, "layer_norm_eps": 1e-5}},
    "deberta": {
        "deberta_micro": {**MICRO, **DEBERTA, "pos_att_type": ["c2p", "p2c"]},
        "deberta_base": {**DEBERTA, "pos_att_type": ["c2p", "p2c"]},
    },
    "deberta-v2": {
        "deberta_v2_micro": {**MICRO, **DEBERTA_V3, "position_buckets": 16},
        "deberta_v3_xsmall": _bert(384, 12, 6, 1536, **DEBERTA_V3),
        "deberta_v3_small": _bert(768, 6, 12, 3072, **DEBERTA_V3),
        "deberta_v3_base": _bert(768, 12, 12, 3072, **DEBERTA_V3),
        "deberta_v3_large": _bert(1024, 24, 16, 4096, **DEBERTA_V3),
    },
    "modernbert": {
        "modernbert_micro": {**MICRO, "local_attention": 16, "global_attn_every_n_layers": 2},
        "modernbert_base": {},
        "modernbert_large": _bert(1024, 28, 16, 2624),
    },
    "convbert": {
        "convbert_micro": {**MICRO, "embedding_size": 32, "conv_kernel_size": 5},
        "convbert_base": {},
        "convbert_small": _bert(256, 12, 4, 1024, embedding_size=128),
    },
    "funnel": {
        "funnel_micro": {
            **{"block_sizes": [1, 1, 1], "block_repeats": [1, 1, 1], "num_decoder_layers": 1},
            **{"d_model": 32, "n_head": 2, "d_head": 16, "d_inner": 48, "architectures": ["FunnelModel"]},
        },
        "funnel_small": {"architectures": ["FunnelModel"]},
    },
    "mobilebert": {
        "mobilebert_micro": {**MICRO, "embedding_size": 16, "intra_bottleneck_size": 32, "hidden_size": 64},
        "mobilebert_uncased": {},
    },
    "squeezebert": {"squeezebert_micro": {**MICRO, "embedding_size": 32}, "squeezebert_uncased": {}},
    "big_bird": {
        "big_bird_micro": {**MICRO, "attention_type": "original_full"},
        "bigbird_roberta_base": {"attention_type": "original_full", "max_position_embeddings": 512},
    },
    "longformer": {"longformer_base_4096": {"max_position_embeddings": 4098, "attention_window": 512}},
    "fnet": {"fnet_base": {}},
    "splinter": {"splinter_micro": MICRO, "splinter_base": {}},
    "layoutlm": {"layoutlm_micro": MICRO, "layoutlm_base": {}},
    "ernie": {"ernie_micro": MICRO, "ernie_2_0_base": {}},
    "rembert": {"rembert_micro": {**MICRO, "input_embedding_size": 16}, "rembert": {}},
    "roformer": {"roformer_micro": {**MICRO, "embedding_size": 32}, "roformer_base": {"max_position_embeddings": 512}},
    "megatron-bert": {"megatron_bert_micro": MICRO, "megatron_bert_345m": {}},
    "ibert": {"ibert_micro": MICRO_ROBERTA, "ibert_roberta_base": ROBERTA},
    "data2vec-text": {"data2vec_text_micro": MICRO_ROBERTA, "data2vec_text_base": ROBERTA},
    "nomic_bert": {"nomic_bert_micro": MICRO, "nomic_bert": {}},
    "eurobert": {"eurobert_micro": MICRO, "eurobert_210m": {}},
    "xmod": {
        "xmod_micro": {**MICRO_ROBERTA, "languages": ["en_XX"], "default_language": "en_XX"},
    },
    "esm": {"esm_micro": MICRO},
    "gte": {"gte_micro": MICRO},
    "flaubert": {"flaubert_micro": {"emb_dim": 32, "n_layers": 2, "n_heads": 2, "max_position_embeddings": 128}},
    "xlm": {"xlm_micro": {"emb_dim": 32, "n_layers": 2, "n_heads": 2, "max_position_embeddings": 128}},
    "tapas": {"tapas_micro": MICRO},
    "jina_embeddings_v3": {"jina_embeddings_v3_micro": MICRO},
}
