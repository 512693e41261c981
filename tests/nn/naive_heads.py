"""The heads' formulas once more, an element at a time, in Python's floats."""

import itertools
import math
from fractions import Fraction


def norm(vector):
    return math.sqrt(sum(value * value for value in vector))


def inner(first, second):
    return sum(a * b for a, b in zip(first, second, strict=True))


def cosine(first, second):
    return max(-1.0, min(1.0, inner(first, second) / norm(first) / norm(second)))


def arc(angle, margin):
    """cos(theta + m), or its continuation past pi."""
    return math.cos(angle + margin) if angle + margin <= math.pi else math.cos(angle) - margin * math.sin(margin)


def psi(angle, margin):
    k = min(int(margin * angle / math.pi), margin - 1)
    return (-1) ** k * math.cos(margin * angle) - 2 * k


def softmax(x, prototypes, label):
    return [inner(x, row) for row in prototypes]


def distance(first, second):
    return math.sqrt(sum((a - b) ** 2 for a, b in zip(first, second, strict=True)))


def verification(embeddings, labels, margin):
    """DeepID2's eq 2 of every pair; the mean of genuine ones and that of impostors, half each."""
    terms = {True: [], False: []}
    for i, j in itertools.combinations(range(len(labels)), 2):
        far = distance(embeddings[i], embeddings[j])
        genuine = labels[i] == labels[j]
        terms[genuine].append(far**2 / 2 if genuine else max(0.0, margin - far) ** 2 / 2)
    return sum(sum(values) / len(values) for values in terms.values() if values) / 2


def fewest_errors(distances, genuine):
    """The lowest of all thresholds (a pair's distance, or 0) with the fewest errors, both kinds weighed alike."""
    kinds = {
        kind: [d for d, is_genuine in zip(distances, genuine, strict=True) if is_genuine == kind] for kind in (0, 1)
    }

    def errors(threshold):
        rejected = Fraction(sum(d > threshold for d in kinds[1]), max(len(kinds[1]), 1))
        return rejected + Fraction(sum(d <= threshold for d in kinds[0]), max(len(kinds[0]), 1))

    nothing = Fraction(sum(d >= 0 for d in kinds[1]), max(len(kinds[1]), 1))  # accepting none
    best = min(sorted(distances), key=errors)
    return best if errors(best) < nothing else 0.0


def normface(x, prototypes, label, scale):
    return [scale * cosine(x, row) for row in prototypes]


def cosface(x, prototypes, label, scale, margin):
    return [scale * (cosine(x, row) - (margin if j == label else 0)) for j, row in enumerate(prototypes)]


def arcface(x, prototypes, label, scale, margin):
    angles = [math.acos(cosine(x, row)) for row in prototypes]
    return [scale * (arc(angle, margin) if j == label else math.cos(angle)) for j, angle in enumerate(angles)]


def sphereface(x, prototypes, label, margin, annealing):
    angles = [math.acos(cosine(x, row)) for row in prototypes]
    values = [math.cos(angle) for angle in angles]
    values[label] = (annealing * values[label] + psi(angles[label], margin)) / (1 + annealing)
    return [norm(x) * value for value in values]


def mvsoftmax(x, prototypes, label, scale, margin, t):
    """From the terms of the softmax: h = exp(s (t - 1) (cos + 1)) of a class that the face is mistaken for."""
    values = [cosine(x, row) for row in prototypes]
    target = arc(math.acos(values[label]), margin)
    terms = [math.exp(scale * v) * (math.exp(scale * (t - 1) * (v + 1)) if v > target else 1) for v in values]
    terms[label] = math.exp(scale * target)
    return [math.log(term) for term in terms]


def curricularface(x, prototypes, label, scale, margin, t):
    values = [cosine(x, row) for row in prototypes]
    target = arc(math.acos(values[label]), margin)
    return [scale * (target if j == label else v * (t + v) if v > target else v) for j, v in enumerate(values)]


def magface(x, prototypes, label, scale, l_a, u_a, l_m, u_m):
    size = min(max(norm(x), l_a), u_a)
    return arcface(x, prototypes, label, scale, (u_m - l_m) / (u_a - l_a) * (size - l_a) + l_m)


def adaface(x, prototypes, label, scale, margin, h, mean, std):
    z = max(-1.0, min(1.0, h * (min(max(norm(x), 0.001), 100) - mean) / (std + 0.001)))
    values = [cosine(x, row) for row in prototypes]
    angle = min(max(math.acos(values[label]) - margin * z, 0.0), math.pi)
    values[label] = math.cos(angle) - (margin * z + margin)
    return [scale * value for value in values]
