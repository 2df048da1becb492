"""Pictures of runs and of sweeps. Every function draws into axes it is given and returns the caption."""
