"""Bad inputs, one module per section of the reliability page: 4.1 to 4.5 and 4.13.

Each case is named by the row it comes from, in the order of the page ("SRCH-2": second row of the
search box). Whatever is tried, the answer is the one named there and never a 500, what was typed
stays, and nothing is written. Files of orders: ``tests/orders/test_import_orders.py``.

Rows of doors that are not built yet, and wait for them: 4.4 a bulk post of 200 orders; 4.5 notes on
a cancellation; 4.6 settings, invitations and second factor; 4.7 and 4.8 uploaded feeds beyond what
the import command reads; 4.9 XML; 4.10 the signed API; 4.11 messages; 4.12 outgoing addresses;
4.13 exports; 4.14 callbacks and inbound mail. Simultaneous acts are in ``test_races.py``.
"""
