"""The explorer: a page in the browser that recomputes its map while one zooms into it.

`serving` is the server; `session` handles a page's requests and `showing` answers them in stages;
`view` is the state of a page, `changes` and `tables` what may be changed about it; `maps` and
`paths` compute. The page itself is ``page.html`` and ``page.css``; ``page.js`` exchanges messages
with the server, ``page.map.js`` draws the map's pixels, ``page.form.js`` handles the form.
"""

from __future__ import annotations
