"""The explorer: a page in the browser whose maps are computed while one looks at them.

`serving` has the server, `session` what is asked for on a page, `showing` the stages of an answer,
`view` what is shown, `tables` its schedules and noise, `maps` and `paths` what is computed. The
page itself is ``page.html`` and ``page.css``; ``page.js`` talks with the server, ``page.map.js``
has the map's pixels and windows, ``page.form.js`` the form.
"""

from __future__ import annotations
