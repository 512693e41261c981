"""The benchmark's description for machines: Croissant 1.1, JSON-LD, with the extension for responsible AI.

Specification: https://docs.mlcommons.org/croissant/docs/croissant-spec-1.1.html and croissant-rai-spec.html. Its
context stands in the file itself, so that nothing need be fetched to read it.
"""

import json
from importlib.resources import files
from pathlib import Path
from typing import Any

from lrfr.card.datasheet import missing
from lrfr.card.facts import Facts, PackedFile
from lrfr.card.labelling import analysis, annotators, preprocessing, verification
from lrfr.faces import IMAGE

Node = dict[str, Any]

CONFORMS_TO = ["http://mlcommons.org/croissant/1.1", "http://mlcommons.org/croissant/RAI/1.0"]
FIELDS = {  # of the face table: the type of a value, or of each of so many values, and what it means
    "face_id": ("sc:Text", None, "The face's id, a hash of its pixels and of the place that it comes from; unique."),
    "source": ("sc:Text", None, "The dataset or collection that the face comes from."),
    IMAGE: ("sc:ImageObject", None, "The face, as captured: the encoded bytes were never changed."),
    "width": ("cr:Int32", None, "The image's width, px."),
    "height": ("cr:Int32", None, "The image's height, px."),
    "identity": ("sc:Text", None, "Whose face it is; null for one that nobody could name."),
    "photo_id": ("sc:Text", None, "The photo that the face was cut from; null where it came already cut."),
    "box": ("cr:Float32", 4, "Where the face lies in that photo: x, y, width, height, px."),
    "landmarks": ("cr:Float32", 10, "x and y of the eyes, the nose and the corners of the mouth in the image, px."),
    "score": ("cr:Float32", None, "How sure the detector was, 0 to 1."),
    "split": ("sc:Text", None, "What the face is for; one of the splits."),
}
SPLITS = {
    "train": "https://mlcommons.org/croissant/TrainingSplit",
    "validation": "https://mlcommons.org/croissant/ValidationSplit",
    "probe": "https://mlcommons.org/croissant/TestSplit",
    "gallery": "https://mlcommons.org/croissant/TestSplit",
    "distractor": "https://mlcommons.org/croissant/TestSplit",
}


def describe(facts: Facts) -> Node:
    """The whole description; it is for reports/croissant.json, from where its paths are relative."""
    card = facts.card
    return {
        "@context": json.loads((files("lrfr") / "templates" / "croissant_context.json").read_text(encoding="utf-8")),
        "@type": "sc:Dataset",
        "conformsTo": CONFORMS_TO,
        "name": card.name,
        "description": card.description,
        "version": card.version,
        "datePublished": card.published,
        "license": card.licence.url or card.licence.name,
        "citeAs": card.citation,
        "creator": [{"@type": "sc:Organization", "name": creator} for creator in card.creators],
        "keywords": card.keywords,
        "distribution": [_file(packed) for packed in facts.files],
        "recordSet": [_splits(), *(_faces(packed) for packed in facts.files)],
        **_responsible_ai(facts),
    }


def _file(packed: PackedFile) -> Node:
    return {
        "@type": "cr:FileObject",
        "@id": packed.path.name,
        "name": packed.path.name,
        "description": packed.holds,
        "contentUrl": str(Path("..") / packed.path),
        "contentSize": f"{packed.size} B",
        "encodingFormat": "application/x-parquet",
        "sha256": packed.sha256,
    }


def _splits() -> Node:
    fields = {"name": ("sc:Text", "The split's name."), "url": ("sc:URL", "What a split of this kind is for.")}
    return {
        "@type": "cr:RecordSet",
        "@id": "splits",
        "name": "splits",
        "description": "What faces are for: to train on, to look for (probe), or to be found (gallery, distractor).",
        "dataType": "cr:Split",
        "key": {"@id": "splits/name"},
        "field": [
            {"@type": "cr:Field", "@id": f"splits/{name}", "name": name, "description": text, "dataType": kind}
            for name, (kind, text) in fields.items()
        ],
        "data": [{"splits/name": name, "splits/url": url} for name, url in SPLITS.items()],
    }


def _faces(packed: PackedFile) -> Node:
    """The record set of a face table; its name is the file's without the ending."""
    table, file = packed.path.stem, packed.path.name
    fields = [_field(f"{table}/{name}", file, name, *FIELDS[name]) for name in FIELDS]
    fields[-1]["references"] = {"field": {"@id": "splits/name"}}
    return {
        "@type": "cr:RecordSet",
        "@id": table,
        "name": table,
        "description": packed.holds,
        "key": {"@id": f"{table}/face_id"},
        "field": [*fields, _attributes(f"{table}/attributes", file)],
    }


def _field(place: str, file: str, column: str, kind: str, values: int | None, text: str) -> Node:
    shape = {} if values is None else {"isArray": True, "arrayShape": str(values)}
    source = {"fileObject": {"@id": file}, "extract": {"column": column}}
    name = place.rpartition("/")[2]
    field = {"@type": "cr:Field", "@id": place, "name": name, "description": text, "dataType": kind}
    return field | {"source": source} | shape


def _attributes(place: str, file: str) -> Node:
    """The map of attributes, which Parquet holds as a list of names and values."""
    parts = [
        _field(f"{place}/{name}", file, "attributes", "sc:Text", None, text)
        for name, text in (("name", "The attribute's name."), ("value", "The attribute's value."))
    ]
    for index, part in enumerate(parts):
        part["source"]["transform"] = {"jsonPath": f"$[{index}]"}
    return {
        "@type": "cr:Field",
        "@id": place,
        "name": "attributes",
        "description": "What else the source says of the face, such as its camera or its path.",
        "isArray": True,
        "arrayShape": "-1",
        "subField": parts,
    }


def _responsible_ai(facts: Facts) -> Node:
    """How the data came about, what it may be used for, and what it must not."""
    card = facts.card
    people = bool(facts.people)
    said = {
        "dataCollection": card.collection,
        "dataCollectionMissingData": missing(facts),
        "dataPreprocessingProtocol": preprocessing(facts),
        "dataAnnotationProtocol": verification(facts)[:1],
        "dataAnnotationPlatform": ["lrfr review"] if people else [],
        "dataAnnotationAnalysis": analysis(facts),
        "annotatorDemographics": annotators(facts),
        "machineAnnotationTools": ["MTCNN: boxes and landmarks"] if any(facts.detection["faces"].values()) else [],
        "dataBiases": [card.demographics],
        "dataUseCases": card.intended_use,
        "dataLimitations": card.limits,
        "dataSocialImpact": f"Not for: {' '.join(card.out_of_scope)}",
        "personalSensitiveInformation": [card.consent],
        "dataReleaseMaintenancePlan": card.maintenance,
    }
    return {f"rai:{name}": value for name, value in said.items() if value}
