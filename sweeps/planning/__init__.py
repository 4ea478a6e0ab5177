"""Plans of sweeps: designs, objectives, budgets and cost estimates."""
