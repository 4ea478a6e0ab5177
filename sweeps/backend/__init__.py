"""The Ray backend: cluster, Tune adapter and worker. Nothing else imports Ray."""
