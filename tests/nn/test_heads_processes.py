"""Two processes that share a batch follow and draw what one process does that has it whole."""

import torch
from torch import distributed, multiprocessing
from torch.nn import functional as F

from lrfr.nn.heads import AdaFace, ArcFace, CenterLoss, CurricularFace, DeepID2, PartialFC

CLASSES, DIM = 30, 5


def parts(process, processes):
    """Parts of different sizes, and with an identity that only one of them has."""
    torch.manual_seed(1)
    embedding, labels = 20 * torch.randn(9, DIM), torch.tensor([0, 3, 3, 7, 0, 9, 9, 9, 28])
    bounds = [0, 9] if processes == 1 else [0, 4, 9]
    return embedding[bounds[process] : bounds[process + 1]], labels[bounds[process] : bounds[process + 1]]


def follow(process, processes):
    """What the heads know after two updates, and the rows that were drawn with their gradient."""
    torch.manual_seed(0)
    followers = [AdaFace(DIM, CLASSES), CurricularFace(DIM, CLASSES), CenterLoss(DIM, CLASSES)]
    sampled = PartialFC(ArcFace(DIM, 12, 16), CLASSES)
    embedding, labels = parts(process, processes)
    for _ in range(2):
        for head in followers:
            head.losses(embedding, labels)
    sampled.draw(labels, 5, {})
    places = torch.searchsorted(sampled.classes, labels)
    summed = F.cross_entropy(sampled(embedding, labels), places, reduction="sum")
    (gradient,) = torch.autograd.grad(summed, sampled.head.weight)
    if processes > 1:
        distributed.all_reduce(gradient)
    verifier, share = DeepID2(DIM, CLASSES, margin_pairs=20), slice(4 * process, 4 * process + 8 // processes)
    whole, people = parts(0, 1)
    own = whole[share].clone().requires_grad_()  # of one size, as in training
    verification = verifier.losses(own, people[share])["verification"]
    (pulled,) = torch.autograd.grad(verification, own)
    pulls = torch.zeros(8, DIM)
    pulls[share] = pulled / processes
    if processes > 1:
        distributed.all_reduce(pulls)
    states = {
        f"{number}.{name}": value for number, head in enumerate(followers) for name, value in head.state_dict().items()
    }
    states |= {"verification": verification.detach(), "pulls": pulls, **verifier.state_dict()}
    return states | {"classes": sampled.classes, "rows": sampled.head.weight.detach(), "gradient": gradient}


def work(process, folder):
    torch.set_num_threads(1)
    distributed.init_process_group("gloo", init_method=f"file://{folder}/meet", rank=process, world_size=2)
    torch.save(follow(process, 2), f"{folder}/{process}.pt")
    distributed.destroy_process_group()


def test_two_processes_agree_with_each_other_and_with_one(tmp_path):
    multiprocessing.spawn(work, (str(tmp_path),), nprocs=2)
    first, second = (torch.load(tmp_path / f"{process}.pt") for process in range(2))
    for name, value in follow(0, 1).items():
        assert torch.equal(first[name], second[name]), name
        assert torch.allclose(first[name], value, rtol=1e-5, atol=1e-6), name
