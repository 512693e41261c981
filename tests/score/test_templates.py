import numpy as np
import pytest

from lrfr.core import pair_scores, templates, verification
from tests.score.files import faces, refused, score, scored, store, without_intervals

WHO = np.tile(np.arange(40), 2)  # of 80 templates


def images(folder, **replaced):
    """80 templates of one to four images, in media of two."""
    counts = 1 + np.arange(80) % 4
    template = np.repeat(np.arange(80), counts)
    arrays = {"embedding": faces(WHO[template], 1), "template": template, "media": np.arange(len(template)) // 2}
    return store(folder / "images.npz", **(arrays | replaced))


def pair_list(folder, lines=None):
    lines = lines or [f"{a} {b} {int(WHO[a] == WHO[b])}" for a in range(40) for b in range(40, 80)]
    path = folder / "pairs.txt"
    path.write_text("\n".join(lines) + "\n")
    return path


def enrolment(folder, name, rows, header="TEMPLATE_ID,SUBJECT_ID,FILENAME\n"):
    path = folder / name
    path.write_text(header + "".join(f"{row},{WHO[row]},x.jpg\n" for row in rows))
    return path


def galleries(folder):
    first, second = enrolment(folder, "g1.csv", range(20)), enrolment(folder, "g2.csv", range(20, 40))
    return ["--gallery", first, "--gallery", second, "--probe", enrolment(folder, "probe.csv", range(40, 80))]


@pytest.mark.parametrize("norm", ["keep", "unit"])
def test_one_to_one_is_verification_of_the_templates(tmp_path, norm):
    path = images(tmp_path)
    told = scored("templates", "--images", path, "--pairs", pair_list(tmp_path), "--norm", norm)
    ids, vectors = templates(**np.load(path), norm=norm)
    left, right = np.repeat(np.arange(40), 40), np.tile(np.arange(40, 80), 40)
    figures = verification(pair_scores(vectors, left, right), WHO[left] == WHO[right]).figures()
    assert {name: told[name] for name in figures} == figures
    assert list(told["tar"]) == ["0.0001", "0.001", "0.01", "0.1", "1e-05", "1e-06"]
    assert told["n_template"] == len(ids)
    assert told["definition"]["norm"].startswith(norm)


def test_images_may_count_by_their_quality(tmp_path):
    """Equal qualities are as none; where there are none, there is nothing to count by."""
    path = images(tmp_path)
    arrays = dict(np.load(path))
    quality = np.random.default_rng(3).uniform(-2, 5, len(arrays["template"]))
    quality[5] = -np.inf
    known = np.isfinite(quality)
    low, high = quality[known].min(), quality[known].max()
    weight = np.where(known, 0.01 + 0.99 * (quality - low) / (high - low), 0.01)
    images(tmp_path, quality=quality)
    told = scored("templates", "--images", path, "--pairs", pair_list(tmp_path), "--norm", "quality")
    _, vectors = templates(**arrays, norm="unit", weight=weight)
    left, right = np.repeat(np.arange(40), 40), np.tile(np.arange(40, 80), 40)
    figures = verification(pair_scores(vectors, left, right), WHO[left] == WHO[right]).figures()
    assert {name: told[name] for name in figures} == figures
    assert "weighted by its quality" in told["definition"]["norm"]
    plain = scored("templates", "--images", path, "--pairs", pair_list(tmp_path), "--norm", "unit")
    gained = told["gain"]["0.01"]
    assert gained["difference"] == pytest.approx(told["tar"]["0.01"] - plain["tar"]["0.01"], abs=2e-6)
    assert gained["difference_interval"] and "weighting by quality" in told["definition"]["gain"]
    assert "gain" not in plain
    images(tmp_path, quality=np.ones(len(quality)))
    equal = scored("templates", "--images", path, "--pairs", pair_list(tmp_path), "--norm", "quality")
    unit = scored("templates", "--images", path, "--pairs", pair_list(tmp_path), "--norm", "unit")
    assert equal["tar"] == unit["tar"]
    without = ("templates", "--images", images(tmp_path), "--pairs", pair_list(tmp_path), "--norm", "quality")
    assert "'quality' is missing" in refused(*without)


@pytest.mark.parametrize(
    "lines",
    [
        ["left,right,same", "0,40,1", "1,40,0", "2,42,true", "3,40,false"],
        ["same,right,left", "1,40,0", "0,40,1", "1,42,2", "0,40,3"],
        ["0\t40\t1\tx", "1\t40\t0\tx", "2\t42\t1\tx", "3\t40\t0\tx"],
        ["t1 t2 label", "0 40 1", "1 40 0", "2 42 1", "3 40 0"],
        ["label,T2,T1", "1,40,0", "0,40,1", "1,42,2", "0,40,3"],
        ["left,right,same", "0.0,40.0,1", "1,40.0,0", "2,42,1", "3,40,0"],
    ],
)
def test_lists_of_pairs_are_read_as_they_are_written(tmp_path, lines):
    told = scored("templates", "--images", images(tmp_path), "--pairs", pair_list(tmp_path, lines))
    assert (told["n_genuine"], told["n_impostor"]) == (2, 2)


def test_templates_may_have_names(tmp_path):
    numbers = scored("templates", "--images", images(tmp_path), "--pairs", pair_list(tmp_path))
    template = np.load(images(tmp_path))["template"]
    path = images(tmp_path, template=np.char.add("t", template.astype(str)))
    lines = [f"t{a},t{b},{int(WHO[a] == WHO[b])}" for a in range(40) for b in range(40, 80)]
    assert scored("templates", "--images", path, "--pairs", pair_list(tmp_path, lines)) == numbers


def test_intervals_are_over_identities_where_the_images_tell_them(tmp_path):
    template = np.load(images(tmp_path))["template"]
    path = images(tmp_path, identity=WHO[template])
    assert scored("templates", "--images", path, "--pairs", pair_list(tmp_path))["interval_over"] == "identities"
    path = images(tmp_path, identity=np.arange(len(template)))
    assert "two identities" in refused("templates", "--images", path, "--pairs", pair_list(tmp_path))


def test_one_to_many_is_in_each_gallery_and_their_mean(tmp_path):
    told = scored("templates", "--images", images(tmp_path), *galleries(tmp_path))
    first, second = (told["galleries"][name] for name in ("G1", "G2"))
    assert (first["closed"]["n_gallery"], first["closed"]["n_probe"]) == (20, 20)
    assert first["open"]["n_unmated"] == 20, "the probes of the other gallery's people"
    for name in ("rank1", "rank5", "rank10"):
        mean = (first["closed"][name] + second["closed"][name]) / 2
        assert told[name] == pytest.approx(mean, abs=1e-6)
        low, high = told[f"{name}_interval"]
        assert low <= mean <= high
    assert told["fnir"]["0.01"] is None, "20 unmated probes do not resolve it"
    mean = (first["open"]["fnir"]["0.1"] + second["open"]["fnir"]["0.1"]) / 2
    assert told["fnir"]["0.1"] == pytest.approx(mean, abs=1e-6)
    assert told["galleries"]["both"]["closed"]["n_gallery"] == 40


@pytest.mark.parametrize("header", ["TEMPLATE_ID,SUBJECT_ID,FILENAME", "template,identity,file", None])
def test_columns_go_by_their_names(tmp_path, header):
    options = galleries(tmp_path)
    before = scored("templates", "--images", images(tmp_path), *options)
    for path in options[1::2]:
        _, *lines = path.read_text().splitlines()
        rows = [[header.split(",") if header else None, *(line.split(",") for line in lines)]]
        order = (0, 1, 2) if header is None else (2, 1, 0)
        swapped = [",".join(row[place] for place in order) for row in rows[0] if row]
        path.write_text("\n".join(swapped) + "\n")
    assert scored("templates", "--images", images(tmp_path), *options) == before


def test_one_person_is_one_however_a_list_writes_it(tmp_path):
    options = galleries(tmp_path)
    before = scored("templates", "--images", images(tmp_path), *options)
    header, *lines = options[-1].read_text().splitlines()
    floats = [f"{float(template)},{float(who)},{file}" for template, who, file in (line.split(",") for line in lines)]
    options[-1].write_text("\n".join([header, *floats]) + "\n")
    assert scored("templates", "--images", images(tmp_path), *options) == before


def test_one_gallery_is_itself(tmp_path):
    options = galleries(tmp_path)
    told = scored("templates", "--images", images(tmp_path), *options[:2], *options[4:])
    assert told["rank1"] == told["galleries"]["G1"]["closed"]["rank1"]
    assert told["n_unmated"] == 20
    mated = enrolment(tmp_path, "mated.csv", range(40, 60))
    told = scored("templates", "--images", images(tmp_path), *options[:2], "--probe", mated)
    assert told["fnir"] is None
    assert "no open set" in told["notes"][0]


def test_a_line_for_each_image_and_people_with_names_change_nothing(tmp_path):
    options = galleries(tmp_path)
    before = scored("templates", "--images", images(tmp_path), *options)
    for path in options[1::2]:
        header, *lines = path.read_text().splitlines()
        named = [line.replace(",", ",person ", 1) for line in lines]
        path.write_text("\n".join([header, *named, *named]) + "\n")
    after = scored("templates", "--images", images(tmp_path), *options)
    assert without_intervals(after) == without_intervals(before)


def test_a_template_without_a_readable_image_is_a_miss(tmp_path):
    template = np.load(images(tmp_path))["template"]
    path = images(tmp_path, missing=template == 40)
    told = scored("templates", "--images", path, *galleries(tmp_path))
    assert told["galleries"]["G1"]["closed"]["n_missing_probe"] == 1
    assert scored("templates", "--images", path, "--pairs", pair_list(tmp_path))["n_missing"] == 40


def test_pairs_and_images_that_stand_twice_are_told_of(tmp_path):
    embedding = np.load(images(tmp_path))["embedding"]
    embedding[1] = embedding[2]
    path = pair_list(tmp_path, ["0 40 1", "1 40 0", "40 0 1"])
    told = scored("templates", "--images", images(tmp_path, embedding=embedding), "--pairs", path)
    assert told["duplicates"] == {"image": 1, "pairs": 1}


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        (["0 40 1", "1 99 0"], "right template without images"),
        (["0 40 1", "1 x 0"], "cannot be read"),
        (["0 40 1", "007 40 0"], "'007' is no whole number"),
        (["0 40 1", "1 41 maybe"], "cannot be read"),
        (["0 40", "1 41"], "2 columns"),
        (["0 40 1", "1 41 1"], "impostor"),
        (["left,right,same"], "empty"),
        (["left,right,verdict", "0,40,1", "1,40,0"], "no column 'same'"),
        (["left,right,same,same", "0,40,1,1", "1,40,0,0"], "two columns 'same'"),
        (["one two label", "0 40 1", "1 40 0"], "no column 'left'"),
        (["0 40 1", ""], "impostor"),
        (["x 40 1", "1 40 0", "0 40 1"], "cannot be read"),
        (["0 40 maybe", "1 40 0", "0 40 1"], "cannot be read"),
    ],
)
def test_lists_that_cannot_be_right_are_refused(tmp_path, lines, says):
    assert says in refused("templates", "--images", images(tmp_path), "--pairs", pair_list(tmp_path, lines))


def test_enrolment_that_cannot_be_right_is_refused(tmp_path):
    options = galleries(tmp_path)
    options[1].write_text("0,5\n0,6\n")
    assert "two identities" in refused("templates", "--images", images(tmp_path), *options)
    options[1].write_text("SUBJECT,WHO\n0,5\n")
    assert "no column 'template'" in refused("templates", "--images", images(tmp_path), *options)
    options[1].write_text("template,identity\n777,5\n")
    assert "without images" in refused("templates", "--images", images(tmp_path), *options)
    options[1].write_text("template,identity\n0,999\n")
    assert "no probe's identity is in the gallery" in refused("templates", "--images", images(tmp_path), *options)
    assert "no such file" in refused("templates", "--images", images(tmp_path), *options[:-1], tmp_path / "lost.csv")


@pytest.mark.parametrize("nothing", [[], ["--probe", "p.csv"], ["--gallery", "g.csv", "--probe", "p.csv", "--nearest"]])
def test_one_of_the_two_tasks_has_to_be_chosen(tmp_path, nothing):
    result = score("templates", "--images", images(tmp_path), *nothing)
    assert result.exit_code == 2
    assert "--pairs" in result.stderr


@pytest.mark.parametrize(("fill", "says"), [(np.nan, "not finite"), (0.0, "cancel out or are zero")])
def test_images_that_make_no_template_are_refused(tmp_path, fill, says):
    embedding = np.full_like(np.load(images(tmp_path))["embedding"], fill)
    path = images(tmp_path, embedding=embedding)
    assert says in refused("templates", "--images", path, "--pairs", pair_list(tmp_path))


def test_plots_of_both_tasks(tmp_path):
    path = images(tmp_path)
    for folder, task in (("1", ["--pairs", pair_list(tmp_path)]), ("n", galleries(tmp_path))):
        assert score("templates", "--images", path, *task, "--plots", tmp_path / folder).exit_code == 0
    names = {place.name for place in tmp_path.glob("[1n]/*.svg")}
    assert names == {"roc.svg", "det.svg", "cmc.svg"}
    assert len(list((tmp_path / "n").iterdir())) == 4
