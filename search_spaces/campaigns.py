"""The campaigns that have a name."""

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
        "cacr": Entry(space="cacr_ablation", seeds=SEEDS),
        "cacr_positives": Entry(space="cacr_positives", seeds=SEEDS, stopper="none"),
        "bsim": Entry(space="bsim_ablation", seeds=SEEDS),
    },
)

CAMPAIGNS = {campaign.name: campaign for campaign in (LAPTOP,)}
