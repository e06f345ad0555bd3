[1mmodel[0m
autoencoder
  plugin   autoencoder
  task     image-reconstruction
  params   440k
  input    1x28x28
  weights  digits
conv_autoencoder
  plugin   autoencoder
  task     image-reconstruction
  params   52.2k
  input    1x28x28
  weights  digits
conv_vae
  plugin  autoencoder
  task    image-reconstruction
  params  243k
  input   1x28x28
vae
  plugin   autoencoder
  task     image-reconstruction
  params   476k
  input    1x28x28
  weights  digits
vae_decoder
  plugin   autoencoder
  task     image-generation
  params   237k
  input    latent 20
  weights  digits
vae_large
  plugin  autoencoder
  task    image-reconstruction
  params  1.08M
  input   1x28x28
cnn
  plugin   cnn
  task     image-classification
  params   422k
  input    1x28x28
  weights  digits
convnet (lenet)
  plugin   cnn
  task     image-classification
  params   108k
  input    1x28x28
  weights  digits
facenet
  plugin  facenet
  task    image-embedding
  params  23.5M
  input   3x160x160
facenet_tiny
  plugin   facenet
  task     image-embedding
  params   79k
  input    1x28x28
  weights  digits
dcgan (gan)
  plugin   gan
  task     image-generation
  params   191k
  input    latent 64
  weights  digits
dcgan_64
  plugin  gan
  task    image-generation
  params  12.7M
  input   latent 100
albert_base_v2
  plugin  huggingface
  task    text-classification
  params  11.2M
  input   512 wordpieces
albert_large_v2
  plugin  huggingface
  task    text-classification
  params  16.7M
  input   512 wordpieces
albert_micro
  plugin  huggingface
  task    text-classification
  params  23.6k
  input   128 wordpieces
albert_xlarge_v2
  plugin  huggingface
  task    text-classification
  params  54.6M
  input   512 wordpieces
albert_xxlarge_v2
  plugin  huggingface
  task    text-classification
  params  206M
  input   512 wordpieces
huggingface/beit_base_patch16_224
  plugin  huggingface
  task    image-classification
  params  86.5M
  input   3x224x224
huggingface/beit_base_patch16_384
  plugin  huggingface
  task    image-classification
  params  86.7M
  input   3x384x384
huggingface/beit_large_patch16_224
  plugin  huggingface
  task    image-classification
  params  304M
  input   3x224x224
beit_micro
  plugin  huggingface
  task    image-classification
  params  21.9k
  input   3x32x32
beit_segmenter_micro
  plugin  huggingface
  task    semantic-segmentation
  params  156k
  input   3x96x96
bert_base
  plugin  huggingface
  task    text-classification
  params  109M
  input   512 wordpieces
bert_large
  plugin  huggingface
  task    text-classification
  params  334M
  input   512 wordpieces
bert_medium
  plugin  huggingface
  task    text-classification
  params  41.1M
  input   512 wordpieces
bert_mini
  plugin  huggingface
  task    text-classification
  params  11.1M
  input   512 wordpieces
bert_small
  plugin  huggingface
  task    text-classification
  params  28.5M
  input   512 wordpieces
bert_tiny (bert)
  plugin   huggingface
  task     text-classification
  params   128k
  input    128 wordpieces
  weights  names
big_bird_micro
  plugin  huggingface
  task    text-classification
  params  45.5k
  input   128 wordpieces
bigbird_roberta_base
  plugin  huggingface
  task    text-classification
  params  109M
  input   512 wordpieces
bit_50
  plugin  huggingface
  task    image-classification
  params  25.5M
  input   3x224x224
bit_micro
  plugin  huggingface
  task    image-classification
  params  38.1k
  input   3x64x64
camembert_base
  plugin  huggingface
  task    text-classification
  params  109M
  input   512 wordpieces
camembert_micro
  plugin  huggingface
  task    text-classification
  params  45.5k
  input   128 wordpieces
conditional_detr_micro
  plugin  huggingface
  task    object-detection
  params  108k
  input   3x96x96
conditional_detr_resnet_50
  plugin  huggingface
  task    object-detection
  params  43.4M
  input   3x800x800
convbert_base
  plugin  huggingface
  task    text-classification
  params  106M
  input   512 wordpieces
convbert_micro
  plugin  huggingface
  task    text-classification
  params  44.9k
  input   128 wordpieces
convbert_small
  plugin  huggingface
  task    text-classification
  params  13.1M
  input   512 wordpieces
convnext_base_224
  plugin  huggingface
  task    image-classification
  params  88.6M
  input   3x224x224
convnext_large_224
  plugin  huggingface
  task    image-classification
  params  198M
  input   3x224x224
convnext_micro
  plugin  huggingface
  task    image-classification
  params  45.4k
  input   3x64x64
convnext_small_224
  plugin  huggingface
  task    image-classification
  params  50.2M
  input   3x224x224
convnext_tiny_224
  plugin  huggingface
  task    image-classification
  params  28.6M
  input   3x224x224
convnext_xlarge_224
  plugin  huggingface
  task    image-classification
  params  350M
  input   3x224x224
convnextv2_atto_1k_224
  plugin  huggingface
  task    image-classification
  params  3.71M
  input   3x224x224
convnextv2_base_1k_224
  plugin  huggingface
  task    image-classification
  params  88.7M
  input   3x224x224
convnextv2_femto_1k_224
  plugin  huggingface
  task    image-classification
  params  5.23M
  input   3x224x224
convnextv2_large_1k_224
  plugin  huggingface
  task    image-classification
  params  198M
  input   3x224x224
convnextv2_micro
  plugin  huggingface
  task    image-classification
  params  46.2k
  input   3x64x64
convnextv2_nano_1k_224
  plugin  huggingface
  task    image-classification
  params  15.6M
  input   3x224x224
convnextv2_pico_1k_224
  plugin  huggingface
  task    image-classification
  params  9.07M
  input   3x224x224
convnextv2_tiny_1k_224
  plugin  huggingface
  task    image-classification
  params  28.6M
  input   3x224x224
cvt_13
  plugin  huggingface
  task    image-classification
  params  20M
  input   3x224x224
cvt_21
  plugin  huggingface
  task    image-classification
  params  31.6M
  input   3x224x224
cvt_micro
  plugin  huggingface
  task    image-classification
  params  74.5k
  input   3x64x64
cvt_w24
  plugin  huggingface
  task    image-classification
  params  277M
  input   3x224x224
data2vec_text_base
  plugin  huggingface
  task    text-classification
  params  109M
  input   512 wordpieces
data2vec_text_micro
  plugin  huggingface
  task    text-classification
  params  45.5k
  input   128 wordpieces
data2vec_vision_base
  plugin  huggingface
  task    image-classification
  params  86.5M
  input   3x224x224
data2vec_vision_large
  plugin  huggingface
  task    image-classification
  params  304M
  input   3x224x224
data2vec_vision_micro
  plugin  huggingface
  task    image-classification
  params  21.9k
  input   3x32x32
data2vec_vision_segmenter_micro
  plugin  huggingface
  task    semantic-segmentation
  params  156k
  input   3x96x96
deberta_base
  plugin  huggingface
  task    text-classification
  params  123M
  input   512 wordpieces
deberta_micro
  plugin  huggingface
  task    text-classification
  params  53.6k
  input   128 wordpieces
deberta_v2_micro
  plugin  huggingface
  task    text-classification
  params  42.4k
  input   128 wordpieces
deberta_v3_base
  plugin  huggingface
  task    text-classification
  params  109M
  input   512 wordpieces
deberta_v3_large
  plugin  huggingface
  task    text-classification
  params  334M
  input   512 wordpieces
deberta_v3_small
  plugin  huggingface
  task    text-classification
  params  66.4M
  input   512 wordpieces
deberta_v3_xsmall
  plugin  huggingface
  task    text-classification
  params  33.2M
  input   512 wordpieces
deeplabv3_mobilenet_v2_1_0_513
  plugin  huggingface
  task    semantic-segmentation
  params  2.56M
  input   3x513x513
deeplabv3_mobilevit_small
  plugin  huggingface
  task    semantic-segmentation
  params  6.39M
  input   3x512x512
deformable_detr
  plugin  huggingface
  task    object-detection
  params  40.1M
  input   3x800x800
deformable_detr_micro
  plugin  huggingface
  task    object-detection
  params  113k
  input   3x96x96
huggingface/deit_base_distilled_patch16_224
  plugin  huggingface
  task    image-classification
  params  86.6M
  input   3x224x224
deit_micro
  plugin  huggingface
  task    image-classification
  params  22.2k
  input   3x32x32
huggingface/deit_small_distilled_patch16_224
  plugin  huggingface
  task    image-classification
  params  22.1M
  input   3x224x224
huggingface/deit_tiny_distilled_patch16_224
  plugin  huggingface
  task    image-classification
  params  5.72M
  input   3x224x224
detector
  plugin  huggingface
  task    object-detection
  input   3x224x224
detr_micro
  plugin  huggingface
  task    object-detection
  params  95.8k
  input   3x96x96
detr_resnet_101
  plugin  huggingface
  task    object-detection
  params  60.5M
  input   3x800x800
detr_resnet_50
  plugin  huggingface
  task    object-detection
  params  41.5M
  input   3x800x800
dfine_micro
  plugin  huggingface
  task    object-detection
  params  246k
  input   3x96x96
dinov2_base
  plugin  huggingface
  task    image-classification
  params  88.1M
  input   3x224x224
dinov2_large
  plugin  huggingface
  task    image-classification
  params  306M
  input   3x224x224
dinov2_micro
  plugin  huggingface
  task    image-classification
  params  33k
  input   3x64x64
dinov2_small
  plugin  huggingface
  task    image-classification
  params  22.8M
  input   3x224x224
dinov2_with_registers_base
  plugin  huggingface
  task    image-classification
  params  88.1M
  input   3x224x224
dinov2_with_registers_micro
  plugin  huggingface
  task    image-classification
  params  33.2k
  input   3x64x64
dinov2_with_registers_small
  plugin  huggingface
  task    image-classification
  params  22.8M
  input   3x224x224
distilbert_base
  plugin  huggingface
  task    text-classification
  params  66.4M
  input   512 wordpieces
distilbert_micro
  plugin  huggingface
  task    text-classification
  params  45.4k
  input   128 wordpieces
distilroberta_base
  plugin  huggingface
  task    text-classification
  params  66.4M
  input   512 wordpieces
donut_swin_micro
  plugin  huggingface
  task    image-classification
  params  18.9k
  input   3x32x32
dpt_segmenter_micro
  plugin  huggingface
  task    semantic-segmentation
  params  111k
  input   3x96x96
efficient_mlm
  plugin  huggingface
  task    text-classification
  params  109M
  input   512 wordpieces
efficientnet_hf_b0
  plugin  huggingface
  task    image-classification
  params  5.29M
  input   3x224x224
efficientnet_hf_b1
  plugin  huggingface
  task    image-classification
  params  7.79M
  input   3x240x240
efficientnet_hf_b2
  plugin  huggingface
  task    image-classification
  params  9.11M
  input   3x260x260
efficientnet_hf_b3
  plugin  huggingface
  task    image-classification
  params  12.2M
  input   3x300x300
efficientnet_hf_b4
  plugin  huggingface
  task    image-classification
  params  19.3M
  input   3x380x380
efficientnet_hf_b5
  plugin  huggingface
  task    image-classification
  params  30.4M
  input   3x456x456
efficientnet_hf_b6
  plugin  huggingface
  task    image-classification
  params  43M
  input   3x528x528
efficientnet_hf_b7
  plugin  huggingface
  task    image-classification
  params  66.3M
  input   3x600x600
efficientnet_micro
  plugin  huggingface
  task    image-classification
  params  170k
  input   3x64x64
electra_base
  plugin  huggingface
  task    text-classification
  params  109M
  input   512 wordpieces
electra_large
  plugin  huggingface
  task    text-classification
  params  334M
  input   512 wordpieces
electra_micro
  plugin  huggingface
  task    text-classification
  params  31.1k
  input   128 wordpieces
electra_small
  plugin  huggingface
  task    text-classification
  params  13.5M
  input   512 wordpieces
encoder
  plugin  huggingface
  task    text-classification
  input   512 wordpieces
ernie_2_0_base
  plugin  huggingface
  task    text-classification
  params  109M
  input   512 wordpieces
ernie_micro
  plugin  huggingface
  task    text-classification
  params  45.5k
  input   128 wordpieces
esm_micro
  plugin  huggingface
  task    text-classification
  params  45.4k
  input   128 wordpieces
eurobert_210m
  plugin  huggingface
  task    text-classification
  params  137M
  input   512 wordpieces
eurobert_micro
  plugin  huggingface
  task    text-classification
  params  43.8k
  input   128 wordpieces
flaubert_micro
  plugin  huggingface
  task    text-classification
  params  55.8k
  input   128 wordpieces
fnet_base
  plugin   huggingface
  task     text-classification
  input    512 wordpieces
  weights  not available
focalnet_base
  plugin  huggingface
  task    image-classification
  params  88.1M
  input   3x224x224
focalnet_micro
  plugin  huggingface
  task    image-classification
  params  19.3k
  input   3x32x32
focalnet_small
  plugin  huggingface
  task    image-classification
  params  49.9M
  input   3x224x224
focalnet_tiny
  plugin  huggingface
  task    image-classification
  params  28.4M
  input   3x224x224
funnel_micro
  plugin  huggingface
  task    text-classification
  params  60.9k
  input   128 wordpieces
funnel_small
  plugin  huggingface
  task    text-classification
  params  131M
  input   512 wordpieces
gte_micro
  plugin  huggingface
  task    text-classification
  params  44.3k
  input   128 wordpieces
hgnet_v2
  plugin  huggingface
  task    image-classification
  params  15.6M
  input   3x224x224
huggingface/hiera_base_224
  plugin  huggingface
  task    image-classification
  params  51.5M
  input   3x224x224
hiera_micro
  plugin  huggingface
  task    image-classification
  params  251k
  input   3x64x64
huggingface/hiera_small_224
  plugin  huggingface
  task    image-classification
  params  35M
  input   3x224x224
huggingface/hiera_tiny_224
  plugin  huggingface
  task    image-classification
  params  27.9M
  input   3x224x224
ibert_micro
  plugin  huggingface
  task    text-classification
  params  45.5k
  input   128 wordpieces
ibert_roberta_base
  plugin  huggingface
  task    text-classification
  params  109M
  input   512 wordpieces
ijepa_micro
  plugin  huggingface
  task    image-classification
  params  22.1k
  input   3x32x32
ijepa_vith14_1k
  plugin  huggingface
  task    image-classification
  params  632M
  input   3x224x224
image_classifier
  plugin  huggingface
  task    image-classification
  input   3x224x224
jina_embeddings_v3_micro
  plugin  huggingface
  task    text-classification
  params  41.4k
  input   128 wordpieces
layoutlm_base
  plugin  huggingface
  task    text-classification
  params  112M
  input   512 wordpieces
layoutlm_micro
  plugin  huggingface
  task    text-classification
  params  177k
  input   128 wordpieces
huggingface/levit_128
  plugin  huggingface
  task    image-classification
  params  8.83M
  input   3x224x224
huggingface/levit_128s
  plugin  huggingface
  task    image-classification
  params  7.39M
  input   3x224x224
huggingface/levit_192
  plugin  huggingface
  task    image-classification
  params  10.6M
  input   3x224x224
huggingface/levit_256
  plugin  huggingface
  task    image-classification
  params  18.4M
  input   3x224x224
huggingface/levit_384
  plugin  huggingface
  task    image-classification
  params  38.4M
  input   3x224x224
levit_micro
  plugin  huggingface
  task    image-classification
  params  132k
  input   3x64x64
longformer_base_4096
  plugin  huggingface
  task    text-classification
  params  133M
  input   512 wordpieces
megatron_bert_345m
  plugin  huggingface
  task    text-classification
  params  334M
  input   512 wordpieces
megatron_bert_micro
  plugin  huggingface
  task    text-classification
  params  45.5k
  input   128 wordpieces
mit_b0
  plugin  huggingface
  task    image-classification
  params  3.58M
  input   3x224x224
mit_b1
  plugin  huggingface
  task    image-classification
  params  13.7M
  input   3x224x224
mit_b2
  plugin  huggingface
  task    image-classification
  params  24.7M
  input   3x224x224
mit_micro
  plugin  huggingface
  task    image-classification
  params  103k
  input   3x64x64
mobilebert_micro
  plugin  huggingface
  task    text-classification
  params  75.1k
  input   128 wordpieces
mobilebert_uncased
  plugin  huggingface
  task    text-classification
  params  24.6M
  input   512 wordpieces
mobilenet_v1_0_75_192
  plugin  huggingface
  task    image-classification
  params  2.59M
  input   3x192x192
mobilenet_v1_1_0_224
  plugin  huggingface
  task    image-classification
  params  4.23M
  input   3x224x224
mobilenet_v1_micro
  plugin  huggingface
  task    image-classification
  params  216k
  input   3x64x64
mobilenet_v2_0_35_96
  plugin  huggingface
  task    image-classification
  params  1.68M
  input   3x96x96
mobilenet_v2_0_75_160
  plugin  huggingface
  task    image-classification
  params  2.64M
  input   3x160x160
mobilenet_v2_1_0_224
  plugin  huggingface
  task    image-classification
  params  3.5M
  input   3x224x224
mobilenet_v2_1_4_224
  plugin  huggingface
  task    image-classification
  params  6.11M
  input   3x224x224
mobilenet_v2_micro
  plugin  huggingface
  task    image-classification
  params  251k
  input   3x64x64
mobilenet_v2_segmenter_micro
  plugin  huggingface
  task    semantic-segmentation
  params  415k
  input   3x96x96
mobilevit_micro
  plugin  huggingface
  task    image-classification
  params  163k
  input   3x64x64
mobilevit_segmenter_micro
  plugin  huggingface
  task    semantic-segmentation
  params  196k
  input   3x96x96
mobilevit_small
  plugin  huggingface
  task    image-classification
  params  5.58M
  input   3x256x256
mobilevit_x_small
  plugin  huggingface
  task    image-classification
  params  2.32M
  input   3x256x256
mobilevit_xx_small
  plugin  huggingface
  task    image-classification
  params  1.27M
  input   3x256x256
mobilevitv2_1_0_imagenet1k_256
  plugin  huggingface
  task    image-classification
  params  4.9M
  input   3x256x256
mobilevitv2_micro
  plugin  huggingface
  task    image-classification
  params  289k
  input   3x64x64
mobilevitv2_segmenter_micro
  plugin  huggingface
  task    semantic-segmentation
  params  412k
  input   3x96x96
modernbert_base
  plugin  huggingface
  task    text-classification
  params  134M
  input   512 wordpieces
modernbert_large
  plugin  huggingface
  task    text-classification
  params  374M
  input   512 wordpieces
modernbert_micro
  plugin  huggingface
  task    text-classification
  params  43.8k
  input   128 wordpieces
mpnet_base
  plugin  huggingface
  task    text-classification
  params  109M
  input   512 wordpieces
mpnet_micro
  plugin  huggingface
  task    text-classification
  params  45.6k
  input   128 wordpieces
nomic_bert
  plugin  huggingface
  task    text-classification
  params  137M
  input   512 wordpieces
nomic_bert_micro
  plugin  huggingface
  task    text-classification
  params  44.1k
  input   128 wordpieces
huggingface/poolformer_m36
  plugin  huggingface
  task    image-classification
  params  56.2M
  input   3x224x224
huggingface/poolformer_m48
  plugin  huggingface
  task    image-classification
  params  73.5M
  input   3x224x224
poolformer_micro
  plugin  huggingface
  task    image-classification
  params  53.7k
  input   3x64x64
huggingface/poolformer_s12
  plugin  huggingface
  task    image-classification
  params  11.9M
  input   3x224x224
huggingface/poolformer_s24
  plugin  huggingface
  task    image-classification
  params  21.4M
  input   3x224x224
huggingface/poolformer_s36
  plugin  huggingface
  task    image-classification
  params  30.9M
  input   3x224x224
pvt_large_224
  plugin  huggingface
  task    image-classification
  params  61.4M
  input   3x224x224
pvt_medium_224
  plugin  huggingface
  task    image-classification
  params  44.2M
  input   3x224x224
pvt_micro
  plugin  huggingface
  task    image-classification
  params  97.4k
  input   3x64x64
pvt_small_224
  plugin  huggingface
  task    image-classification
  params  24.5M
  input   3x224x224
pvt_tiny_224
  plugin  huggingface
  task    image-classification
  params  13.2M
  input   3x224x224
huggingface/pvt_v2_b0
  plugin  huggingface
  task    image-classification
  params  3.67M
  input   3x224x224
huggingface/pvt_v2_b1
  plugin  huggingface
  task    image-classification
  params  14M
  input   3x224x224
huggingface/pvt_v2_b2
  plugin  huggingface
  task    image-classification
  params  25.4M
  input   3x224x224
huggingface/pvt_v2_b3
  plugin  huggingface
  task    image-classification
  params  45.2M
  input   3x224x224
huggingface/pvt_v2_b4
  plugin  huggingface
  task    image-classification
  params  62.6M
  input   3x224x224
pvt_v2_micro
  plugin  huggingface
  task    image-classification
  params  111k
  input   3x64x64
regnet_micro
  plugin  huggingface
  task    image-classification
  params  20.1k
  input   3x64x64
regnet_y_040
  plugin  huggingface
  task    image-classification
  params  20.6M
  input   3x224x224
regnet_y_080
  plugin  huggingface
  task    image-classification
  params  39.2M
  input   3x224x224
regnet_y_160
  plugin  huggingface
  task    image-classification
  params  83.6M
  input   3x224x224
regnet_y_320
  plugin  huggingface
  task    image-classification
  params  145M
  input   3x224x224
rembert
  plugin  huggingface
  task    text-classification
  params  518M
  input   512 wordpieces
rembert_micro
  plugin  huggingface
  task    text-classification
  params  31.1k
  input   128 wordpieces
resnet_101
  plugin  huggingface
  task    image-classification
  params  44.5M
  input   3x224x224
resnet_152
  plugin  huggingface
  task    image-classification
  params  60.2M
  input   3x224x224
resnet_18
  plugin  huggingface
  task    image-classification
  params  11.7M
  input   3x224x224
resnet_26
  plugin  huggingface
  task    image-classification
  params  16M
  input   3x224x224
resnet_34
  plugin  huggingface
  task    image-classification
  params  21.8M
  input   3x224x224
resnet_50
  plugin  huggingface
  task    image-classification
  params  25.6M
  input   3x224x224
resnet_micro
  plugin  huggingface
  task    image-classification
  params  61.2k
  input   3x64x64
roberta_base
  plugin  huggingface
  task    text-classification
  params  109M
  input   512 wordpieces
roberta_large
  plugin  huggingface
  task    text-classification
  params  334M
  input   512 wordpieces
roberta_micro
  plugin  huggingface
  task    text-classification
  params  45.5k
  input   128 wordpieces
roberta_prelayernorm_micro
  plugin  huggingface
  task    text-classification
  params  45.6k
  input   128 wordpieces
roformer_base
  plugin  huggingface
  task    text-classification
  params  109M
  input   512 wordpieces
roformer_micro
  plugin  huggingface
  task    text-classification
  params  43.4k
  input   128 wordpieces
rtdetr_micro
  plugin  huggingface
  task    object-detection
  params  271k
  input   3x96x96
rtdetr_r18vd
  plugin  huggingface
  task    object-detection
  params  20.2M
  input   3x640x640
rtdetr_r50vd
  plugin  huggingface
  task    object-detection
  params  42.9M
  input   3x640x640
rtdetr_v2_micro
  plugin  huggingface
  task    object-detection
  params  271k
  input   3x96x96
rtdetr_v2_r18vd
  plugin  huggingface
  task    object-detection
  params  20.2M
  input   3x640x640
rtdetr_v2_r50vd
  plugin  huggingface
  task    object-detection
  params  42.9M
  input   3x640x640
segformer_b0_finetuned_ade_512_512
  plugin  huggingface
  task    semantic-segmentation
  params  3.75M
  input   3x512x512
segformer_b1_finetuned_ade_512_512
  plugin  huggingface
  task    semantic-segmentation
  params  13.7M
  input   3x512x512
segformer_b2_finetuned_ade_512_512
  plugin  huggingface
  task    semantic-segmentation
  params  27.5M
  input   3x512x512
segformer_b3_finetuned_ade_512_512
  plugin  huggingface
  task    semantic-segmentation
  params  47.3M
  input   3x512x512
segformer_b4_finetuned_ade_512_512
  plugin  huggingface
  task    semantic-segmentation
  params  64.1M
  input   3x512x512
segformer_b5_finetuned_ade_640_640
  plugin  huggingface
  task    semantic-segmentation
  params  84.7M
  input   3x640x640
segformer_micro
  plugin  huggingface
  task    semantic-segmentation
  params  110k
  input   3x96x96
segmenter
  plugin  huggingface
  task    semantic-segmentation
  input   3x224x224
sentence_bert_base
  plugin  huggingface
  task    text-embedding
  params  109M
  input   512 wordpieces
sentence_bert_tiny (sentence_bert)
  plugin  huggingface
  task    text-embedding
  params  127k
  input   128 wordpieces
sentence_encoder
  plugin  huggingface
  task    text-embedding
  input   512 wordpieces
splinter_base
  plugin  huggingface
  task    text-classification
  params  109M
  input   512 wordpieces
splinter_micro
  plugin  huggingface
  task    text-classification
  params  45.5k
  input   128 wordpieces
squeezebert_micro
  plugin  huggingface
  task    text-classification
  params  36.3k
  input   128 wordpieces
squeezebert_uncased
  plugin  huggingface
  task    text-classification
  params  50.5M
  input   512 wordpieces
huggingface/swiftformer_l1
  plugin  huggingface
  task    image-classification
  params  12.1M
  input   3x224x224
huggingface/swiftformer_l3
  plugin  huggingface
  task    image-classification
  params  28.5M
  input   3x224x224
swiftformer_micro
  plugin  huggingface
  task    image-classification
  params  76.1k
  input   3x64x64
huggingface/swiftformer_s
  plugin  huggingface
  task    image-classification
  params  6.09M
  input   3x224x224
huggingface/swiftformer_xs
  plugin  huggingface
  task    image-classification
  params  3.48M
  input   3x224x224
huggingface/swin_base_patch4_window12_384
  plugin  huggingface
  task    image-classification
  params  87.9M
  input   3x384x384
huggingface/swin_base_patch4_window7_224
  plugin  huggingface
  task    image-classification
  params  87.8M
  input   3x224x224
huggingface/swin_large_patch4_window7_224
  plugin  huggingface
  task    image-classification
  params  197M
  input   3x224x224
swin_micro
  plugin  huggingface
  task    image-classification
  params  19k
  input   3x32x32
huggingface/swin_small_patch4_window7_224
  plugin  huggingface
  task    image-classification
  params  49.6M
  input   3x224x224
huggingface/swin_tiny_patch4_window7_224
  plugin  huggingface
  task    image-classification
  params  28.3M
  input   3x224x224
swinv2_base_patch4_window8_256
  plugin  huggingface
  task    image-classification
  params  87.9M
  input   3x256x256
swinv2_micro
  plugin  huggingface
  task    image-classification
  params  23.8k
  input   3x32x32
swinv2_small_patch4_window8_256
  plugin  huggingface
  task    image-classification
  params  49.7M
  input   3x256x256
swinv2_tiny_patch4_window8_256
  plugin  huggingface
  task    image-classification
  params  28.3M
  input   3x256x256
table_transformer_micro
  plugin  huggingface
  task    object-detection
  params  95.9k
  input   3x96x96
tapas_micro
  plugin  huggingface
  task    text-classification
  params  78.7k
  input   128 wordpieces
text_classifier
  plugin  huggingface
  task    text-classification
  input   512 wordpieces
textnet
  plugin  huggingface
  task    image-classification
  params  11.2M
  input   3x640x640
upernet_convnext_tiny
  plugin  huggingface
  task    semantic-segmentation
  params  60.2M
  input   3x512x512
upernet_micro
  plugin  huggingface
  task    semantic-segmentation
  params  171k
  input   3x96x96
huggingface/vit_base_patch16_224
  plugin  huggingface
  task    image-classification
  params  86.6M
  input   3x224x224
huggingface/vit_base_patch16_384
  plugin  huggingface
  task    image-classification
  params  86.9M
  input   3x384x384
huggingface/vit_base_patch32_384
  plugin  huggingface
  task    image-classification
  params  88.3M
  input   3x384x384
huggingface/vit_huge_patch14_224
  plugin  huggingface
  task    image-classification
  params  632M
  input   3x224x224
huggingface/vit_large_patch16_224
  plugin  huggingface
  task    image-classification
  params  304M
  input   3x224x224
huggingface/vit_large_patch32_384
  plugin  huggingface
  task    image-classification
  params  307M
  input   3x384x384
vit_micro
  plugin  huggingface
  task    image-classification
  params  22.2k
  input   3x32x32
vit_msn_base
  plugin  huggingface
  task    image-classification
  params  86.6M
  input   3x224x224
vit_msn_micro
  plugin  huggingface
  task    image-classification
  params  22.2k
  input   3x32x32
vit_msn_small
  plugin  huggingface
  task    image-classification
  params  22.1M
  input   3x224x224
huggingface/vit_small_patch16_224
  plugin  huggingface
  task    image-classification
  params  22.1M
  input   3x224x224
huggingface/vit_tiny_patch16_224
  plugin  huggingface
  task    image-classification
  params  5.72M
  input   3x224x224
xlm_micro
  plugin  huggingface
  task    text-classification
  params  55.8k
  input   128 wordpieces
xlm_roberta_base
  plugin  huggingface
  task    text-classification
  params  109M
  input   512 wordpieces
xlm_roberta_large
  plugin  huggingface
  task    text-classification
  params  334M
  input   512 wordpieces
xlm_roberta_micro
  plugin  huggingface
  task    text-classification
  params  45.5k
  input   128 wordpieces
xmod_micro
  plugin  huggingface
  task    text-classification
  params  47.7k
  input   128 wordpieces
yolos_base
  plugin  huggingface
  task    object-detection
  params  128M
  input   3x800x1344
yolos_micro
  plugin  huggingface
  task    object-detection
  params  37.2k
  input   3x96x96
yolos_small
  plugin  huggingface
  task    object-detection
  params  30.7M
  input   3x512x864
yolos_tiny
  plugin  huggingface
  task    object-detection
  params  6.49M
  input   3x800x1333
resnet20
  plugin  resnet
  task    image-classification
  params  269k
  input   1x28x28
resnet32
  plugin  resnet
  task    image-classification
  params  464k
  input   1x28x28
resnet56
  plugin  resnet
  task    image-classification
  params  853k
  input   1x28x28
resnet8 (resnet up to 64 px)
  plugin  resnet
  task    image-classification
  params  77.7k
  input   1x28x28
gru
  plugin   rnn
  task     text-classification
  params   101k
  input    4096 characters
  weights  names
gru_large
  plugin  rnn
  task    text-classification
  params  7.18M
  input   4096 characters
gru_lm
  plugin   rnn
  task     text-generation
  params   308k
  input    4096 characters
  weights  names
lstm
  plugin  rnn
  task    text-classification
  params  129k
  input   4096 characters
lstm_large
  plugin  rnn
  task    text-classification
  params  9.54M
  input   4096 characters
lstm_lm
  plugin  rnn
  task    text-generation
  params  391k
  input   4096 characters
lstm_lm_large
  plugin  rnn
  task    text-generation
  params  66M
  input   4096 tokens
lstm_lm_medium
  plugin  rnn
  task    text-generation
  params  19.8M
  input   4096 tokens
rnn
  plugin  rnn
  task    text-classification
  params  44.8k
  input   4096 characters
rnn_lm
  plugin  rnn
  task    text-generation
  params  143k
  input   4096 characters
aimv2_1b_patch14_224
  plugin   timm
  task     image-classification
  params   1.24G
  input    3x224x224
  weights  apple_pt
aimv2_1b_patch14_336
  plugin   timm
  task     image-classification
  params   1.24G
  input    3x336x336
  weights  apple_pt
aimv2_1b_patch14_448
  plugin   timm
  task     image-classification
  params   1.24G
  input    3x448x448
  weights  apple_pt
aimv2_3b_patch14_224
  plugin   timm
  task     image-classification
  params   2.72G
  input    3x224x224
  weights  apple_pt
aimv2_3b_patch14_336
  plugin   timm
  task     image-classification
  params   2.72G
  input    3x336x336
  weights  apple_pt
aimv2_3b_patch14_448
  plugin   timm
  task     image-classification
  params   2.73G
  input    3x448x448
  weights  apple_pt
aimv2_huge_patch14_224
  plugin   timm
  task     image-classification
  params   682M
  input    3x224x224
  weights  apple_pt
aimv2_huge_patch14_336
  plugin   timm
  task     image-classification
  params   683M
  input    3x336x336
  weights  apple_pt
aimv2_huge_patch14_448
  plugin   timm
  task     image-classification
  params   684M
  input    3x448x448
  weights  apple_pt
aimv2_large_patch14_224
  plugin   timm
  task     image-classification
  params   310M
  input    3x224x224
  weights  apple_pt, apple_pt_dist
aimv2_large_patch14_336
  plugin   timm
  task     image-classification
  params   311M
  input    3x336x336
  weights  apple_pt, apple_pt_dist
aimv2_large_patch14_448
  plugin   timm
  task     image-classification
  params   311M
  input    3x448x448
  weights  apple_pt
bat_resnext26ts
  plugin   timm
  task     image-classification
  params   10.7M
  input    3x256x256
  weights  ch_in1k
beit3_base_patch16_224
  plugin   timm
  task     image-classification
  params   86.7M
  input    3x224x224
  weights  in22k_ft_in1k, indomain_in22k_ft_in1k, indomain_pt, pt
beit3_giant_patch14_224
  plugin  timm
  task    image-classification
  params  1.01G
  input   3x224x224
beit3_giant_patch14_336
  plugin  timm
  task    image-classification
  params  1.01G
  input   3x336x336
beit3_large_patch16_224
  plugin   timm
  task     image-classification
  params   305M
  input    3x224x224
  weights  in22k_ft_in1k, indomain_in22k_ft_in1k, indomain_pt, pt
beit_base_patch16_224
  plugin   timm
  task     image-classification
  params   86.5M
  input    3x224x224
  weights  in22k_ft_in22k, in22k_ft_in22k_in1k
beit_base_patch16_384
  plugin   timm
  task     image-classification
  params   86.7M
  input    3x384x384
  weights  in22k_ft_in22k_in1k
beit_large_patch16_224
  plugin   timm
  task     image-classification
  params   304M
  input    3x224x224
  weights  in22k_ft_in22k, in22k_ft_in22k_in1k
beit_large_patch16_384
  plugin   timm
  task     image-classification
  params   305M
  input    3x384x384
  weights  in22k_ft_in22k_in1k
beit_large_patch16_512
  plugin   timm
  task     image-classification
  params   306M
  input    3x512x512
  weights  in22k_ft_in22k_in1k
beitv2_base_patch16_224
  plugin   timm
  task     image-classification
  params   86.5M
  input    3x224x224
  weights  in1k_ft_in1k, in1k_ft_in22k, in1k_ft_in22k_in1k
beitv2_large_patch16_224
  plugin   timm
  task     image-classification
  params   304M
  input    3x224x224
  weights  in1k_ft_in1k, in1k_ft_in22k, in1k_ft_in22k_in1k
botnet26t_256
  plugin   timm
  task     image-classification
  params   12.5M
  input    3x256x256
  weights  c1_in1k
botnet50ts_256
  plugin  timm
  task    image-classification
  params  22.7M
  input   3x256x256
caformer_b36
  plugin   timm
  task     image-classification
  params   98.8M
  input    3x224x224
  weights  sail_in1k, sail_in1k_384, sail_in22k, sail_in22k_ft_in1k, sail_in22k_ft_in1k_384
caformer_m36
  plugin   timm
  task     image-classification
  params   56.2M
  input    3x224x224
  weights  sail_in1k, sail_in1k_384, sail_in22k, sail_in22k_ft_in1k, sail_in22k_ft_in1k_384
caformer_s18
  plugin   timm
  task     image-classification
  params   26.3M
  input    3x224x224
  weights  sail_in1k, sail_in1k_384, sail_in22k, sail_in22k_ft_in1k, sail_in22k_ft_in1k_384
caformer_s36
  plugin   timm
  task     image-classification
  params   39.3M
  input    3x224x224
  weights  sail_in1k, sail_in1k_384, sail_in22k, sail_in22k_ft_in1k, sail_in22k_ft_in1k_384
cait_m36_384
  plugin   timm
  task     image-classification
  params   271M
  input    3x384x384
  weights  fb_dist_in1k
cait_m48_448
  plugin   timm
  task     image-classification
  params   356M
  input    3x448x448
  weights  fb_dist_in1k
cait_s24_224
  plugin   timm
  task     image-classification
  params   46.9M
  input    3x224x224
  weights  fb_dist_in1k
cait_s24_384
  plugin   timm
  task     image-classification
  params   47.1M
  input    3x384x384
  weights  fb_dist_in1k
cait_s36_384
  plugin   timm
  task     image-classification
  params   68.4M
  input    3x384x384
  weights  fb_dist_in1k
cait_xs24_384
  plugin   timm
  task     image-classification
  params   26.7M
  input    3x384x384
  weights  fb_dist_in1k
cait_xxs24_224
  plugin   timm
  task     image-classification
  params   12M
  input    3x224x224
  weights  fb_dist_in1k
cait_xxs24_384
  plugin   timm
  task     image-classification
  params   12M
  input    3x384x384
  weights  fb_dist_in1k
cait_xxs36_224
  plugin   timm
  task     image-classification
  params   17.3M
  input    3x224x224
  weights  fb_dist_in1k
cait_xxs36_384
  plugin   timm
  task     image-classification
  params   17.4M
  input    3x384x384
  weights  fb_dist_in1k
coat_lite_medium
  plugin   timm
  task     image-classification
  params   44.6M
  input    3x224x224
  weights  in1k
coat_lite_medium_384
  plugin   timm
  task     image-classification
  params   44.6M
  input    3x384x384
  weights  in1k
coat_lite_mini
  plugin   timm
  task     image-classification
  params   11M
  input    3x224x224
  weights  in1k
coat_lite_small
  plugin   timm
  task     image-classification
  params   19.8M
  input    3x224x224
  weights  in1k
coat_lite_tiny
  plugin   timm
  task     image-classification
  params   5.72M
  input    3x224x224
  weights  in1k
coat_mini
  plugin   timm
  task     image-classification
  params   10.3M
  input    3x224x224
  weights  in1k
coat_small
  plugin   timm
  task     image-classification
  params   21.7M
  input    3x224x224
  weights  in1k
coat_tiny
  plugin   timm
  task     image-classification
  params   5.5M
  input    3x224x224
  weights  in1k
coatnet_0_224
  plugin  timm
  task    image-classification
  params  25M
  input   3x224x224
coatnet_0_rw_224
  plugin   timm
  task     image-classification
  params   27.4M
  input    3x224x224
  weights  sw_in1k
coatnet_1_224
  plugin  timm
  task    image-classification
  params  42.2M
  input   3x224x224
coatnet_1_rw_224
  plugin   timm
  task     image-classification
  params   41.7M
  input    3x224x224
  weights  sw_in1k
coatnet_2_224
  plugin  timm
  task    image-classification
  params  74.7M
  input   3x224x224
coatnet_2_rw_224
  plugin   timm
  task     image-classification
  params   73.9M
  input    3x224x224
  weights  sw_in12k, sw_in12k_ft_in1k
coatnet_3_224
  plugin  timm
  task    image-classification
  params  167M
  input   3x224x224
coatnet_3_rw_224
  plugin   timm
  task     image-classification
  params   165M
  input    3x224x224
  weights  sw_in12k
coatnet_4_224
  plugin  timm
  task    image-classification
  params  275M
  input   3x224x224
coatnet_5_224
  plugin  timm
  task    image-classification
  params  687M
  input   3x224x224
coatnet_bn_0_rw_224
  plugin   timm
  task     image-classification
  params   27.4M
  input    3x224x224
  weights  sw_in1k
coatnet_nano_cc_224
  plugin  timm
  task    image-classification
  params  13.8M
  input   3x224x224
coatnet_nano_rw_224
  plugin   timm
  task     image-classification
  params   15.1M
  input    3x224x224
  weights  sw_in1k
coatnet_pico_rw_224
  plugin  timm
  task    image-classification
  params  10.9M
  input   3x224x224
coatnet_rmlp_0_rw_224
  plugin  timm
  task    image-classification
  params  27.4M
  input   3x224x224
coatnet_rmlp_1_rw2_224
  plugin   timm
  task     image-classification
  params   41.7M
  input    3x224x224
  weights  sw_in12k, sw_in12k_ft_in1k
coatnet_rmlp_1_rw_224
  plugin   timm
  task     image-classification
  params   41.7M
  input    3x224x224
  weights  sw_in1k
coatnet_rmlp_2_rw_224
  plugin   timm
  task     image-classification
  params   73.9M
  input    3x224x224
  weights  sw_in12k, sw_in12k_ft_in1k, sw_in1k
coatnet_rmlp_2_rw_384
  plugin   timm
  task     image-classification
  params   73.9M
  input    3x384x384
  weights  sw_in12k_ft_in1k
coatnet_rmlp_3_rw_224
  plugin  timm
  task    image-classification
  params  165M
  input   3x224x224
coatnet_rmlp_nano_rw_224
  plugin   timm
  task     image-classification
  params   15.1M
  input    3x224x224
  weights  sw_in1k
coatnext_nano_rw_224
  plugin   timm
  task     image-classification
  params   14.7M
  input    3x224x224
  weights  sw_in1k
convformer_b36
  plugin   timm
  task     image-classification
  params   99.9M
  input    3x224x224
  weights  sail_in1k, sail_in1k_384, sail_in22k, sail_in22k_ft_in1k, sail_in22k_ft_in1k_384
convformer_m36
  plugin   timm
  task     image-classification
  params   57.1M
  input    3x224x224
  weights  sail_in1k, sail_in1k_384, sail_in22k, sail_in22k_ft_in1k, sail_in22k_ft_in1k_384
convformer_s18
  plugin   timm
  task     image-classification
  params   26.8M
  input    3x224x224
  weights  sail_in1k, sail_in1k_384, sail_in22k, sail_in22k_ft_in1k, sail_in22k_ft_in1k_384
convformer_s36
  plugin   timm
  task     image-classification
  params   40M
  input    3x224x224
  weights  sail_in1k, sail_in1k_384, sail_in22k, sail_in22k_ft_in1k, sail_in22k_ft_in1k_384
convit_base
  plugin   timm
  task     image-classification
  params   86.5M
  input    3x224x224
  weights  fb_in1k
convit_small
  plugin   timm
  task     image-classification
  params   27.8M
  input    3x224x224
  weights  fb_in1k
convit_tiny
  plugin   timm
  task     image-classification
  params   5.71M
  input    3x224x224
  weights  fb_in1k
convmixer_1024_20_ks9_p14
  plugin   timm
  task     image-classification
  params   24.4M
  input    3x224x224
  weights  in1k
convmixer_1536_20
  plugin   timm
  task     image-classification
  params   51.6M
  input    3x224x224
  weights  in1k
convmixer_768_32
  plugin   timm
  task     image-classification
  params   21.1M
  input    3x224x224
  weights  in1k
convnext_atto
  plugin   timm
  task     image-classification
  params   3.7M
  input    3x224x224
  weights  d2_in1k
convnext_atto_ols
  plugin   timm
  task     image-classification
  params   3.7M
  input    3x224x224
  weights  a2_in1k
convnext_atto_rms
  plugin  timm
  task    image-classification
  params  3.69M
  input   3x224x224
timm/convnext_base
  plugin   timm
  task     image-classification
  params   88.6M
  input    3x224x224
  weights  clip_laion2b, clip_laion2b_augreg, clip_laion2b_augreg_ft_in12k,
           clip_laion2b_augreg_ft_in12k_in1k, clip_laion2b_augreg_ft_in12k_in1k_384,
           clip_laion2b_augreg_ft_in1k, clip_laiona, clip_laiona_320, clip_laiona_augreg_320,
           clip_laiona_augreg_ft_in1k_384, dinov3_lvd1689m, eupe_lvd1689m, fb_in1k, fb_in22k,
           fb_in22k_ft_in1k, fb_in22k_ft_in1k_384
convnext_femto
  plugin   timm
  task     image-classification
  params   5.22M
  input    3x224x224
  weights  d1_in1k
convnext_femto_ols
  plugin   timm
  task     image-classification
  params   5.23M
  input    3x224x224
  weights  d1_in1k
timm/convnext_large
  plugin   timm
  task     image-classification
  params   198M
  input    3x224x224
  weights  dinov3_lvd1689m, fb_in1k, fb_in22k, fb_in22k_ft_in1k, fb_in22k_ft_in1k_384
convnext_large_mlp
  plugin   timm
  task     image-classification
  params   200M
  input    3x320x320
  weights  clip_laion2b_augreg, clip_laion2b_augreg_ft_in12k_384, clip_laion2b_augreg_ft_in1k,
           clip_laion2b_augreg_ft_in1k_384, clip_laion2b_ft_320, clip_laion2b_ft_soup_320,
           clip_laion2b_soup_ft_in12k_320, clip_laion2b_soup_ft_in12k_384,
           clip_laion2b_soup_ft_in12k_in1k_320, clip_laion2b_soup_ft_in12k_in1k_384
convnext_nano
  plugin   timm
  task     image-classification
  params   15.6M
  input    3x224x224
  weights  d1h_in1k, in12k, in12k_ft_in1k, r384_ad_in12k, r384_in12k, r384_in12k_ft_in1k
convnext_nano_ols
  plugin   timm
  task     image-classification
  params   15.6M
  input    3x224x224
  weights  d1h_in1k
convnext_pico
  plugin   timm
  task     image-classification
  params   9.05M
  input    3x224x224
  weights  d1_in1k
convnext_pico_ols
  plugin   timm
  task     image-classification
  params   9.06M
  input    3x224x224
  weights  d1_in1k
timm/convnext_small
  plugin   timm
  task     image-classification
  params   50.2M
  input    3x224x224
  weights  dinov3_lvd1689m, eupe_lvd1689m, fb_in1k, fb_in22k, fb_in22k_ft_in1k,
           fb_in22k_ft_in1k_384, in12k, in12k_ft_in1k, in12k_ft_in1k_384
timm/convnext_tiny
  plugin   timm
  task     image-classification
  params   28.6M
  input    3x224x224
  weights  dinov3_lvd1689m, eupe_lvd1689m, fb_in1k, fb_in22k, fb_in22k_ft_in1k,
           fb_in22k_ft_in1k_384, in12k, in12k_ft_in1k, in12k_ft_in1k_384
convnext_tiny_hnf
  plugin   timm
  task     image-classification
  params   28.6M
  input    3x224x224
  weights  a2h_in1k
convnext_xlarge
  plugin   timm
  task     image-classification
  params   350M
  input    3x224x224
  weights  fb_in22k, fb_in22k_ft_in1k, fb_in22k_ft_in1k_384
convnext_xxlarge
  plugin   timm
  task     image-classification
  params   846M
  input    3x256x256
  weights  clip_laion2b_rewind, clip_laion2b_soup, clip_laion2b_soup_ft_in12k,
           clip_laion2b_soup_ft_in1k
convnext_zepto_rms
  plugin   timm
  task     image-classification
  params   2.16M
  input    3x224x224
  weights  ra4_e3600_r224_in1k
convnext_zepto_rms_ols
  plugin   timm
  task     image-classification
  params   2.16M
  input    3x224x224
  weights  ra4_e3600_r224_in1k
convnextv2_atto
  plugin   timm
  task     image-classification
  params   3.71M
  input    3x224x224
  weights  fcmae, fcmae_ft_in1k
convnextv2_base
  plugin   timm
  task     image-classification
  params   88.7M
  input    3x224x224
  weights  fcmae, fcmae_ft_in1k, fcmae_ft_in22k_in1k, fcmae_ft_in22k_in1k_384
convnextv2_femto
  plugin   timm
  task     image-classification
  params   5.23M
  input    3x224x224
  weights  fcmae, fcmae_ft_in1k
convnextv2_huge
  plugin   timm
  task     image-classification
  params   660M
  input    3x384x384
  weights  fcmae, fcmae_ft_in1k, fcmae_ft_in22k_in1k_384, fcmae_ft_in22k_in1k_512
convnextv2_large
  plugin   timm
  task     image-classification
  params   198M
  input    3x224x224
  weights  fcmae, fcmae_ft_in1k, fcmae_ft_in22k_in1k, fcmae_ft_in22k_in1k_384
convnextv2_nano
  plugin   timm
  task     image-classification
  params   15.6M
  input    3x224x224
  weights  fcmae, fcmae_ft_in1k, fcmae_ft_in22k_in1k, fcmae_ft_in22k_in1k_384
convnextv2_pico
  plugin   timm
  task     image-classification
  params   9.07M
  input    3x224x224
  weights  fcmae, fcmae_ft_in1k
convnextv2_small
  plugin  timm
  task    image-classification
  params  50.3M
  input   3x224x224
convnextv2_tiny
  plugin   timm
  task     image-classification
  params   28.6M
  input    3x224x224
  weights  fcmae, fcmae_ft_in1k, fcmae_ft_in22k_in1k, fcmae_ft_in22k_in1k_384
cpubone_b0_bfrobust
  plugin   timm
  task     image-classification
  params   10.4M
  input    3x224x224
  weights  r224_in1k
cpubone_b1_bfrobust
  plugin   timm
  task     image-classification
  params   12.4M
  input    3x224x224
  weights  r224_in1k
cpubone_b1_dwnorm
  plugin   timm
  task     image-classification
  params   12.4M
  input    3x256x256
  weights  timm_r256_in1k
cpubone_b2_bfrobust
  plugin   timm
  task     image-classification
  params   23.9M
  input    3x224x224
  weights  r224_in1k
cpubone_b2pt5_dwnorm
  plugin   timm
  task     image-classification
  params   30.4M
  input    3x256x256
  weights  timm_r256_in1k
cpubone_b3
  plugin   timm
  task     image-classification
  params   40.7M
  input    3x224x224
  weights  r224_in1k
cpubone_nano
  plugin   timm
  task     image-classification
  params   6.52M
  input    3x224x224
  weights  r224_in1k
cpubone_s0
  plugin   timm
  task     image-classification
  params   8.73M
  input    3x224x224
  weights  r224_in1k
cpubone_t0
  plugin   timm
  task     image-classification
  params   7.54M
  input    3x224x224
  weights  r224_in1k
crossvit_15_240
  plugin   timm
  task     image-classification
  params   27.5M
  input    3x240x240
  weights  in1k
crossvit_15_dagger_240
  plugin   timm
  task     image-classification
  params   28.2M
  input    3x240x240
  weights  in1k
crossvit_15_dagger_408
  plugin   timm
  task     image-classification
  params   28.5M
  input    3x408x408
  weights  in1k
crossvit_18_240
  plugin   timm
  task     image-classification
  params   43.3M
  input    3x240x240
  weights  in1k
crossvit_18_dagger_240
  plugin   timm
  task     image-classification
  params   44.3M
  input    3x240x240
  weights  in1k
crossvit_18_dagger_408
  plugin   timm
  task     image-classification
  params   44.6M
  input    3x408x408
  weights  in1k
crossvit_9_240
  plugin   timm
  task     image-classification
  params   8.55M
  input    3x240x240
  weights  in1k
crossvit_9_dagger_240
  plugin   timm
  task     image-classification
  params   8.78M
  input    3x240x240
  weights  in1k
crossvit_base_240
  plugin   timm
  task     image-classification
  params   105M
  input    3x240x240
  weights  in1k
crossvit_small_240
  plugin   timm
  task     image-classification
  params   26.9M
  input    3x240x240
  weights  in1k
crossvit_tiny_240
  plugin   timm
  task     image-classification
  params   7.01M
  input    3x240x240
  weights  in1k
cs3darknet_focus_l
  plugin   timm
  task     image-classification
  params   21.2M
  input    3x256x256
  weights  c2ns_in1k
cs3darknet_focus_m
  plugin   timm
  task     image-classification
  params   9.3M
  input    3x256x256
  weights  c2ns_in1k
cs3darknet_focus_s
  plugin   timm
  task     image-classification
  params   3.27M
  input    3x256x256
  weights  ra4_e3600_r256_in1k
cs3darknet_focus_x
  plugin  timm
  task    image-classification
  params  35M
  input   3x256x256
cs3darknet_l
  plugin   timm
  task     image-classification
  params   21.2M
  input    3x256x256
  weights  c2ns_in1k
cs3darknet_m
  plugin   timm
  task     image-classification
  params   9.31M
  input    3x256x256
  weights  c2ns_in1k
cs3darknet_s
  plugin  timm
  task    image-classification
  params  3.28M
  input   3x256x256
cs3darknet_x
  plugin   timm
  task     image-classification
  params   35M
  input    3x256x256
  weights  c2ns_in1k
cs3edgenet_x
  plugin   timm
  task     image-classification
  params   47.8M
  input    3x256x256
  weights  c2_in1k
cs3se_edgenet_x
  plugin   timm
  task     image-classification
  params   50.7M
  input    3x256x256
  weights  c2ns_in1k
cs3sedarknet_l
  plugin   timm
  task     image-classification
  params   21.9M
  input    3x256x256
  weights  c2ns_in1k
cs3sedarknet_x
  plugin   timm
  task     image-classification
  params   35.4M
  input    3x256x256
  weights  c2ns_in1k
cs3sedarknet_xdw
  plugin  timm
  task    image-classification
  params  21.6M
  input   3x256x256
csatv2
  plugin   timm
  task     image-classification
  params   11.1M
  input    3x512x512
  weights  r512_in1k
csatv2_21m
  plugin   timm
  task     image-classification
  params   20.7M
  input    3x640x640
  weights  sw_r512_in1k, sw_r640_in1k
cspdarknet53
  plugin   timm
  task     image-classification
  params   27.6M
  input    3x256x256
  weights  ra_in1k
cspnext_l
  plugin   timm
  task     image-classification
  params   27.2M
  input    3x224x224
  weights  rsb_a1_in1k
cspnext_m
  plugin   timm
  task     image-classification
  params   13M
  input    3x224x224
  weights  rsb_a1_in1k
cspnext_s
  plugin   timm
  task     image-classification
  params   4.89M
  input    3x224x224
  weights  rsb_a1_in1k
cspnext_tiny
  plugin   timm
  task     image-classification
  params   2.73M
  input    3x224x224
  weights  rsb_a1_in1k
cspnext_x
  plugin   timm
  task     image-classification
  params   48.9M
  input    3x224x224
  weights  rsb_a1_in1k
cspresnet50
  plugin   timm
  task     image-classification
  params   21.6M
  input    3x256x256
  weights  ra_in1k
cspresnet50d
  plugin  timm
  task    image-classification
  params  21.6M
  input   3x256x256
cspresnet50w
  plugin  timm
  task    image-classification
  params  28.1M
  input   3x256x256
cspresnext50
  plugin   timm
  task     image-classification
  params   20.6M
  input    3x256x256
  weights  ra_in1k
darknet17
  plugin  timm
  task    image-classification
  params  14.3M
  input   3x256x256
darknet21
  plugin  timm
  task    image-classification
  params  20.9M
  input   3x256x256
darknet53
  plugin   timm
  task     image-classification
  params   41.6M
  input    3x256x256
  weights  c2ns_in1k
darknetaa53
  plugin   timm
  task     image-classification
  params   36M
  input    3x256x256
  weights  c2ns_in1k
davit_base
  plugin   timm
  task     image-classification
  params   88M
  input    3x224x224
  weights  msft_in1k
davit_base_fl
  plugin   timm
  task     image-classification
  params   91.4M
  input    3x768x768
  weights  msft_florence2
davit_giant
  plugin  timm
  task    image-classification
  params  1.41G
  input   3x224x224
davit_huge
  plugin  timm
  task    image-classification
  params  349M
  input   3x224x224
davit_huge_fl
  plugin   timm
  task     image-classification
  params   363M
  input    3x768x768
  weights  msft_florence2
davit_large
  plugin  timm
  task    image-classification
  params  197M
  input   3x224x224
davit_small
  plugin   timm
  task     image-classification
  params   49.7M
  input    3x224x224
  weights  msft_in1k
davit_tiny
  plugin   timm
  task     image-classification
  params   28.4M
  input    3x224x224
  weights  msft_in1k
deepseek_vit_412m
  plugin   timm
  task     image-classification
  params   413M
  input    3x546x546
  weights  deepseek_v4_1_flash, deepseek_v4_flash_vision_exp
deepseek_vit_412m_align
  plugin   timm
  task     image-classification
  params   490M
  input    3x546x546
  weights  deepseek_v4_1_flash, deepseek_v4_flash_vision_exp
deepseek_vit_412m_enc
  plugin   timm
  task     image-classification
  params   485M
  input    3x546x546
  weights  deepseek_v4_1_flash, deepseek_v4_flash_vision_exp
deit3_base_patch16_224
  plugin   timm
  task     image-classification
  params   86.6M
  input    3x224x224
  weights  fb_in1k, fb_in22k_ft_in1k
deit3_base_patch16_384
  plugin   timm
  task     image-classification
  params   86.9M
  input    3x384x384
  weights  fb_in1k, fb_in22k_ft_in1k
deit3_huge_patch14_224
  plugin   timm
  task     image-classification
  params   632M
  input    3x224x224
  weights  fb_in1k, fb_in22k_ft_in1k
deit3_large_patch16_224
  plugin   timm
  task     image-classification
  params   304M
  input    3x224x224
  weights  fb_in1k, fb_in22k_ft_in1k
deit3_large_patch16_384
  plugin   timm
  task     image-classification
  params   305M
  input    3x384x384
  weights  fb_in1k, fb_in22k_ft_in1k
deit3_medium_patch16_224
  plugin   timm
  task     image-classification
  params   38.8M
  input    3x224x224
  weights  fb_in1k, fb_in22k_ft_in1k
deit3_small_patch16_224
  plugin   timm
  task     image-classification
  params   22.1M
  input    3x224x224
  weights  fb_in1k, fb_in22k_ft_in1k
deit3_small_patch16_384
  plugin   timm
  task     image-classification
  params   22.2M
  input    3x384x384
  weights  fb_in1k, fb_in22k_ft_in1k
deit_base_distilled_patch16_224
  plugin   timm
  task     image-classification
  params   87.3M
  input    3x224x224
  weights  fb_in1k
deit_base_distilled_patch16_384
  plugin   timm
  task     image-classification
  params   87.6M
  input    3x384x384
  weights  fb_in1k
deit_base_patch16_224
  plugin   timm
  task     image-classification
  params   86.6M
  input    3x224x224
  weights  fb_in1k
deit_base_patch16_384
  plugin   timm
  task     image-classification
  params   86.9M
  input    3x384x384
  weights  fb_in1k
deit_small_distilled_patch16_224
  plugin   timm
  task     image-classification
  params   22.4M
  input    3x224x224
  weights  fb_in1k
deit_small_patch16_224
  plugin   timm
  task     image-classification
  params   22.1M
  input    3x224x224
  weights  fb_in1k
deit_tiny_distilled_patch16_224
  plugin   timm
  task     image-classification
  params   5.91M
  input    3x224x224
  weights  fb_in1k
deit_tiny_patch16_224
  plugin   timm
  task     image-classification
  params   5.72M
  input    3x224x224
  weights  fb_in1k
timm/densenet121
  plugin   timm
  task     image-classification
  params   7.98M
  input    3x224x224
  weights  ra_in1k, tv_in1k
timm/densenet161
  plugin   timm
  task     image-classification
  params   28.7M
  input    3x224x224
  weights  tv_in1k
timm/densenet169
  plugin   timm
  task     image-classification
  params   14.1M
  input    3x224x224
  weights  tv_in1k
timm/densenet201
  plugin   timm
  task     image-classification
  params   20M
  input    3x224x224
  weights  tv_in1k
densenet264d
  plugin  timm
  task    image-classification
  params  72.7M
  input   3x224x224
densenetblur121d
  plugin   timm
  task     image-classification
  params   8M
  input    3x224x224
  weights  ra_in1k
dla102
  plugin   timm
  task     image-classification
  params   33.3M
  input    3x224x224
  weights  in1k
dla102x
  plugin   timm
  task     image-classification
  params   26.3M
  input    3x224x224
  weights  in1k
dla102x2
  plugin   timm
  task     image-classification
  params   41.3M
  input    3x224x224
  weights  in1k
dla169
  plugin   timm
  task     image-classification
  params   53.4M
  input    3x224x224
  weights  in1k
dla34
  plugin   timm
  task     image-classification
  params   15.7M
  input    3x224x224
  weights  in1k
dla46_c
  plugin   timm
  task     image-classification
  params   1.3M
  input    3x224x224
  weights  in1k
dla46x_c
  plugin   timm
  task     image-classification
  params   1.07M
  input    3x224x224
  weights  in1k
dla60
  plugin   timm
  task     image-classification
  params   22M
  input    3x224x224
  weights  in1k
dla60_res2net
  plugin   timm
  task     image-classification
  params   20.8M
  input    3x224x224
  weights  in1k
dla60_res2next
  plugin   timm
  task     image-classification
  params   17M
  input    3x224x224
  weights  in1k
dla60x
  plugin   timm
  task     image-classification
  params   17.4M
  input    3x224x224
  weights  in1k
dla60x_c
  plugin   timm
  task     image-classification
  params   1.32M
  input    3x224x224
  weights  in1k
dm_nfnet_f0
  plugin   timm
  task     image-classification
  params   71.5M
  input    3x192x192
  weights  dm_in1k
dm_nfnet_f1
  plugin   timm
  task     image-classification
  params   133M
  input    3x224x224
  weights  dm_in1k
dm_nfnet_f2
  plugin   timm
  task     image-classification
  params   194M
  input    3x256x256
  weights  dm_in1k
dm_nfnet_f3
  plugin   timm
  task     image-classification
  params   255M
  input    3x320x320
  weights  dm_in1k
dm_nfnet_f4
  plugin   timm
  task     image-classification
  params   316M
  input    3x384x384
  weights  dm_in1k
dm_nfnet_f5
  plugin   timm
  task     image-classification
  params   377M
  input    3x416x416
  weights  dm_in1k
dm_nfnet_f6
  plugin   timm
  task     image-classification
  params   438M
  input    3x448x448
  weights  dm_in1k
dpn107
  plugin   timm
  task     image-classification
  params   86.9M
  input    3x224x224
  weights  mx_in1k
dpn131
  plugin   timm
  task     image-classification
  params   79.3M
  input    3x224x224
  weights  mx_in1k
dpn48b
  plugin  timm
  task    image-classification
  params  9.13M
  input   3x224x224
dpn68
  plugin   timm
  task     image-classification
  params   12.6M
  input    3x224x224
  weights  mx_in1k
dpn68b
  plugin   timm
  task     image-classification
  params   12.6M
  input    3x224x224
  weights  mx_in1k, ra_in1k
dpn92
  plugin   timm
  task     image-classification
  params   37.7M
  input    3x224x224
  weights  mx_in1k
dpn98
  plugin   timm
  task     image-classification
  params   61.6M
  input    3x224x224
  weights  mx_in1k
eca_botnext26ts_256
  plugin   timm
  task     image-classification
  params   10.6M
  input    3x256x256
  weights  c1_in1k
eca_halonext26ts
  plugin   timm
  task     image-classification
  params   10.8M
  input    3x256x256
  weights  c1_in1k
eca_nfnet_l0
  plugin   timm
  task     image-classification
  params   24.1M
  input    3x224x224
  weights  ra2_in1k
eca_nfnet_l1
  plugin   timm
  task     image-classification
  params   41.4M
  input    3x256x256
  weights  ra2_in1k
eca_nfnet_l2
  plugin   timm
  task     image-classification
  params   56.7M
  input    3x320x320
  weights  ra3_in1k
eca_nfnet_l3
  plugin  timm
  task    image-classification
  params  72M
  input   3x352x352
eca_resnet33ts
  plugin   timm
  task     image-classification
  params   19.7M
  input    3x256x256
  weights  ra2_in1k
eca_resnext26ts
  plugin   timm
  task     image-classification
  params   10.3M
  input    3x256x256
  weights  ch_in1k
eca_vovnet39b
  plugin  timm
  task    image-classification
  params  22.6M
  input   3x224x224
ecaresnet101d
  plugin   timm
  task     image-classification
  params   44.6M
  input    3x224x224
  weights  miil_in1k
ecaresnet101d_pruned
  plugin   timm
  task     image-classification
  params   24.9M
  input    3x224x224
  weights  miil_in1k
ecaresnet200d
  plugin  timm
  task    image-classification
  params  64.7M
  input   3x256x256
ecaresnet269d
  plugin   timm
  task     image-classification
  params   102M
  input    3x320x320
  weights  ra2_in1k
ecaresnet26t
  plugin   timm
  task     image-classification
  params   16M
  input    3x256x256
  weights  ra2_in1k
ecaresnet50d
  plugin   timm
  task     image-classification
  params   25.6M
  input    3x224x224
  weights  miil_in1k
ecaresnet50d_pruned
  plugin   timm
  task     image-classification
  params   19.9M
  input    3x224x224
  weights  miil_in1k
ecaresnet50t
  plugin   timm
  task     image-classification
  params   25.6M
  input    3x256x256
  weights  a1_in1k, a2_in1k, a3_in1k, ra2_in1k
ecaresnetlight
  plugin   timm
  task     image-classification
  params   30.2M
  input    3x224x224
  weights  miil_in1k
ecaresnext26t_32x4d
  plugin  timm
  task    image-classification
  params  15.4M
  input   3x224x224
ecaresnext50t_32x4d
  plugin  timm
  task    image-classification
  params  25M
  input   3x224x224
edgenext_base
  plugin   timm
  task     image-classification
  params   18.5M
  input    3x256x256
  weights  in21k_ft_in1k, usi_in1k
edgenext_small
  plugin   timm
  task     image-classification
  params   5.59M
  input    3x256x256
  weights  usi_in1k
edgenext_small_rw
  plugin   timm
  task     image-classification
  params   7.83M
  input    3x256x256
  weights  sw_in1k
edgenext_x_small
  plugin   timm
  task     image-classification
  params   2.34M
  input    3x256x256
  weights  in1k
edgenext_xx_small
  plugin   timm
  task     image-classification
  params   1.33M
  input    3x256x256
  weights  in1k
efficientformer_l1
  plugin   timm
  task     image-classification
  params   12.3M
  input    3x224x224
  weights  snap_dist_in1k
efficientformer_l3
  plugin   timm
  task     image-classification
  params   31.4M
  input    3x224x224
  weights  snap_dist_in1k
efficientformer_l7
  plugin   timm
  task     image-classification
  params   82.2M
  input    3x224x224
  weights  snap_dist_in1k
efficientformerv2_l
  plugin   timm
  task     image-classification
  params   26.3M
  input    3x224x224
  weights  snap_dist_in1k
efficientformerv2_s0
  plugin   timm
  task     image-classification
  params   3.6M
  input    3x224x224
  weights  snap_dist_in1k
efficientformerv2_s1
  plugin   timm
  task     image-classification
  params   6.19M
  input    3x224x224
  weights  snap_dist_in1k
efficientformerv2_s2
  plugin   timm
  task     image-classification
  params   12.7M
  input    3x224x224
  weights  snap_dist_in1k
timm/efficientnet_b0
  plugin   timm
  task     image-classification
  params   5.29M
  input    3x224x224
  weights  ra4_e3600_r224_in1k, ra_in1k
efficientnet_b0_g16_evos
  plugin  timm
  task    image-classification
  params  8.11M
  input   3x224x224
efficientnet_b0_g8_gn
  plugin  timm
  task    image-classification
  params  6.56M
  input   3x224x224
efficientnet_b0_gn
  plugin  timm
  task    image-classification
  params  5.29M
  input   3x224x224
timm/efficientnet_b1
  plugin   timm
  task     image-classification
  params   7.79M
  input    3x240x240
  weights  ft_in1k, ra4_e3600_r240_in1k
efficientnet_b1_pruned
  plugin   timm
  task     image-classification
  params   6.33M
  input    3x240x240
  weights  in1k
timm/efficientnet_b2
  plugin   timm
  task     image-classification
  params   9.11M
  input    3x256x256
  weights  ra_in1k
efficientnet_b2_pruned
  plugin   timm
  task     image-classification
  params   8.31M
  input    3x260x260
  weights  in1k
timm/efficientnet_b3
  plugin   timm
  task     image-classification
  params   12.2M
  input    3x288x288
  weights  ra2_in1k
efficientnet_b3_g8_gn
  plugin  timm
  task    image-classification
  params  14.3M
  input   3x288x288
efficientnet_b3_gn
  plugin  timm
  task    image-classification
  params  11.7M
  input   3x288x288
efficientnet_b3_pruned
  plugin   timm
  task     image-classification
  params   9.86M
  input    3x300x300
  weights  in1k
timm/efficientnet_b4
  plugin   timm
  task     image-classification
  params   19.3M
  input    3x320x320
  weights  ra2_in1k
timm/efficientnet_b5
  plugin   timm
  task     image-classification
  params   30.4M
  input    3x448x448
  weights  sw_in12k, sw_in12k_ft_in1k
timm/efficientnet_b6
  plugin  timm
  task    image-classification
  params  43M
  input   3x528x528
timm/efficientnet_b7
  plugin  timm
  task    image-classification
  params  66.3M
  input   3x600x600
efficientnet_b8
  plugin  timm
  task    image-classification
  params  87.4M
  input   3x672x672
efficientnet_blur_b0
  plugin  timm
  task    image-classification
  params  5.29M
  input   3x224x224
efficientnet_cc_b0_4e
  plugin  timm
  task    image-classification
  params  13.3M
  input   3x224x224
efficientnet_cc_b0_8e
  plugin  timm
  task    image-classification
  params  24M
  input   3x224x224
efficientnet_cc_b1_8e
  plugin  timm
  task    image-classification
  params  39.7M
  input   3x240x240
efficientnet_el
  plugin   timm
  task     image-classification
  params   10.6M
  input    3x300x300
  weights  ra_in1k
efficientnet_el_pruned
  plugin   timm
  task     image-classification
  params   10.6M
  input    3x300x300
  weights  in1k
efficientnet_em
  plugin   timm
  task     image-classification
  params   6.9M
  input    3x240x240
  weights  ra2_in1k
efficientnet_es
  plugin   timm
  task     image-classification
  params   5.44M
  input    3x224x224
  weights  ra_in1k
efficientnet_es_pruned
  plugin   timm
  task     image-classification
  params   5.44M
  input    3x224x224
  weights  in1k
efficientnet_h_b5
  plugin   timm
  task     image-classification
  params   45.9M
  input    3x448x448
  weights  sw_r448_e450_in1k
efficientnet_l2
  plugin  timm
  task    image-classification
  params  480M
  input   3x800x800
efficientnet_lite0
  plugin   timm
  task     image-classification
  params   4.65M
  input    3x224x224
  weights  ra_in1k
efficientnet_lite1
  plugin  timm
  task    image-classification
  params  5.42M
  input   3x240x240
efficientnet_lite2
  plugin  timm
  task    image-classification
  params  6.09M
  input   3x260x260
efficientnet_lite3
  plugin  timm
  task    image-classification
  params  8.2M
  input   3x300x300
efficientnet_lite4
  plugin  timm
  task    image-classification
  params  13M
  input   3x380x380
efficientnet_x_b3
  plugin  timm
  task    image-classification
  params  13.3M
  input   3x288x288
efficientnet_x_b5
  plugin   timm
  task     image-classification
  params   33.4M
  input    3x448x448
  weights  sw_r448_e450_in1k
efficientnetv2_l
  plugin  timm
  task    image-classification
  params  119M
  input   3x384x384
efficientnetv2_m
  plugin  timm
  task    image-classification
  params  54.1M
  input   3x320x320
efficientnetv2_rw_m
  plugin   timm
  task     image-classification
  params   53.2M
  input    3x320x320
  weights  agc_in1k
efficientnetv2_rw_s
  plugin   timm
  task     image-classification
  params   23.9M
  input    3x288x288
  weights  ra2_in1k
efficientnetv2_rw_t
  plugin   timm
  task     image-classification
  params   13.6M
  input    3x224x224
  weights  ra2_in1k
efficientnetv2_s
  plugin  timm
  task    image-classification
  params  21.5M
  input   3x288x288
efficientnetv2_xl
  plugin  timm
  task    image-classification
  params  208M
  input   3x384x384
efficientvim_m1
  plugin   timm
  task     image-classification
  params   6.68M
  input    3x224x224
  weights  e300_in1k, e450_in1k
efficientvim_m1_dist
  plugin   timm
  task     image-classification
  params   7.64M
  input    3x224x224
  weights  in1k
efficientvim_m2
  plugin   timm
  task     image-classification
  params   13.9M
  input    3x224x224
  weights  e300_in1k, e450_in1k
efficientvim_m2_dist
  plugin   timm
  task     image-classification
  params   15.3M
  input    3x224x224
  weights  in1k
efficientvim_m3
  plugin   timm
  task     image-classification
  params   16.6M
  input    3x224x224
  weights  e300_in1k, e450_in1k
efficientvim_m3_dist
  plugin   timm
  task     image-classification
  params   18.2M
  input    3x224x224
  weights  in1k
efficientvim_m4
  plugin   timm
  task     image-classification
  params   19.6M
  input    3x256x256
  weights  e300_in1k, e450_in1k
efficientvim_m4_dist
  plugin   timm
  task     image-classification
  params   21.2M
  input    3x256x256
  weights  in1k
efficientvit_b0
  plugin   timm
  task     image-classification
  params   3.41M
  input    3x224x224
  weights  r224_in1k
efficientvit_b1
  plugin   timm
  task     image-classification
  params   9.1M
  input    3x224x224
  weights  r224_in1k, r256_in1k, r288_in1k
efficientvit_b2
  plugin   timm
  task     image-classification
  params   24.3M
  input    3x224x224
  weights  r224_in1k, r256_in1k, r288_in1k
efficientvit_b3
  plugin   timm
  task     image-classification
  params   48.6M
  input    3x224x224
  weights  r224_in1k, r256_in1k, r288_in1k
efficientvit_l1
  plugin   timm
  task     image-classification
  params   52.7M
  input    3x224x224
  weights  r224_in1k
efficientvit_l2
  plugin   timm
  task     image-classification
  params   63.7M
  input    3x224x224
  weights  r224_in1k, r256_in1k, r288_in1k, r384_in1k
efficientvit_l3
  plugin   timm
  task     image-classification
  params   246M
  input    3x224x224
  weights  r224_in1k, r256_in1k, r320_in1k, r384_in1k
efficientvit_m0
  plugin   timm
  task     image-classification
  params   2.35M
  input    3x224x224
  weights  r224_in1k
efficientvit_m1
  plugin   timm
  task     image-classification
  params   2.98M
  input    3x224x224
  weights  r224_in1k
efficientvit_m2
  plugin   timm
  task     image-classification
  params   4.19M
  input    3x224x224
  weights  r224_in1k
efficientvit_m3
  plugin   timm
  task     image-classification
  params   6.9M
  input    3x224x224
  weights  r224_in1k
efficientvit_m4
  plugin   timm
  task     image-classification
  params   8.8M
  input    3x224x224
  weights  r224_in1k
efficientvit_m5
  plugin   timm
  task     image-classification
  params   12.5M
  input    3x224x224
  weights  r224_in1k
ese_vovnet19b_dw
  plugin   timm
  task     image-classification
  params   6.54M
  input    3x224x224
  weights  ra_in1k
ese_vovnet19b_slim
  plugin  timm
  task    image-classification
  params  3.17M
  input   3x224x224
ese_vovnet19b_slim_dw
  plugin  timm
  task    image-classification
  params  1.9M
  input   3x224x224
ese_vovnet39b
  plugin   timm
  task     image-classification
  params   24.6M
  input    3x224x224
  weights  ra_in1k
ese_vovnet39b_evos
  plugin  timm
  task    image-classification
  params  24.6M
  input   3x224x224
ese_vovnet57b
  plugin   timm
  task     image-classification
  params   38.6M
  input    3x256x256
  weights  ra4_e3600_r256_in1k
ese_vovnet99b
  plugin  timm
  task    image-classification
  params  63.2M
  input   3x224x224
eva02_base_patch14_224
  plugin   timm
  task     image-classification
  params   86.5M
  input    3x224x224
  weights  mim_in22k
eva02_base_patch14_448
  plugin   timm
  task     image-classification
  params   87.1M
  input    3x448x448
  weights  mim_in22k_ft_in1k, mim_in22k_ft_in22k, mim_in22k_ft_in22k_in1k
eva02_base_patch16_clip_224
  plugin   timm
  task     image-classification
  params   86.6M
  input    3x224x224
  weights  merged2b
eva02_enormous_patch14_clip_224
  plugin   timm
  task     image-classification
  params   4.35G
  input    3x224x224
  weights  laion2b, laion2b_plus
eva02_large_patch14_224
  plugin   timm
  task     image-classification
  params   304M
  input    3x224x224
  weights  mim_in22k, mim_m38m
eva02_large_patch14_448
  plugin   timm
  task     image-classification
  params   305M
  input    3x448x448
  weights  mim_in22k_ft_in1k, mim_in22k_ft_in22k, mim_in22k_ft_in22k_in1k, mim_m38m_ft_in1k,
           mim_m38m_ft_in22k, mim_m38m_ft_in22k_in1k
eva02_large_patch14_clip_224
  plugin   timm
  task     image-classification
  params   304M
  input    3x224x224
  weights  merged2b
eva02_large_patch14_clip_336
  plugin   timm
  task     image-classification
  params   305M
  input    3x336x336
  weights  merged2b
eva02_small_patch14_224
  plugin   timm
  task     image-classification
  params   22M
  input    3x224x224
  weights  mim_in22k
eva02_small_patch14_336
  plugin   timm
  task     image-classification
  params   22.1M
  input    3x336x336
  weights  mim_in22k_ft_in1k
eva02_tiny_patch14_224
  plugin   timm
  task     image-classification
  params   5.7M
  input    3x224x224
  weights  mim_in22k
eva02_tiny_patch14_336
  plugin   timm
  task     image-classification
  params   5.76M
  input    3x336x336
  weights  mim_in22k_ft_in1k
eva_giant_patch14_224
  plugin   timm
  task     image-classification
  params   1.01G
  input    3