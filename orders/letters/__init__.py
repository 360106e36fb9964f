"""Letters about orders: what each kind tells, in the language of the marketplace (section 8.1).

``kinds`` says what goes into each; the text stands in ``templates/emails/<language>/<kind>.txt``,
its first line the subject. A letter is written from the facts of the moment it leaves; a kind that
answers None has nothing to tell any more.

Every row's payload has ``history``, the number of the line of the merchant's history it tells of;
``after`` of that line has what the event was about:

- N05: ``shipment``, the package's number; ``charged``, ``not_sent`` as the confirmation wrote them.
- N10: ``refund``, the refund's number.
- N18: in ``before`` and ``after`` ``ship_date``, ``deliver_from``, ``deliver_to``, ISO days.

N20 to N22 have ``request`` in the payload, the key of the buyer's cancellation request; reason,
limit, state and answer are read from it.
"""
