"""The generator of Faultline's dashboards: ``python -m grafana.src`` writes them to ``grafana/dashboards``."""

from __future__ import annotations

import warnings

with warnings.catch_warnings():
    # Imported for the first time, the SDK recommends its next schema, which Grafana does not yet take from files.
    warnings.simplefilter("ignore", DeprecationWarning)
    import grafana_foundation_sdk.builders.bargauge
    import grafana_foundation_sdk.builders.dashboard  # noqa: F401  # for the import alone
