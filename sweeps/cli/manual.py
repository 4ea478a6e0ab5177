"""What the help says beside the options: examples, what comes out, how to go on, exit codes."""

EXAMPLES = """\b
examples
  sweeps list                                           everything that has a name
  sweeps show sce_temperatures                          a space: what varies, in which range, after whom
  sweeps run sce_temperatures --dry-run                 the plan, and what it will take
  sweeps run sce_temperatures --smoke                   half a minute, to see that it runs
  sweeps run sce_temperatures --arms 20 --seeds 3
  sweeps status                                         of the last sweep
  sweeps tail SWEEP                                     its lines as they come
  sweeps stop SWEEP
  sweeps resume                                         go on with the last sweep
  sweeps resume SWEEP --arms 24 --seeds 0-4 --dry-run   what it costs to let it grow
  sweeps export SWEEP --out best
  sweeps report SWEEP
  sweeps sql "select sweep, number, state, knn_top1 from final order by knn_top1 desc limit 5"
  sweeps campaign papers_laptop --dry-run
"""
OF_RUN = """\b
examples
  sweeps run sce_temperatures --data fashion_mnist --arms 20 --epochs 40
  sweeps run cacr_ablation --seeds 5                        CACR without each of its parts
  sweeps run sce_temperatures --set method.coefficient=1.0 --set optimiser.lr=0.1
  sweeps run sce_temperatures --method-preset sce:cifar10 --data cifar10:PATH --gpus-per-worker 1
  sweeps run my_space.py:MY_SPACE --data photos/
  sweeps run sce_temperatures --design grid --seeds 3 --stopper none
  sweeps run sce_temperatures --stopper asha:reduction=3,grace=2
  sweeps run sce_temperatures --objectives knn_top1,seconds:min
  sweeps run sce_temperatures --arms 1000 --budget hours=8
  sweeps run sce_temperatures --confirm 3 --confirm-seeds 5
  sweeps run --design rerun:SWEEP --arms 2 --seeds 1-5 --stopper none

\b
--set names any field of a configuration by its path, its value as JSON or as a word;
`sweeps show SPACE --json` has a whole configuration.

\b
what comes out
  A table of the arms, the verdict on the best one, and a folder STORE/sweeps/ID with sweep.json (the plan and where
  it was run), parts/*.parquet (every epoch of every run), summary.json, report.html, overview.png and .pdf, study.log
  (for optuna-dashboard) and checkpoints. With --json: one JSON object on standard output, the rest on standard error.

\b
how to go on
  Every reported epoch is kept, whatever happens. Ctrl-C once, or `sweeps stop`, ends a sweep at the next report of
  each run, and Ctrl-C twice at once; `sweeps resume` goes on from there after that, a crash or a power cut.
"""
CODES = """\b
exit codes
  0    done
  1    the sweep has ended and no arm is complete, or failing runs have ended it
  2    refused, with the reason, before anything was started or written
  130  interrupted; the command to go on with is printed
"""
