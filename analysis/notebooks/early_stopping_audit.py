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
# # Did early stopping pay?
#
# A stopped run saves epochs and hides its end. Two sweeps together tell what that cost: one of which every run came
# to its end (`--stopper none`) shows how well early ranks tell late ones; one with controls (`--stopper
# asha:control=0.2`), runs that were to be stopped and by lot were not, shows whom stopping would have lost.
#
# **The store** is the folder named by the environment variable `SWEEPS_STORE`, else `results` here or in a folder
# above, else the small one that a checkout ships for its tests; or set `STORE = Path("...")`. **The sweeps** are
# the latest of `SPACE` with and without stopping; or give the id of each.

# %%
from analysis.audit import audit
from analysis.figures import learning_curves, rank_agreement, rung_ladder
from analysis.notebooks.evidence import find, find_store
from analysis.notebooks.showing import saying_why, show
from analysis.summarise import summarise

STORE = find_store()
SPACE = "sce_temperatures"
whole = find(STORE, SPACE, stopped=False, sweep=None)
stopped = find(STORE, SPACE, stopped=True, sweep=None)

# %% [markdown]
# ## Could it know?
#
# Rank correlation of each epoch with the end, within a seed, of runs that nobody stopped. Below 0.4 stopping is
# little better than chance; the first rung belongs where the curve has risen, not where it is cheap.

# %%
with saying_why():
    show(rank_agreement(audit(whole.record, whole.events)))

# %%
for one in audit(whole.record, whole.events).agreements:
    interval = "no interval" if one.interval is None else "{:.2f} to {:.2f}".format(*one.interval)
    show(f"epoch {one.epoch:3}: Spearman {one.spearman:.2f}, n = {one.seeds}, {interval}")
show(whole.summary.stopping or "Too few runs of one seed came to their end to say whether stopping pays.")

# %% [markdown]
# ## What it did
#
# How many runs came to each rung of the stopped sweep, what became of them, and the values and cutoffs there.

# %%
with saying_why():
    show(rung_ladder(stopped.record, stopped.events))

# %%
with saying_why():
    show(learning_curves(stopped.search, summarise(stopped.search)))

# %% [markdown]
# ## What it saved, and whom it would have lost
#
# Epochs at each rung; then the controls: those that end within a seed deviation of the best other run of their
# seed, or above it, would have been stopped wrongly. The interval is Wilson's, of n controls; of a handful it is
# wide, and `control=0.3` or a larger sweep narrows it. Ranks here are of survivors only, and so say less than those
# above.

# %%
show(*audit(stopped.record, stopped.events).sentences)

# %% [markdown]
# ## What another rule would have done
#
# A sweep that was recorded whole can be replayed: each stopper on the same random orders of its arms, with the
# epochs it trains and the points it loses. In a terminal:

# %%
RULES = "--stopper none --stopper asha --stopper promote:grace=1,reduction=3,noise=1"
replay = f"python -m sweeps.replay {whole.summary.identifier} --store {STORE} {RULES}"
show(replay if whole.record.runs else "There is no such sweep to replay.")
