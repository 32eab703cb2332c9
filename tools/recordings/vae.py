"""What `make record` runs for chapter 8: what a nat costs and what the latents know of it; latents that stay off."""

import torch

from course_lib import data, metrics, vae

BETAS = (0.1, 0.3, 1.0, 2.0, 4.0)
CURES = {
    "three layers": (3, {}),
    "warm-up": (3, {"kl_warm_up": 0.5}),
    "free bits": (3, {"free_bits": 0.25}),
    "15 epochs": (3, {"epochs": 15}),
    "one layer": (1, {}),
}


def learned(images: data.ImageSet, seed: int, latents: int, widths: tuple[int, ...], **settings) -> vae.VAE:
    """A dense VAE after five epochs of grey 16 x 16 images, if the settings say no other number."""
    torch.manual_seed(seed)
    model = vae.mlp_vae(1, 16, latents, widths=widths)
    rng = torch.Generator().manual_seed(seed)
    batches = data.Batches(images, batch_size=128, rng=rng, drop_last=True, channels_last=True)
    vae.fit_vae(model, batches, **{"epochs": 5, "lr": 4e-3, **settings})
    return model


@torch.no_grad()
def drawn_codes(model: vae.VAE, images: data.ImageSet, seed: int) -> torch.Tensor:
    """A draw from q(z|x) of each image, [N, Z], as the decoder gets it."""
    mean, log_variance = model.encode(images.pixels())
    return model.reparameterise(mean, log_variance, model.noise(len(mean), torch.Generator().manual_seed(seed)))


def beta_sweep() -> tuple[dict, dict]:
    """Five weights of the KL, three seeds: rate and distortion, and what linear probes find in the latents."""
    train, test = (data.load("glyphs", split, size=16) for split in ("train", "test"))
    half = len(test) // 2
    points: dict = {f"beta {beta:g}": [] for beta in BETAS}
    known: dict = {name: [[0.0] * len(BETAS) for _ in range(3)] for name in test.factors}
    gaps = [[0.0] * len(BETAS) for _ in range(3)]
    for column, beta in enumerate(BETAS):
        for seed in range(3):
            model = learned(train, seed, 10, (256,), beta=beta)
            found = vae.evaluate_vae(model, test)
            points[f"beta {beta:g}"].append([round(found.kl, 3), round(-found.reconstruction, 3)])
            z = drawn_codes(model, test, seed)
            for name, values in test.factors.items():
                probe = metrics.probe_number if values.is_floating_point() else metrics.probe_class
                score = probe(z[:half], values[:half]).score(z[half:], values[half:])
                known[name][seed][column] = round(score, 4)
            gaps[seed][column] = round(metrics.mutual_information_gap(z, test.factors).mean, 4)
    return {"betas": BETAS, "points": points, "known": known, "gaps": gaps}, {}


def collapse() -> tuple[dict, dict]:
    """A deep model whose latents stay off, and four cures: two seeds each."""
    train, test = (data.load("glyphs", split, size=16) for split in ("train", "test"))
    results = {}
    for name, (depth, settings) in CURES.items():
        found = [vae.evaluate_vae(learned(train, seed, 16, (128,) * depth, **settings), test) for seed in range(2)]
        results[name] = {
            "elbo": [round(each.elbo, 2) for each in found],
            "kl": [round(each.kl, 2) for each in found],
            "on": [int((each.latent_kl > 0.05).sum()) for each in found],
            "latent_kl": [round(value, 4) for value in found[0].latent_kl.tolist()],
        }
    return {"results": results}, {}
