from catalog.models.listing import Listing, ListingTitle, StockChange

__all__ = ["Listing", "ListingTitle", "StockChange"]
