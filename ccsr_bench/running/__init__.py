"""Running a job: planning what is missing, generating, scoring and recording it, and profiling methods."""
