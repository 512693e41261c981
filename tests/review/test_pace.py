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
