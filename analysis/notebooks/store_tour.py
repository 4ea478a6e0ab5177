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
# # A tour of the store
#
# All that sweeps record can be asked in SQL (DuckDB), without a server and while they run. Six views, each with a
# column `sweep`: `sweeps`, `runs` (a row a run, in its latest state), `final` (the same with each metric at the
# run's last epoch), `epochs` (a row an epoch), `reports` (a row a metric of an epoch) and `events`.
#
# **The store** is the folder named by the environment variable `SWEEPS_STORE`, else `results` here or in a folder
# above, else the small one that a checkout ships for its tests; or set `STORE = Path("...")`.
#
# In a terminal the same is `python -m sweeps.store sql "select ..." --store STORE`. A metric is a column once a run
# has reported it, a field of the configuration once a run has it: where none has, the answer says that the column
# is not found, and what there is.

# %%
from functools import partial

from analysis.notebooks.evidence import find_store
from analysis.notebooks.showing import answer, saying_why, show
from sweeps import store
from sweeps.store.check import check

STORE = find_store()
ask = partial(answer, STORE)
show(f"{STORE} holds {len(store.sweep_directories(STORE))} sweeps. This makes one more:")
show("python sweeps/run.py --space sce_temperatures")
ask("select sweep, space, created[:16] as begun, question from sweeps order by created")

# %% [markdown]
# ## Runs
#
# How many runs of each sweep are in which state, and how far they came:

# %%
ask("""
select sweep, state, count(*) as runs, count(distinct arm) as arms, sum(epochs) as epochs
from runs group by all order by all
""")

# %% [markdown]
# Every field of a run's configuration is a column, `config.PATH` in double quotes:

# %%
ask("""
select sweep, number, seed, "config.method.name" as method, "config.method.temperature" as temperature, knn_top1
from final where state = 'complete' order by knn_top1 desc limit 8
""")

# %% [markdown]
# An arm is a configuration without its seed: its mean over n seeds, with Student's 95 % interval
# (`analysis.estimate` has better ones, and for any n).

# %%
ask("""
with student(n, t) as (values (2, 12.71), (3, 4.30), (4, 3.18), (5, 2.78), (6, 2.57), (8, 2.36), (10, 2.26))
select sweep, first as arm, n, round(mean, 2) as mean, round(t * deviation / sqrt(n), 2) as half_interval
from student join (
    select sweep, min(number) as first, count(*) as n, avg(knn_top1) as mean, stddev_samp(knn_top1) as deviation
    from final where state = 'complete' group by sweep, arm
) using (n) order by mean desc limit 8
""")

# %% [markdown]
# ## Window functions
#
# Arms share their seeds, so they are compared seed by seed: each run less the first of its seed, the default.
# (`analysis.multiple.against` adds intervals and what many comparisons cost.)

# %%
ask("""
with gains as (
    select sweep, number, arm,
        knn_top1 - first_value(knn_top1) over (partition by sweep, seed order by number) as gain
    from final where state = 'complete'
)
select sweep, min(number) as first_run, count(gain) as n, round(avg(gain), 2) as mean_gain,
    round(stddev_samp(gain), 2) as deviation
from gains group by sweep, arm having count(gain) > 1 order by mean_gain desc limit 8
""")

# %% [markdown]
# The place within its seed of who led after the first epoch, then and at the end:

# %%
ask("""
with places as (
    select sweep, seed, number, epoch,
        rank() over (partition by sweep, seed, epoch order by knn_top1 desc) as place,
        count(*) over (partition by sweep, seed, epoch) as n
    from epochs join runs using (sweep, run) where state = 'complete'
)
select sweep, seed, number, arg_min(place, epoch) as after_first, arg_max(place, epoch) as at_end, min(n) as of_runs
from places group by sweep, seed, number having after_first = 1 and of_runs > 1 order by all limit 10
""")

# %% [markdown]
# The best so far while each sweep ran, in minutes since its first report:

# %%
ask("""
with course as (
    select sweep, time, round((time - min(time) over (partition by sweep)) / 60, 1) as minute, knn_top1,
        max(knn_top1) over earlier as before
    from epochs
    window earlier as (partition by sweep order by time rows between unbounded preceding and 1 preceding)
)
select sweep, minute, knn_top1 as best_so_far from course where knn_top1 > before order by sweep, time limit 20
""")

# %% [markdown]
# ## One run
#
# What befell it, every report and every decision of the stopper among it; a stopped run if there is one.

# %%
ask("""
select epoch, kind, detail[:100] as detail, strftime(to_timestamp(time), '%H:%M:%S') as at
from events join (
    select sweep, run from runs order by state = 'stopped' desc, sweep, number limit 1
) using (sweep, run) order by time, sequence limit 30
""")

# %% [markdown]
# A curve as two arrays: the epochs, ascending, and a metric.

# %%
with saying_why():
    with store.connect(STORE) as connection:
        best = connection.sql(
            "select sweep, number, run from final order by knn_top1 desc limit 1"
        ).fetchall()
    for sweep, number, run in best:
        epochs, values = store.curve(store.sweep_directory(STORE, sweep), run, "knn_top1")
        show(f"run {number} of {sweep}", f"epochs {epochs.tolist()}", f"knn_top1 {values.round(2).tolist()}")

# %% [markdown]
# Why runs were stopped or failed, the last line of each reason:

# %%
ask("""
select state, string_split(trim(reason), chr(10))[-1][:90] as why, count(*) as runs
from runs where state in ('stopped', 'failed') group by all order by runs desc limit 10
""")

# %% [markdown]
# ## A sweep that runs
#
# `ask` opens the store anew for each question and takes no lock, so run this cell again to watch. A connection
# of `store.connect` shows the store as it was when it was opened.

# %%
ask("""
select sweep, count(*) filter (state = 'running') as running, count(*) as runs, sum(epochs) as epochs,
    strftime(to_timestamp(max(time)), '%Y-%m-%d %H:%M:%S') as last_change
from runs group by sweep order by max(time) desc
""")

# %% [markdown]
# ## What it cost
#
# Seconds of training and evaluation, by space. Device-hours count GPUs, or processes where there is none; what was
# reused from another sweep cost nothing again.

# %%
ask("""
select space, count(*) as runs, sum(epochs) as epochs, round(sum(seconds) / 60, 1) as minutes,
    round(sum(device_seconds) / 3600, 3) as device_hours, round(avg(seconds), 1) as seconds_a_run
from runs group by space order by minutes desc
""")

# %% [markdown]
# ## Where it comes from
#
# Commit, a digest of what was changed since, packages, machine and a fingerprint of the images stand beside every
# run.

# %%
ask("""
select sweep, commit[:8] as commit, diff, nullif(packages, '')->>'torch' as torch, host, device, data,
    count(*) as runs
from runs group by all order by all
""")

# %%
ask("select command from sweeps order by created")

# %% [markdown]
# ## Is it whole?
#
# Every file is read and nothing changed. A segment that a crash has cut off keeps all its records but the last.

# %%
for directory in store.sweep_directories(STORE):
    show(check(directory).text())
    show(*(f"{one.path}: {one.batches_kept} records kept" for one in store.torn(directory)))

# %% [markdown]
# ## Out of it
#
# To Arrow here, and so to pandas or Polars where they are installed (`.df()`, `.pl()`):

# %%
with saying_why(), store.connect(STORE) as connection:
    table = connection.sql("select sweep, number, seed, state, epochs from runs").to_arrow_table()
    show(f"{table.num_rows} rows: {table.schema.names}")

# %% [markdown]
# To files and to experiment trackers, and to other machines, in a terminal:

# %%
show(
    f"python -m sweeps.store check {STORE}",
    f"python -m sweeps.store compact {STORE}",
    f'python -m sweeps.store sql "select state, count(*) from runs group by state" --store {STORE}',
    f"python -m sweeps.store export {STORE} --as csv --out tables",
    f"python -m sweeps.store mirror {STORE} s3://bucket/results",
)
