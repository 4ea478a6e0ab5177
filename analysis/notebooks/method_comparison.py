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
# # Eleven methods side by side
#
# Every method with its own recipe on the same seeds, so that differences are paired: `--space methods --seeds 1-5`.
# The recipes are not tuned for each other's sake; what is ordered here are these recipes, not the methods. `--space
# method_comparison` tunes each with the same budget, and can be read here too: set `SPACE`.
#
# **The store** is the folder named by the environment variable `SWEEPS_STORE`, else `results` here or in a folder
# above, else the small one that a checkout ships for its tests; or set `STORE = Path("...")`. **The sweep** is the
# latest of the space; or set `SWEEP = "its id"`.

# %%
from dataclasses import replace

from analysis.figures import forest, learning_curves, pareto_front, seed_slopes
from analysis.learning import learning_table
from analysis.multiple import against, name_of
from analysis.notebooks.evidence import find, find_store
from analysis.notebooks.showing import saying_why, show
from analysis.report.arms import arm_table
from analysis.report.differences import difference_table
from analysis.summarise import summarise

STORE = find_store()
SPACE = "methods"
SWEEP = None
sweep = find(STORE, SPACE, sweep=SWEEP)
summary = sweep.summary.result

# %% [markdown]
# Write down before you look on what margin nothing depends, in points of the metric:

# %%
MARGIN = 2.0

# %% [markdown]
# ## Each method
#
# Mean over its seeds with a smoothed bootstrap interval, standard deviation and interquartile mean.

# %%
with saying_why():
    show(arm_table(sweep, summary, "methods", f"{summary.label}, each method over its seeds."))

# %% [markdown]
# Does each learn anything? Beside raw pixels and the encoder before training, means ± half of Student's interval:

# %%
with saying_why():
    show(learning_table(sweep.search))

# %%
with saying_why():
    show(learning_curves(sweep.record, summary, top=4))

# %% [markdown]
# ## All against the default
#
# The default of the space is SimCLR. p of Student's paired test, corrected for all rows by Holm; P(better) is the
# share of seeds on which a method is ahead (Agarwal et al., NeurIPS 2021). Costs are of one run less one of the
# default's.

# %%
with saying_why():
    rows = against(sweep.record, margin=MARGIN)
    show(forest(rows, label="points over the default", margin=MARGIN))
    show(difference_table("methods", "Each method less the default.", rows))

# %% [markdown]
# Any other can stand in the default's place, here the best. It was chosen on these seeds, so its lead is partly
# luck.

# %%
with saying_why():
    rows = against(sweep.record, summary.best, margin=MARGIN)
    show(difference_table("behind_the_best", "Each method less the best.", rows))

# %% [markdown]
# Seed by seed: the four best and the default. Lines that cross say that the order is the seed's.

# %%
with saying_why():
    chosen = [arm for arm in summary.arms if arm.score is not None][:4]
    chosen += [summary.default] if summary.default and summary.default not in chosen else []
    scores = {name_of(arm.values): arm.scores for arm in chosen}
    says = "see the table above, corrected for their number"
    show(seed_slopes(scores, label=summary.label, verdict=says, within=summary.within))

# %% [markdown]
# ## Equivalent within the margin
#
# No significant difference is not equality. Equal up to ±`MARGIN` is only what two one-sided tests say
# (Schuirmann 1987), corrected likewise.

# %%
with saying_why():
    alike = [row for row in against(sweep.record, margin=MARGIN) if "equivalent" in row.verdict]
    show(*(f"{row.name}: {row.verdict}, n = {row.seeds} seeds" for row in alike))
    show(f"{len(alike)} of {len(summary.arms) - 1} methods are equivalent to the default within ±{MARGIN:g}.")

# %% [markdown]
# ## Accuracy against cost
#
# Seconds of training and evaluation, summed over a run's epochs. They are of the machine and of what else it did:
# several runs at a time cost each other's seconds.

# %%
OBJECTIVES = [
    {"metric": sweep.record.metric, "direction": "maximize", "total": False},
    {"metric": "seconds", "direction": "minimize", "total": True},
]
with saying_why():
    weighed = summarise(replace(sweep.record, manifest={**sweep.manifest, "objectives": OBJECTIVES})).result
    show(pareto_front(weighed, OBJECTIVES, ("seconds", sweep.record.metric)))
    show(*(f"arm {arm.number}: {name_of(arm.values)}" for arm in weighed.arms if arm.number in weighed.front))
