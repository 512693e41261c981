import numpy as np

from lrfr.core.detection import recall_by_height


def test_recall_and_false_alarms_by_height():
    truth = {"a": np.array([[0, 0, 8, 10], [50, 50, 18, 20]]), "b": np.array([[0, 0, 18, 20]])}
    detected = {"a": np.array([[1, 0, 8, 10], [90, 90, 30, 40]]), "c": np.array([[0, 0, 10, 14]])}
    rows = {row["from"]: row for row in recall_by_height(detected, truth)}
    assert (rows[6]["faces"], rows[6]["found"], rows[6]["recall"], rows[6]["false_alarms"]) == (1, 1, 1.0, 0)
    assert (rows[16]["faces"], rows[16]["found"], rows[16]["recall"]) == (2, 0, 0.0)
    assert (rows[12]["false_alarms"], rows[12]["recall"]) == (1, None)
    assert (rows[32]["to"], rows[32]["false_alarms"]) == (None, 1)


def test_a_second_detection_of_one_face_is_a_false_alarm():
    face = [0, 0, 18, 20]
    rows = {row["from"]: row for row in recall_by_height({"a": np.array([face, face])}, {"a": np.array([face])})}
    assert (rows[16]["found"], rows[16]["false_alarms"]) == (1, 1)
