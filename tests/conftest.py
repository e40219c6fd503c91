"""What holds for every test, whatever it is about."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

# Hypothesis gives each example 200 ms and fails for good if one takes longer once, which on a busy machine any may.
# And it draws by lot, so that what one run of CI says of a commit the next one need not say.
settings.register_profile(
    "faultline", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow], print_blob=True
)
settings.load_profile("faultline")
