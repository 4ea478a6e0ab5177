"""Ray: the cluster, what Tune is told and asked, and the worker that trains. Nothing else knows Ray."""
