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
# # Which temperatures suit SCE?
#
# SCE (Denize et al., WACV 2023) pulls the online distribution over other images, softened by `temperature`, towards
# the target's, sharpened by `target_temperature`. This notebook reads a sweep of both: where good settings lie,
# which of the two matters, and whether the best arm is better than the default or only luckier.
#
# **The store** is the folder named by the environment variable `SWEEPS_STORE`, else `results` here or in a folder
# above, else the small one that a checkout ships for its tests; or set `STORE = Path("...")`. **The sweep** is the
# latest of the space; or set `SWEEP = "its id"`. A sweep that is running is read as it is now: run the cells again.

# %%
import numpy as np

from analysis.best_of import best_of
from analysis.fanova import fanova
from analysis.figures import best_of_curves, embedding_plane, importance_bars, response_surface, slice_plot
from analysis.importance import disagreement
from analysis.multiple import against
from analysis.notebooks.evidence import find, find_store
from analysis.notebooks.showing import saying_why, show
from analysis.observed import observed
from analysis.pedanova import ped_anova
from analysis.report.differences import difference_table
from analysis.report.evidence import images
from analysis.report.finding import claim
from analysis.terminal import summary_text
from analysis.tuning import predicted, tunability

STORE = find_store()
SWEEP = None
sweep = find(STORE, "sce_temperatures", sweep=SWEEP)

# %% [markdown]
# Early stopping hides what an arm would have come to. So whatever is said of the whole plane below goes by the
# latest sweep of which nothing was stopped, with more seeds and arms drawn at random if you have it; it may be the
# same sweep.

# %%
whole = find(STORE, "sce_temperatures", stopped=False)

# %% [markdown]
# ## The sweep
#
# Means ± one standard deviation over seeds; in parentheses the last value of arms that did not come to their end.

# %%
show(summary_text(sweep.summary))

# %% [markdown]
# ## The plane of both temperatures
#
# Left what a run may be expected to reach, right how little is known of that: where no arm lies the surface is a
# guess.

# %%
PLANE = "method.temperature", "method.target_temperature"
with saying_why():
    show(response_surface(whole.summary, PLANE, whole.space))

# %%
with saying_why():
    show(slice_plot(whole.summary, whole.space))

# %% [markdown]
# ## Which of the two matters
#
# Two questions that need not have one answer. PED-ANOVA: which parameter tells the best third of the arms from all.
# fANOVA: which explains the variance of the score over the whole plane, bad settings included. Ranges over arms drawn
# anew, or over trees, are no confidence intervals; what speaks against chance stands behind them: how often shuffled
# scores give as much, and R² of the forest on arms that it has not seen.

# %%
with saying_why():
    best_third = ped_anova(observed(whole.record), np.random.default_rng(0), target=1 / 3)
    show(importance_bars(best_third), best_third.sentence)

# %%
with saying_why():
    variance = fanova(observed(whole.record), np.random.default_rng(0), pairs=True)
    show(importance_bars(variance), variance.sentence, disagreement(variance, best_third) or "Both agree.")

# %% [markdown]
# ## Best against default
#
# Each complete arm less the default, paired by seed, the p corrected for all rows (Holm); on fresh seeds, where the
# best arms were run again on such (`--confirm`), for the seeds that chose an arm flatter it.

# %%
with saying_why():
    rows = against(sweep.record)
    show(difference_table("differences", "Each arm less the default.", rows))

# %% [markdown]
# How large a difference so many seeds can find with 80 % power, and how many would find the one that was seen:

# %%
comparison = sweep.summary.result.comparison
if comparison and comparison.detectable:
    seeds = comparison.seeds_needed or "more than a thousand"
    show(
        f"{comparison.difference:+.2f} points over n = {comparison.seeds} seeds. As many seeds find "
        f"{comparison.detectable:.2f} or more; {abs(comparison.difference):.2f} takes {seeds}."
    )
else:
    show("No two seeds have both the best arm and the default, or the default is the best: nothing to size.")

# %% [markdown]
# A result, or a candidate only?

# %%
word, reasons = claim(sweep)
show(f"{word}.", *reasons)

# %% [markdown]
# ## What the search was worth
#
# The expected best of *n* arms: searches are compared at equal *n*, if on as many seeds; arms count by their mean
# over those seeds, and one seed flatters the best more than two.

# %%
with saying_why():
    found = best_of({one.summary.identifier: one.record for one in (whole, sweep) if one.record.runs})
    show(best_of_curves(found, label=whole.summary.label))
    show(*(f"{name}: {one.sentence}" for name, one in found.items()))

# %% [markdown]
# Tunability (Probst et al., JMLR 2019): what tuning both, and each alone, gains over the default; measured where
# the sweep has arms that change one alone, else as a forest predicts it, which ranks and does not measure.

# %%
with saying_why():
    show(*(gain.sentence for gain in tunability(whole.record)))
    alone = predicted(whole.record, np.random.default_rng(0))
    show(*(f"{name} alone, predicted: {points:+.2f} points" for name, points in alone.items()))

# %% [markdown]
# ## What the best encoder sees
#
# Validation images, in the plane of their embeddings and beside their nearest neighbours: a look, no measurement.

# %%
with saying_why():
    pictures, run = images(whole.directory)
    show(f"Run {run} of {whole.summary.identifier}:")
    show(embedding_plane(pictures, range(0, len(pictures.labels), len(pictures.labels) // 5)[:5]))

# %% [markdown]
# ## What others have reported
#
# Figures of other data, encoders and budgets that the space quotes with their source: compare their course, not
# their height.

# %%
show(*sweep.summary.reported or ["The space of this sweep quotes no figures of others."])
