# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#     notebook_metadata_filter: -jupytext.text_representation.jupytext_version
#     text_representation:
#       extension: .py
#       format_name: percent
#       format_version: '1.3'
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # What is each part of SCE worth?
#
# The method without one of its parts at a time, on the seeds of the whole method: `--space sce_ablation --seeds 5`.
# A part that helps has a difference below 0. Parts that cannot be told from 0, and those without which the method
# is equally good, are findings too.
#
# **The store** is the folder named by the environment variable `SWEEPS_STORE`, else `results` here or in a folder
# above, else the small one that a checkout ships for its tests; or set `STORE = Path("...")`. **The sweep** is the
# latest of the space; or set `SWEEP = "its id"`. Every method has such a space: set `SPACE = "cacr_ablation"` for
# CACR's.

# %%
from analysis.compare import compare
from analysis.components import ablation, interactions, leave_one_out
from analysis.figures import forest
from analysis.notebooks.evidence import find, find_store
from analysis.notebooks.showing import saying_why, show
from analysis.report.arms import arm_table
from analysis.report.differences import difference_table

STORE = find_store()
SPACE = "sce_ablation"
SWEEP = None
sweep = find(STORE, SPACE, sweep=SWEEP, design="leave_one_out")

# %% [markdown]
# Write down before you look how many points it may lose and still count as the same method:

# %%
MARGIN = 1.0

# %% [markdown]
# ## The arms

# %%
with saying_why():
    caption = f"{sweep.summary.label}: SCE, and SCE without a part."
    show(arm_table(sweep, sweep.summary.result, "arms", caption))

# %% [markdown]
# ## Without one part at a time
#
# Whiskers are Student's intervals of n paired seeds, each for itself; the verdicts are corrected for all rows
# (Holm). Costs are of one run, less those of the whole method: a part without a significant difference that costs
# nothing does no harm; one that costs may be left out, if the margin allows. They are known of runs that this sweep
# has trained, not of those reused from another.

# %%
with saying_why():
    rows = leave_one_out(sweep.record, margin=MARGIN)
    show(forest(rows, label="points over the whole method", margin=MARGIN))
    show(difference_table("without", "SCE without a part less the whole of it.", rows))

# %% [markdown]
# ## What may be said
#
# *Significantly worse* without it: the part matters. *Equivalent*: without it the method is the same up to the
# margin. *No significant difference* alone: these seeds do not tell, and the last cell says how many would.

# %%
with saying_why():
    rows = leave_one_out(sweep.record, margin=MARGIN)
    show(*(f"{row.name}: {row.verdict}, n = {row.seeds} seeds" for row in rows))

# %% [markdown]
# ## Seeds needed
#
# Each for itself: what so many seeds find with 80 % power, and how many it takes to find what was seen, if it is
# true.

# %%
with saying_why():
    parts = ablation(sweep.record)
    for name in parts.changes:
        arm = parts.without(name)
        if arm and arm.score is not None and parts.full.score is not None:
            show(f"{name}: {compare(arm.scores, parts.full.scores, None).sentence}")

# %% [markdown]
# ## Two at a time
#
# `--design pairs` leaves out each two parts as well. Above 0: one is worth something only with the other; below 0:
# each makes up for the other. The contrast of four arms is noisier than a difference of two, so it takes more
# seeds.

# %%
pairs = find(STORE, SPACE, design="pairs")
with saying_why():
    rows = interactions(pairs.record)
    show(forest(rows, label="interaction (points)"))
    show(difference_table("interactions", "Without both, less without each, plus the whole method.", rows))
