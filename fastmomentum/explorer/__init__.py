"""The explorer: a page in the browser whose maps are computed while one looks at them.

`serving` has the server, `session` what happens on a page, `view` what it shows, `maps` and `paths`
what is computed. The page itself is in ``page.html``, ``page.css`` and ``page.js``.
"""

from __future__ import annotations
