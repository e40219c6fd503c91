"""A guest fills a basket in the django-oscar shop and says where to send it; nothing is ordered."""

from __future__ import annotations

import guest_checkout as buying

from monitor.journeys import Journey

journey = Journey(
    name="guest-basket",
    title="Fill a basket as a guest",
    steps=(buying.browse, buying.search, buying.add_to_basket, buying.address),
)
