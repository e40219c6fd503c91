"""Starts the django-oscar shop: makes its database and catalogue where they are missing, then serves."""

from __future__ import annotations

import os
import sys
from decimal import Decimal
from pathlib import Path

import django
from django.core.management import call_command
from django.core.servers.basehttp import run

PRODUCTS = (("Walking boots", "89.90"), ("Rain jacket", "120.00"), ("Wool socks", "14.50"), ("Trail map", "9.95"))


def fill() -> None:
    """Make the database, one country to ship to, and a small catalogue."""
    call_command("migrate", verbosity=0)
    call_command("collectstatic", interactive=False, verbosity=0)
    from oscar.apps.address.models import Country
    from oscar.apps.catalogue.models import Category, Product, ProductCategory, ProductClass
    from oscar.apps.partner.models import Partner, StockRecord

    Country.objects.create(
        iso_3166_1_a2="GB",
        iso_3166_1_a3="GBR",
        iso_3166_1_numeric="826",
        printable_name="United Kingdom",
        name="United Kingdom",
        is_shipping_country=True,
    )
    kind = ProductClass.objects.create(name="Outdoor", requires_shipping=True, track_stock=True)
    category = Category.add_root(name="Outdoor")
    partner = Partner.objects.create(name="Warehouse")
    for number, (title, price) in enumerate(PRODUCTS):
        product = Product.objects.create(product_class=kind, title=title, upc=f"UPC{number}", description=f"{title}.")
        ProductCategory.objects.create(product=product, category=category)
        StockRecord.objects.create(
            product=product,
            partner=partner,
            partner_sku=f"SKU{number}",
            price=Decimal(price),
            num_in_stock=10_000,
        )
    call_command("rebuild_index", interactive=False, verbosity=0)


def main() -> None:
    """Serve on the port that the command line names."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "oscar_settings"
    django.setup()
    if not (Path(os.environ["OSCAR_DATA"]) / "shop.sqlite3").exists():
        fill()
    from django.core.wsgi import get_wsgi_application

    run(
        "127.0.0.1",
        int(sys.argv[1]),
        get_wsgi_application(),
        threading=True,
        on_bind=lambda _: print("ready", flush=True),
    )


if __name__ == "__main__":
    main()
