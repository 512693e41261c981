from lrfr.review.pace import BREAK, Pace


def test_breaks_do_not_count_as_work():
    moments = iter([0.0, 20.0, 20.0 + 3600.0, 20.0 + 3600.0 + 10.0])
    pace = Pace(lambda: next(moments))
    pace.begin()
    for _ in range(3):
        pace.count(40)
    assert pace.seconds == 20 + BREAK + 10
    assert pace.per_hour() == 120 * 3600 / 150


def test_nothing_is_told_before_there_is_anything():
    pace = Pace()
    assert pace.per_hour() is None
    pace.begin()
    pace.count(0)
    assert pace.per_hour() is None


def test_a_sheet_that_waited_for_the_server_is_no_pace():
    """A window of an earlier run saves its sheet as soon as the next run answers; nobody looked at it for 0.9 s."""
    moments = iter([0.0, 0.9, 80.9])
    pace = Pace(lambda: next(moments))
    pace.begin()
    pace.count(40)
    assert (pace.faces, pace.per_hour()) == (40, None)
    pace.count(40)
    assert pace.faces == 80
    assert round(pace.per_hour()) == round(40 * 3600 / 80.9)


def test_what_is_taken_back_was_not_judged():
    moments = iter([0.0, 100.0, 101.0, 140.0])
    pace = Pace(lambda: next(moments))
    pace.begin()
    for faces in (40, -40, 40):
        pace.count(faces)
    assert (pace.faces, pace.per_hour()) == (40, 40 * 3600 / 140)
