"""Label Studio's JSON: faces as its tasks, and its annotations as verdicts.

The format is that of https://labelstud.io/guide/task_format. A verdict is the result of a ``Choices`` tag. What our
labellers said goes out as predictions, whose ``model_version`` is the labeller: Label Studio refuses annotations by
people whom it does not know, and gives those that it takes its own time. Annotations alone come back.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain
from typing import Any

import pyarrow as pa

from lrfr.core.normal_names import normal_name
from lrfr.core.verdicts import VERDICTS
from lrfr.errors import VerdictError
from lrfr.images import Images
from lrfr.review.cards import Opinion, data_uri
from lrfr.review.record import plain

CHOICES, NOTE, IMAGE = "verdict", "note", "image"  # the names of the tags

CONFIG = f"""<View>
  <Image name="{IMAGE}" value="${IMAGE}" width="320px" smoothing="false"/>
  <Choices name="{CHOICES}" toName="{IMAGE}" choice="single" required="true" showInline="true">
{"".join(f'    <Choice value="{verdict}"/>{chr(10)}' for verdict in VERDICTS)}  </Choices>
  <TextArea name="{NOTE}" toName="{IMAGE}" maxSubmissions="1" placeholder="note"/>
</View>
"""

BATCH = 64  # encoded faces in memory at a time
SHOWN = ("face_id", "width", "height", "identity", "photo_id", "score")


@dataclass(frozen=True)
class Annotation:
    """What somebody said of a face in Label Studio; ``by`` is their e-mail address or number, as far as it is told."""

    face_id: str
    verdict: str
    note: str
    at: datetime
    by: str


def tasks(faces: pa.Table, images: Images, said: Mapping[str, Sequence[Opinion]]) -> list[dict[str, Any]]:
    """One task for each face that can be shown, its picture within.

    Args:
        faces: a face table.
        images: theirs, in their order.
        said: by face_id, the verdicts that go along as predictions.
    """
    made = []
    encoded = chain.from_iterable(images.batches(BATCH))
    for row, image in zip(faces.select(SHOWN).to_pylist(), encoded, strict=True):
        picture = data_uri(image)
        if picture is not None:
            data = row | {IMAGE: picture}
            predictions = [_prediction(verdict) for verdict in said.get(row["face_id"], [])]
            made.append({"data": data, "predictions": predictions})
    return made


def _prediction(verdict: Opinion) -> dict[str, Any]:
    result = [{"from_name": CHOICES, "to_name": IMAGE, "type": "choices", "value": {"choices": [verdict.verdict]}}]
    if verdict.note:
        result.append({"from_name": NOTE, "to_name": IMAGE, "type": "textarea", "value": {"text": [verdict.note]}})
    return {"model_version": verdict.labeller, "result": result}


def annotations(exported: Any, where: object) -> list[Annotation]:
    """The annotations of an export, oldest first; cancelled (skipped) ones are left out.

    Raises:
        VerdictError: it is not Label Studio's JSON, or an annotation is not one verdict on a face; it names the task,
            from 1.
    """
    if not isinstance(exported, list) or not all(isinstance(task, dict) for task in exported):
        raise _not_an_export("it is no list of tasks", where)
    found: list[Annotation] = []
    for number, task in enumerate(exported, 1):
        place = f"{where}: task {number}"
        items = task.get("annotations", [])
        is_list = isinstance(items, list) and all(isinstance(item, dict) for item in items)
        if not isinstance(task.get("data"), dict) or not is_list:
            raise _not_an_export("a task has no data, or no list of annotations", place)
        face_id = task["data"].get("face_id")
        if not isinstance(face_id, str):
            remedy = "make the tasks with: lrfr verdicts export --to label-studio"
            raise VerdictError("a task names no face_id in its data", where=place, remedy=remedy)
        given = (item for item in items if not item.get("was_cancelled"))
        found += [_annotation(face_id, item, place) for item in given]
    return sorted(found, key=lambda annotation: (annotation.at, annotation.face_id))


def given(exported: Any, where: object) -> list[Annotation]:
    """The annotations of an export in which there are any; errors as :func:`annotations`.

    Raises:
        VerdictError: no task has an annotation; it says what the tasks have instead.
    """
    found = annotations(exported, where)
    if found:
        return found
    skipped = sum(len(task.get("annotations", [])) for task in exported)
    if any(task.get("completions") for task in exported):
        what = "it is an export of Label Studio before 1.0, which called annotations completions"
        remedy = "import it into a current Label Studio, and export from there as JSON"
    elif skipped:
        what = f"all {skipped} annotations were cancelled (skipped)"
        remedy = "annotate the tasks in Label Studio, then export again"
    elif any(task.get("predictions") for task in exported):
        what = "the tasks have predictions alone: what goes along with an export is nobody's verdict"
        remedy = "annotate the tasks in Label Studio, then export from there as JSON"
    else:
        what = "these are the tasks as they were exported to Label Studio" if exported else "it has no task"
        remedy = "annotate the tasks in Label Studio, then export from there as JSON"
    raise VerdictError(f"none of {len(exported)} tasks has an annotation: {what}", where=where, remedy=remedy)


def _annotation(face_id: str, item: dict[str, Any], where: str) -> Annotation:
    """Checks one annotation."""
    values = {name: _values(item.get("result"), name, kind, where) for name, kind in
              ((CHOICES, "choices"), (NOTE, "text"))}  # fmt: skip
    chosen = values[CHOICES]
    if len(chosen) != 1 or chosen[0] not in VERDICTS:
        what = f"an annotation of face {face_id} chooses {', '.join(map(repr, chosen)) or 'nothing'}"
        remedy = f"it must choose one of {', '.join(VERDICTS)} in a Choices tag named '{CHOICES}'"
        raise VerdictError(what, where=where, remedy=remedy)
    try:
        at = datetime.fromisoformat(str(item.get("updated_at") or item.get("created_at")))
    except ValueError as error:
        remedy = "export from Label Studio as JSON, which has created_at and updated_at"
        raise VerdictError(f"an annotation of face {face_id} has no time", where=where, remedy=remedy) from error
    by = item.get("completed_by")
    by = by.get("email") or by.get("id") if isinstance(by, dict) else by
    try:
        who = normal_name(by)
    except ValueError as error:
        remedy = "export from Label Studio as JSON, which has completed_by"
        raise VerdictError(
            f"an annotation of face {face_id} is by nobody: {error}", where=where, remedy=remedy
        ) from error
    return Annotation(
        face_id,
        chosen[0],
        plain(" ".join(values[NOTE])),
        at if at.tzinfo else at.replace(tzinfo=UTC),
        who or "nobody",
    )


def _values(result: Any, name: str, kind: str, where: str) -> list[str]:
    """What the tag of a name holds."""
    try:
        return [str(value) for part in result if part["from_name"] == name for value in _listed(part["value"][kind])]
    except (KeyError, TypeError) as error:
        raise _not_an_export("an annotation's result cannot be read", where) from error


def _listed(value: str | Iterable[str]) -> Iterable[str]:
    return [value] if isinstance(value, str) else value


def _not_an_export(what: str, where: object) -> VerdictError:
    remedy = "export from Label Studio as JSON (not JSON-MIN, not CSV)"
    return VerdictError(f"not Label Studio's JSON: {what}", where=where, remedy=remedy)
