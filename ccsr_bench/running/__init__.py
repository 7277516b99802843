"""Running a job: what is missing, generating it, scoring it, recording it, and what it costs."""
