"""The formats that zoo itself reads; its plugin offers them through the hook, as anybody's does."""

from __future__ import annotations

from typing import Final

from zoo.api.formats import FormatSpec

BUILT_IN_FORMATS: Final = (
    FormatSpec(
        name="yolo",
        tasks=("object-detection",),
        detect="zoo.data.formats.detection.yolo_settings:detect_yolo",
        read="zoo.data.formats.detection.yolo_txt:list_yolo",
        write="zoo.data.formats.detection.writers:write_yolo",
        summary="YOLO (FOLDER/data.yaml with images/ and labels/, the .yaml file, obj.data, or text files beside the "
        "pictures with classes.txt)",
    ),
    FormatSpec(
        name="coco",
        tasks=("object-detection",),
        detect="zoo.data.formats.detection.coco:detect_coco",
        read="zoo.data.formats.detection.coco:list_coco",
        write="zoo.data.formats.detection.writers:write_coco",
        summary="COCO (FOLDER/annotations/*.json, FOLDER/train/_annotations.coco.json, or a .json file)",
    ),
    FormatSpec(
        name="voc",
        tasks=("object-detection",),
        detect="zoo.data.formats.detection.voc:detect_voc",
        read="zoo.data.formats.detection.voc:list_voc",
        write="zoo.data.formats.detection.writers:write_voc",
        summary="Pascal VOC (FOLDER/Annotations/*.xml with JPEGImages/, or .xml beside the pictures)",
    ),
    FormatSpec(
        name="mask-folders",
        tasks=("semantic-segmentation",),
        detect="zoo.data.formats.masks.mask_folders:detect_mask_folders",
        read="zoo.data.formats.masks.mask_folders:list_mask_folders",
        write="zoo.data.formats.masks.writers:write_mask_folders",
        summary="FOLDER/images/*.jpg with FOLDER/masks/*.png of the same names, with or without train/ and val/ above "
        "or below them, or NAME_mask.png beside NAME.jpg",
    ),
    FormatSpec(
        name="voc-masks",
        tasks=("semantic-segmentation",),
        detect="zoo.data.formats.masks.voc:detect_voc_masks",
        read="zoo.data.formats.masks.voc:list_voc_masks",
        write="zoo.data.formats.masks.writers:write_voc_masks",
        summary="Pascal VOC (FOLDER/JPEGImages with FOLDER/SegmentationClass)",
    ),
    FormatSpec(
        name="coco",
        tasks=("semantic-segmentation",),
        detect="zoo.data.formats.masks.coco:detect_regions",
        read="zoo.data.formats.masks.coco:list_regions",
        write="zoo.data.formats.masks.writers:write_coco_masks",
        summary="COCO (FOLDER/annotations/*.json with segmentations, or a .json file)",
    ),
    FormatSpec(
        name="yolo",
        tasks=("semantic-segmentation",),
        detect="zoo.data.formats.masks.yolo:detect_yolo_masks",
        read="zoo.data.formats.masks.yolo:list_yolo_masks",
        summary="YOLO with polygons (FOLDER/data.yaml, or the .yaml file)",
    ),
    FormatSpec(
        name="class-folders",
        tasks=("image-classification",),
        detect="zoo.data.formats.picture_layouts:detect_class_folders",
        read="zoo.data.formats.class_folders.tree:list_class_folders",
        write="zoo.data.formats.class_folders.writers:write_class_folders",
        summary="FOLDER/CLASS/*.jpg, or FOLDER/{train,val,test}/CLASS/*.jpg",
    ),
    FormatSpec(
        name="class-folders",
        tasks=("image-embedding",),
        detect="zoo.data.formats.picture_layouts:detect_class_folders",
        read="zoo.data.formats.identities.folders:list_identities",
        summary="FOLDER/IDENTITY/*.jpg, or FOLDER/{train,val,test}/IDENTITY/*.jpg, with or without pairs.txt",
    ),
    FormatSpec(
        name="image-folder",
        tasks=("image-reconstruction", "image-generation"),
        detect="zoo.data.formats.picture_layouts:detect_image_folder",
        read="zoo.data.formats.class_folders.tree:list_pictures",
        summary="a folder of pictures, with or without train/ and val/ in it",
    ),
    FormatSpec(
        name="csv",
        tasks=("image-classification", "image-embedding"),
        detect="zoo.data.formats.picture_layouts:detect_labelled_manifest",
        read="zoo.data.formats.class_folders.csv_manifest:list_manifest",
        write="zoo.data.formats.class_folders.writers:write_manifest",
        summary="a CSV or TSV file with the columns path,label[,split], or a folder with one",
    ),
    FormatSpec(
        name="csv",
        tasks=("image-reconstruction", "image-generation"),
        detect="zoo.data.formats.picture_layouts:detect_manifest",
        read="zoo.data.formats.class_folders.csv_manifest:list_unlabelled",
        summary="a CSV or TSV file with the columns path[,split]",
    ),
    FormatSpec(
        name="pairs",
        tasks=("image-embedding",),
        detect="zoo.data.formats.picture_layouts:detect_pairs",
        read="zoo.data.formats.identities.folders:list_pairs",
        summary="LFW's pairs.txt, or a CSV file with the columns a,b,same",
    ),
    FormatSpec(
        name="text-table",
        tasks=("text-classification", "text-embedding"),
        detect="zoo.data.formats.text.layouts:detect_table",
        read="zoo.data.formats.text.readers:read_labelled_table",
        write="zoo.data.formats.text.writers:write_table",
        summary="a CSV, TSV or JSON Lines file with the columns text,label[,split]",
    ),
    FormatSpec(
        name="text-tables",
        tasks=("text-classification", "text-embedding"),
        detect="zoo.data.formats.text.layouts:detect_tables",
        read="zoo.data.formats.text.readers:read_labelled_tables",
        write="zoo.data.formats.text.writers:write_tables",
        summary="a folder with train.csv and, if wanted, validation.csv and test.csv (or .tsv, .jsonl)",
    ),
    FormatSpec(
        name="text-classes",
        tasks=("text-classification", "text-embedding"),
        detect="zoo.data.formats.text.layouts:detect_classes",
        read="zoo.data.formats.text.readers:read_class_folders",
        write="zoo.data.formats.text.writers:write_text_classes",
        summary="a folder with a folder of text files per class (spam/1.txt), or with train/ and more above these",
    ),
    FormatSpec(
        name="text-file",
        tasks=("text-generation",),
        detect="zoo.data.formats.text.layouts:detect_file",
        read="zoo.data.formats.text.readers:read_file",
        summary="a text file (.txt)",
    ),
    FormatSpec(
        name="text-folder",
        tasks=("text-generation",),
        detect="zoo.data.formats.text.layouts:detect_folder",
        read="zoo.data.formats.text.readers:read_folder",
        summary="a folder of text files, with or without train/, validation/ and test/ in it",
    ),
    FormatSpec(
        name="text-lines",
        tasks=("text-generation",),
        detect="zoo.data.formats.text.layouts:detect_table",
        read="zoo.data.formats.text.readers:read_lines",
        summary="a CSV, TSV or JSON Lines file with the column text",
    ),
    FormatSpec(
        name="text-tables",
        tasks=("text-generation",),
        detect="zoo.data.formats.text.layouts:detect_tables",
        read="zoo.data.formats.text.readers:read_tables_of_lines",
        summary="a folder with train.csv and, if wanted, validation.csv and test.csv (or .tsv, .jsonl)",
    ),
    FormatSpec(
        name="wav-classes",
        tasks=("audio-generation",),
        detect="zoo.data.audio.sources:detect_classes",
        read="zoo.data.audio.sources:list_classes",
        summary="FOLDER/CLASS/*.wav, or FOLDER/{train,val,test}/CLASS/*.wav",
    ),
    FormatSpec(
        name="wav-folder",
        tasks=("audio-generation",),
        detect="zoo.data.audio.sources:detect_sounds",
        read="zoo.data.audio.sources:list_sounds",
        summary="FOLDER/*.wav (or .flac, .ogg, .aiff), with or without train/, validation/ and test/ in it",
    ),
)
"""In the order in which they are asked what a source is for: what only annotations show comes first."""
