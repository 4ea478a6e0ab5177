"""Named campaigns."""

from search_spaces.campaign import Campaign, Entry

SEEDS = "5"

LAPTOP = Campaign(
    name="papers_laptop",
    question="What is each part of SCE, MMCL, WCL, CACR and BSIM worth, on images that a laptop can learn?",
    entries={
        "sce": Entry(space="sce_ablation", seeds=SEEDS),
        "sce_coefficient": Entry(space="sce_coefficient", design="grid", seeds=SEEDS, stopper="none"),
        "sce_terms": Entry(space="sce_loss_terms", seeds=SEEDS),
        "mmcl": Entry(space="mmcl_ablation", seeds=SEEDS),
        "wcl": Entry(space="wcl_ablation", seeds=SEEDS),
        "wcl_neighbours": Entry(space="wcl_neighbours", design="one_at_a_time", seeds=SEEDS),
        "cacr": Entry(space="cacr_ablation", seeds=SEEDS),
        "cacr_positives": Entry(space="cacr_positives", design="grid", seeds=SEEDS, stopper="none"),
        "bsim": Entry(space="bsim_ablation", seeds=SEEDS),
    },
)

CIFAR_SEEDS = "3"


def _recipe(space: str, preset: str, *pinned: str, design: str | None = None) -> Entry:
    """A space around a published recipe, on ResNet-18."""
    return Entry(
        space=space,
        method_preset=preset,
        set=("encoder.name=resnet", *pinned),
        seeds=CIFAR_SEEDS,
        design=design,
        stopper="none" if design else None,
    )


CIFAR = Campaign(
    name="papers_cifar",
    question="What is each part of SCE, MMCL, WCL, CACR and BSIM worth on CIFAR-10, by the papers' own recipes?",
    data="cifar10:data/cifar10",
    gpus_per_worker=1.0,
    entries={
        "sce": _recipe("sce_ablation", "sce:cifar10"),
        "sce_coefficient": _recipe("sce_coefficient", "sce:cifar10", design="grid"),
        "sce_terms": _recipe("sce_loss_terms", "sce:cifar10"),
        "mmcl": _recipe("mmcl_ablation", "mmcl:cifar10"),
        "wcl": _recipe("wcl_ablation", "wcl:cifar10"),
        "wcl_neighbours": _recipe("wcl_neighbours", "wcl:cifar10", "method.warmup_epochs=10", design="grid"),
        "cacr": _recipe("cacr_ablation", "cacr:cifar10"),
        "cacr_positives": _recipe("cacr_positives", "cacr:cifar10", design="grid"),
        "bsim": _recipe("bsim_ablation", "bsim:moco-cifar10"),
    },
)

CAMPAIGNS = {campaign.name: campaign for campaign in (LAPTOP, CIFAR)}
